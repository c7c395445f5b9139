"""API tokens: made once, shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, func, select, text, tuple_, update

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.capabilities import TOKEN_CAPABILITIES
from noc.identity.models import ApiToken, Tenant
from noc.identity.principal import Principal
from noc.identity.signals import access_changed
from noc.identity.trail import Target, record
from noc.identity.words import BadField, one_line

PREFIX = "noc_"
USE_NOTED_EVERY = dt.timedelta(minutes=1)
"""A busy client's token must not become a hot row."""

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

    BadField (a ValueError) for a capability that tokens cannot carry, for none at all, for a
    name that is not one line of text, and for an end that is past.
    """
    wanted = sorted(set(capabilities))
    unknown = [item for item in wanted if item not in TOKEN_CAPABILITIES]
    if unknown or not wanted:
        allowed = ", ".join(sorted(TOKEN_CAPABILITIES))
        raise BadField(
            "capabilities",
            f"capability {unknown[0]!r} is unknown; choose from {allowed}"
            if unknown
            else f"name at least one capability of {allowed}",
        )
    if expires_at is not None and expires_at <= utcnow():
        raise BadField("expires_at", "the token would have expired before it was made")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        tenant_id=tenant_id,
        name=one_line(name, "name"),
        prefix=secret[: len(PREFIX) + 6],
        token_hash=_hash(secret),
        capabilities=wanted,
        expires_at=expires_at,
        created_by=created_by,
    )
    session().add(token)
    session().flush()
    record(
        "token.created",
        _target(token),
        {"capabilities": wanted, "expires_at": expires_at.isoformat() if expires_at else None},
    )
    return token, secret


def find(secret: str) -> Principal | None:
    """The principal of a token that is known, neither expired nor revoked; else None.

    Comes before a tenant is known, so an owner's function looks it up. Where the last noted use
    is a minute old, notes this one and commits.
    """
    row = session().execute(_FIND, {"hash": _hash(secret)}).one_or_none()
    if row is None:
        return None
    now = utcnow()
    if row.last_used_at is None or row.last_used_at < now - USE_NOTED_EVERY:
        _note_use(row.tenant_id, row.id, now)
    return Principal(
        tenant_id=row.tenant_id,
        name=row.name,
        capabilities=frozenset(row.capabilities),
        token_id=row.id,
    )


def standing(tenant_id: int, token_ids: Collection[int | None]) -> dict[int | None, Principal]:
    """Of these tokens of the current tenant, the principals of those that :func:`find` would find.

    One query, which notes no use.
    """
    rows = session().execute(
        select(ApiToken.id, ApiToken.name, ApiToken.capabilities)
        .join(Tenant, Tenant.id == ApiToken.tenant_id)
        .where(
            ApiToken.tenant_id == tenant_id,
            ApiToken.id.in_(token_ids),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at.is_(None) | (ApiToken.expires_at > func.now()),
            Tenant.active,
        )
    )
    return {
        row.id: Principal(tenant_id, row.name, frozenset(row.capabilities), token_id=row.id)
        for row in rows
    }


def get(tenant_id: int, token_id: int) -> ApiToken | None:
    """The tenant's token with this id, locked until the transaction ends; None without one."""
    return session().get(ApiToken, (tenant_id, token_id), with_for_update=True)


def named(text: str) -> ColumnElement[bool]:
    """Those whose name or first characters have ``text`` in them, in any case."""
    by_name = ApiToken.name.icontains(text, autoescape=True)
    return by_name | ApiToken.prefix.icontains(text, autoescape=True)


def revoke(token: ApiToken, now: dt.datetime | None = None) -> None:
    """End the token at once. Revoking twice keeps the first time."""
    if token.revoked_at is None:
        token.revoked_at = now or utcnow()
        record("token.revoked", _target(token), now=token.revoked_at)
    access_changed.send("identity", tenant_id=token.tenant_id)


def _target(token: ApiToken) -> Target:
    return Target("token", token.id, f"{token.name} ({token.prefix}...)")


def _note_use(tenant_id: int, token_id: int, now: dt.datetime) -> None:
    """Write the use down in a transaction of its own: a view that only reads commits nothing.

    Whoever finds the row locked leaves it to whoever holds it, so that requests of one client
    never wait for each other.
    """
    key = tuple_(ApiToken.tenant_id, ApiToken.id)
    free = (
        select(ApiToken.tenant_id, ApiToken.id)
        .where(key == tuple_(tenant_id, token_id))
        .with_for_update(skip_locked=True)
    )
    noted = update(ApiToken).where(key.in_(free)).values(last_used_at=now)
    with tenant_context(session(), tenant_id):
        session().execute(noted.execution_options(synchronize_session=False))
        session().commit()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
