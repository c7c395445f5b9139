"""One-time sign-in links: for whoever has the command line, instead of a password."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import MutableMapping
from typing import Any, cast

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.dialects.postgresql import insert

from noc.database.base import utcnow
from noc.database.tenancy import name_tenant
from noc.extensions import session
from noc.identity import sessions
from noc.identity.models import User, UserSession
from noc.identity.principal import Principal
from noc.identity.trail import Target, record

VALID = dt.timedelta(minutes=15)
"""How long a link may lie about."""


def one_time_link(user: User, *, now: dt.datetime | None = None) -> str:
    """The path of a link that signs ``user`` in, once, within 15 minutes."""
    record("user.link_made", Target("user", user.id, user.name), now=now)
    return f"/login?link={_serializer().dumps([user.tenant_id, user.id, secrets.token_hex(8)])}"


def redeem(cookie: MutableMapping[str, Any], link: str) -> Principal | None:
    """Sign in by a link; None for one that is forged, too old, or was used. Commits."""
    try:
        tenant_id, user_id, nonce = _serializer().loads(link, max_age=int(VALID.total_seconds()))
    except BadData:
        return None
    name_tenant(session(), tenant_id)
    user = session().get(User, (tenant_id, user_id))
    if user is None or not user.active or not _first_use(user, nonce):
        name_tenant(session(), None)
        return None
    return sessions.begin(cookie, tenant_id, user_id)


def _first_use(user: User, nonce: str) -> bool:
    """Note the link as a sign-in that is over already: its key lets one of two users through."""
    now = utcnow()
    noted = session().execute(
        insert(UserSession)
        .values(
            tenant_id=user.tenant_id,
            user_id=user.id,
            secret_hash=sessions.hash_secret(f"link:{nonce}"),
            expires_at=now,
            revoked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(UserSession.user_id)
    )
    return noted.scalar() is not None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(cast(str, current_app.secret_key), salt="noc sign-in link")
