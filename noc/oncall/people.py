"""Who can be on call: an active user who may act on alerts, and sees the site of this one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from sqlalchemy import and_, func, select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.capabilities import OPERATE, ROLES
from noc.identity.models import User, UserSite
from noc.identity.words import BadField

ANYWHERE: Literal["anywhere"] = "anywhere"
"""In place of a site: whoever can be on call somewhere."""

ROLES_ON_CALL = tuple(role for role, held in ROLES.items() if OPERATE in held)


def able(
    user_ids: Collection[int], *, site: int | Literal["anywhere"] | None = ANYWHERE
) -> dict[int, str]:
    """Names of those users who can be on call for the site, by id. One query, none for nobody.

    ``site`` None: for what is of no site, which those who are limited to some do not see.
    """
    if not user_ids:
        return {}
    query = (
        select(User.id, User.name)
        .outerjoin(
            UserSite, and_(UserSite.tenant_id == User.tenant_id, UserSite.user_id == User.id)
        )
        .where(
            User.tenant_id == required_tenant(),
            User.id.in_(user_ids),
            User.active,
            User.role.in_(ROLES_ON_CALL),
        )
        .group_by(User.id, User.name)
        .order_by(User.id)
    )
    if site != ANYWHERE:
        sees = func.count(UserSite.site_id) == 0
        if site is not None:
            sees |= func.bool_or(UserSite.site_id == site)
        query = query.having(sees)
    return {row.id: row.name for row in session().execute(query)}


def names(user_ids: Collection[int]) -> dict[int, str]:
    """Names by id, also of who is disabled."""
    if not user_ids:
        return {}
    rows = session().execute(
        select(User.id, User.name).where(User.tenant_id == required_tenant(), User.id.in_(user_ids))
    )
    return {row.id: row.name for row in rows}


def must_be_able(user_ids: Collection[int], field: str) -> None:
    """BadField for the first user who cannot be on call anywhere."""
    missing = sorted(set(user_ids).difference(able(user_ids)))
    if missing:
        raise BadField(field, f"user {missing[0]} is not an active user who may act on alerts")
