"""What the page Administration lists: users, tokens, overrides of settings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, func, select

from dashboards.queries.paging import behind
from noc.extensions import session
from noc.identity.models import ApiToken, TenantSetting, User, UserSite
from noc.identity.principal import required_principal
from noc.identity.tokens import named as named_token
from noc.identity.users import named as named_user


def users(text: str, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Users by name, those who may sign in first, behind the one whose id is ``after``.

    ``text`` is a part of the name or address; ``site_ids`` is None for all. One query.
    """
    query = behind(_users().where(named_user(text)), User, _place_of_user, after)
    return [dict(row) for row in session().execute(query.limit(limit)).mappings()]


def users_counted(text: str) -> tuple[int, int]:
    """How many users match, and how many there are. One query."""
    query = select(func.count().filter(named_user(text)), func.count()).select_from(User)
    query = query.where(User.tenant_id == required_principal().tenant_id)
    matching, every = session().execute(query).one()
    return matching, every


def user(user_id: int) -> dict[str, Any] | None:
    """One of them; None if there is none."""
    found = session().execute(_users().where(User.id == user_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def tokens_made_by(user_id: int) -> int:
    """How many tokens that a user made still work: they outlive the user. One query."""
    return (
        session().scalar(
            select(func.count())
            .select_from(ApiToken)
            .where(
                ApiToken.tenant_id == required_principal().tenant_id,
                ApiToken.created_by == user_id,
                ApiToken.revoked_at.is_(None),
                ApiToken.expires_at.is_(None) | (ApiToken.expires_at > func.now()),
            )
        )
        or 0
    )


def _users() -> Select[Any]:
    tenant_id = required_principal().tenant_id
    limits = (
        select(func.array_agg(UserSite.site_id))
        .where(UserSite.tenant_id == tenant_id, UserSite.user_id == User.id)
        .scalar_subquery()
    )
    return select(
        User.id, User.email, User.name, User.role, User.active, User.last_login_at,
        limits.label("site_ids"),
    ).where(User.tenant_id == tenant_id)  # fmt: skip


def tokens(text: str, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Tokens, the newest first but revoked ones last, behind the one whose id is ``after``.

    ``text`` is a part of the name, or the first characters. One query.
    """
    query = behind(_tokens().where(named_token(text)), ApiToken, _place_of_token, after)
    return [dict(row) for row in session().execute(query.limit(limit)).mappings()]


def tokens_counted(text: str, now: dt.datetime) -> tuple[int, int, int]:
    """How many tokens match, how many there are, and how many of those work. One query."""
    query = select(
        func.count().filter(named_token(text)),
        func.count(),
        func.count().filter(
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at.is_(None) | (ApiToken.expires_at > now),
        ),
    ).select_from(ApiToken)
    query = query.where(ApiToken.tenant_id == required_principal().tenant_id)
    matching, every, working = session().execute(query).one()
    return matching, every, working


def token(token_id: int) -> dict[str, Any] | None:
    """One of them; None if there is none."""
    found = session().execute(_tokens().where(ApiToken.id == token_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def _tokens() -> Select[Any]:
    names = (
        "id", "name", "prefix", "capabilities", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    columns: list[Any] = [getattr(ApiToken, name) for name in names]
    return (
        select(*columns, User.name.label("created_by_name"))
        .outerjoin(User, (User.tenant_id == ApiToken.tenant_id) & (User.id == ApiToken.created_by))
        .where(ApiToken.tenant_id == required_principal().tenant_id)
    )


def _place_of_user(user: Any) -> tuple[Any, ...]:
    return ~user.active, func.lower(user.name), user.id


def _place_of_token(token: Any) -> tuple[Any, ...]:
    return token.revoked_at.is_not(None), -token.id


def overrides() -> list[dict[str, Any]]:
    """Settings that the company or one of its sites has of its own. One query."""
    query = select(
        TenantSetting.name, TenantSetting.site_id, TenantSetting.value, TenantSetting.updated_at
    ).where(TenantSetting.tenant_id == required_principal().tenant_id)
    return [dict(row) for row in session().execute(query).mappings()]


def tenant() -> int:
    """Whose page it is."""
    return required_principal().tenant_id
