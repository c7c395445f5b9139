"""Signing in and out: a row per sign-in, a signed cookie that points to it."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import MutableMapping
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import select, text, update

from noc.database.base import utcnow
from noc.database.tenancy import name_tenant
from noc.extensions import session, settings
from noc.identity.capabilities import ROLES
from noc.identity.models import User, UserSession, UserSite
from noc.identity.principal import Principal

_hasher = PasswordHasher()
_FIND_LOGIN = text("SELECT * FROM noc_find_login(:email)")


@cache
def _nobody() -> str:
    """Verified when the address is unknown, so that the answer takes as long as for a known."""
    return _hasher.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """An argon2id hash with the library's current parameters (RFC 9106)."""
    return _hasher.hash(password)


def sign_in(cookie: MutableMapping[str, Any], email: str, password: str) -> Principal | None:
    """Begin a session in ``cookie``; None for a wrong address, password or inactive user.

    Commits. What was in the cookie before is dropped, so that a planted one gains nothing.
    """
    row = session().execute(_FIND_LOGIN, {"email": email.strip().lower()}).one_or_none()
    if not _verify(row.password_hash if row else _nobody(), password) or row is None:
        return None
    name_tenant(session(), row.tenant_id)
    now = utcnow()
    secret = secrets.token_urlsafe(32)
    session().add(
        UserSession(
            tenant_id=row.tenant_id,
            secret_hash=_hash(secret),
            user_id=row.user_id,
            expires_at=now + dt.timedelta(hours=settings().session_hours),
        )
    )
    user = session().get_one(User, (row.tenant_id, row.user_id))
    user.last_login_at = now
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    session().commit()
    cookie.clear()
    cookie.update(tenant=row.tenant_id, secret=secret, csrf=secrets.token_urlsafe(24))
    return find(cookie)


def find(cookie: MutableMapping[str, Any]) -> Principal | None:
    """The principal of a sign-in that is neither over nor revoked; else None."""
    tenant_id, secret = cookie.get("tenant"), cookie.get("secret")
    if not isinstance(tenant_id, int) or not isinstance(secret, str):
        return None
    name_tenant(session(), tenant_id)
    user = session().scalar(
        select(User)
        .join(
            UserSession,
            (UserSession.tenant_id == User.tenant_id) & (UserSession.user_id == User.id),
        )
        .where(
            UserSession.tenant_id == tenant_id,
            UserSession.secret_hash == _hash(secret),
            UserSession.expires_at > utcnow(),
            UserSession.revoked_at.is_(None),
            User.active,
        )
    )
    if user is None:
        name_tenant(session(), None)
        return None
    return principal_of(user)


def principal_of(user: User) -> Principal:
    """What the user may do, and where."""
    sites = session().scalars(
        select(UserSite.site_id).where(
            UserSite.tenant_id == user.tenant_id, UserSite.user_id == user.id
        )
    )
    return Principal(
        tenant_id=user.tenant_id,
        name=user.name,
        capabilities=ROLES[user.role],
        user_id=user.id,
        site_ids=frozenset(sites) or None,
    )


def sign_out(cookie: MutableMapping[str, Any]) -> None:
    """End the session of ``cookie``, in the database too. Commits."""
    tenant_id, secret = cookie.get("tenant"), cookie.get("secret")
    cookie.clear()
    if isinstance(tenant_id, int) and isinstance(secret, str):
        name_tenant(session(), tenant_id)
        session().execute(
            update(UserSession)
            .where(
                UserSession.tenant_id == tenant_id,
                UserSession.secret_hash == _hash(secret),
                UserSession.revoked_at.is_(None),
            )
            .values(revoked_at=utcnow())
        )
        session().commit()


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
