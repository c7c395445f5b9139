"""API tokens: made once, shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable

from sqlalchemy import text

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import TOKEN_CAPABILITIES
from noc.identity.models import ApiToken
from noc.identity.principal import Principal

PREFIX = "noc_"
_FIND = text("SELECT * FROM noc_find_token(:hash)")


def create(
    tenant_id: int,
    name: str,
    capabilities: Iterable[str],
    *,
    expires_at: dt.datetime | None = None,
    created_by: int | None = None,
) -> tuple[ApiToken, str]:
    """A new token of the tenant and its secret, which is not kept and cannot be had again.

    ValueError for a capability that tokens cannot carry, or for none at all.
    """
    wanted = sorted(set(capabilities))
    unknown = [item for item in wanted if item not in TOKEN_CAPABILITIES]
    if unknown or not wanted:
        allowed = ", ".join(sorted(TOKEN_CAPABILITIES))
        raise ValueError(
            f"capability {unknown[0]!r} is unknown; choose from {allowed}"
            if unknown
            else f"name at least one capability of {allowed}"
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        tenant_id=tenant_id,
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        token_hash=_hash(secret),
        capabilities=wanted,
        expires_at=expires_at,
        created_by=created_by,
    )
    session().add(token)
    session().flush()
    return token, secret


def find(secret: str) -> Principal | None:
    """The principal of a token that is known, neither expired nor revoked; else None.

    Comes before a tenant is known, so an owner's function looks it up; that function also
    notes the use, at most once a minute.
    """
    row = session().execute(_FIND, {"hash": _hash(secret)}).one_or_none()
    if row is None:
        return None
    return Principal(
        tenant_id=row.tenant_id,
        name=row.name,
        capabilities=frozenset(row.capabilities),
        token_id=row.id,
    )


def revoke(token: ApiToken, now: dt.datetime | None = None) -> None:
    """End the token at once. Revoking twice keeps the first time."""
    token.revoked_at = token.revoked_at or now or utcnow()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
