"""Signing in and out: a row per sign-in, a signed cookie that points to it."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, MutableMapping
from typing import Any

from sqlalchemy import Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from noc.database.base import utcnow
from noc.database.tenancy import name_tenant
from noc.extensions import session, settings
from noc.identity import passwords
from noc.identity.capabilities import ROLES
from noc.identity.models import Tenant, User, UserSession, UserSite
from noc.identity.principal import Principal
from noc.identity.signals import access_changed
from noc.identity.words import email_address

_FIND_LOGIN = text("SELECT * FROM noc_find_login(:email)")
_KEPT = dt.timedelta(days=30)
"""How long the row of a sign-in that is over stays, for whoever asks who was signed in."""

_SITES = (
    select(func.array_agg(UserSite.site_id, type_=ARRAY(UserSite.site_id.type)))
    .where(UserSite.tenant_id == User.tenant_id, UserSite.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
    .label("sites")
)


def sign_in(cookie: MutableMapping[str, Any], email: str, password: str) -> Principal | None:
    """Begin a session in ``cookie``; None for a wrong address, password or inactive user.

    Commits. What was in the cookie before is dropped, so that a planted one gains nothing, and
    the sign-in it stood for ends, so that a stolen one gains nothing either.
    """
    row = _find_login(email)
    if not passwords.verify(row.password_hash if row else None, password) or row is None:
        return None
    name_tenant(session(), row.tenant_id)
    if passwords.needs_rehash(row.password_hash):
        user = session().get_one(User, (row.tenant_id, row.user_id))
        user.password_hash = passwords.hash_password(password)
    return begin(cookie, row.tenant_id, row.user_id)


def begin(cookie: MutableMapping[str, Any], tenant_id: int, user_id: int) -> Principal | None:
    """Begin a session of a user who has shown who they are; see :func:`sign_in`. Commits."""
    session().commit()
    sign_out(cookie)
    name_tenant(session(), tenant_id)
    now = utcnow()
    secret = secrets.token_urlsafe(32)
    _forget_ended(tenant_id, user_id, now)
    session().add(
        UserSession(
            tenant_id=tenant_id,
            secret_hash=hash_secret(secret),
            user_id=user_id,
            expires_at=now + dt.timedelta(hours=settings().session_hours),
        )
    )
    session().get_one(User, (tenant_id, user_id)).last_login_at = now
    session().commit()
    cookie.update(tenant=tenant_id, secret=secret, csrf=secrets.token_urlsafe(24))
    return find(cookie)


def find(cookie: MutableMapping[str, Any]) -> Principal | None:
    """The principal of a sign-in that is neither over nor revoked; else None.

    One query. The user and the tenant are active, or there is no principal.
    """
    tenant_id, secret = cookie.get("tenant"), cookie.get("secret")
    if not isinstance(tenant_id, int) or not isinstance(secret, str):
        return None
    name_tenant(session(), tenant_id)
    row = session().execute(_standing(tenant_id, [hash_secret(secret)])).one_or_none()
    if row is None:
        name_tenant(session(), None)
        return None
    user, sites, _ = row
    return _principal(user, sites)


def standing(tenant_id: int, hashes: Collection[bytes | None]) -> dict[bytes | None, Principal]:
    """Of the sign-ins with these hashes, by them, the principals :func:`find` would find.

    One query, for the current tenant.
    """
    rows = session().execute(_standing(tenant_id, hashes))
    return {secret_hash: _principal(user, sites) for user, sites, secret_hash in rows}


def _standing(tenant_id: int, hashes: Collection[bytes | None]) -> Select[Any]:
    return (
        select(User, _SITES, UserSession.secret_hash)
        .join(Tenant, Tenant.id == User.tenant_id)
        .join(
            UserSession,
            (UserSession.tenant_id == User.tenant_id) & (UserSession.user_id == User.id),
        )
        .where(
            UserSession.tenant_id == tenant_id,
            UserSession.secret_hash.in_(hashes),
            UserSession.expires_at > utcnow(),
            UserSession.revoked_at.is_(None),
            User.active,
            Tenant.active,
        )
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
                UserSession.secret_hash == hash_secret(secret),
                UserSession.revoked_at.is_(None),
            )
            .values(revoked_at=utcnow())
        )
        access_changed.send("identity", tenant_id=tenant_id)
        session().commit()


def end_all(tenant_id: int, user_id: int, now: dt.datetime) -> None:
    """End every sign-in of the user, wherever it is open."""
    session().execute(
        update(UserSession)
        .where(
            UserSession.tenant_id == tenant_id,
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    access_changed.send("identity", tenant_id=tenant_id)


def _principal(user: User, sites: Any) -> Principal:
    return Principal(
        tenant_id=user.tenant_id,
        name=user.name,
        capabilities=ROLES[user.role],
        user_id=user.id,
        site_ids=frozenset(sites or ()) or None,
    )


def _find_login(email: str) -> Any:
    try:
        address = email_address(email)
    except ValueError:
        return None
    return session().execute(_FIND_LOGIN, {"email": address}).one_or_none()


def _forget_ended(tenant_id: int, user_id: int, now: dt.datetime) -> None:
    session().execute(
        delete(UserSession).where(
            UserSession.tenant_id == tenant_id,
            UserSession.user_id == user_id,
            UserSession.expires_at < now - _KEPT,
        )
    )


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret of 128 bits or more: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()
