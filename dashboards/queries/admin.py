"""What the page Administration lists: users, tokens, overrides of settings, sites, shifts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import aliased

from noc.extensions import session
from noc.identity.models import ApiToken, TenantSetting, User, UserSite
from noc.identity.principal import required_principal
from noc.identity.tokens import named as named_token
from noc.identity.users import named as named_user
from noc.workforce.models import Absence, Person, Shift, Site

MOST_SHIFTS = 2000
"""Of one site in one week; more would not be read."""


def users(text: str, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Users by name, those who may sign in first, behind the one whose id is ``after``.

    ``text`` is a part of the name or address; ``site_ids`` is None for all. One query.
    """
    query = _page(_users().where(named_user(text)), User, _place_of_user, after)
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
    query = _page(_tokens().where(named_token(text)), ApiToken, _place_of_token, after)
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


def _page(
    query: Select[Any], model: Any, place: Callable[[Any], tuple[Any, ...]], after: int | None
) -> Select[Any]:
    """``query`` in the order of ``place``, from behind the row whose id is ``after``."""
    if after is not None:
        last = aliased(model, name="last")
        query = query.join(last, (last.tenant_id == model.tenant_id) & (last.id == after))
        query = query.where(tuple_(*place(model)) > tuple_(*place(last)))
    return query.order_by(*place(model))


def overrides() -> list[dict[str, Any]]:
    """Settings that the company or one of its sites has of its own. One query."""
    query = select(
        TenantSetting.name, TenantSetting.site_id, TenantSetting.value, TenantSetting.updated_at
    ).where(TenantSetting.tenant_id == required_principal().tenant_id)
    return [dict(row) for row in session().execute(query).mappings()]


def tenant() -> int:
    """Whose page it is."""
    return required_principal().tenant_id


def sites() -> list[dict[str, Any]]:
    """Every site that is seen, by name, with who is in charge and how many guards. One query."""
    query = _sites().order_by(Site.active.desc(), func.lower(Site.name), Site.id)
    return [dict(row) for row in session().execute(query).mappings()]


def site(site_id: int) -> dict[str, Any] | None:
    """One of them; None if it is not to be seen."""
    found = session().execute(_sites().where(Site.id == site_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def _sites() -> Select[Any]:
    principal = required_principal()
    guards = (
        select(func.count())
        .select_from(Person)
        .where(
            Person.tenant_id == principal.tenant_id, Person.home_site_id == Site.id, Person.active
        )
        .scalar_subquery()
    )
    names = ("security_manager", "site_manager", "noc_supervisor")
    users = {name: aliased(User, name=name) for name in names}
    query = select(
        Site.id, Site.code, Site.name, Site.timezone, Site.lat, Site.lon, Site.geofence_radius,
        Site.geofence_polygon, Site.active, Site.security_manager_id, Site.site_manager_id,
        Site.noc_supervisor_id, guards.label("guards"),
        *(user.name.label(f"{name}_name") for name, user in users.items()),
    )  # fmt: skip
    for name, user in users.items():
        theirs = user.id == getattr(Site, f"{name}_id")
        query = query.outerjoin(user, (user.tenant_id == Site.tenant_id) & theirs)
    query = query.where(Site.tenant_id == principal.tenant_id)
    return query if principal.site_ids is None else query.where(Site.id.in_(principal.site_ids))


def in_charge() -> list[tuple[str, str]]:
    """Who may be put in charge: every active user, by name. One query."""
    rows = session().execute(
        select(User.id, User.name)
        .where(User.tenant_id == required_principal().tenant_id, User.active)
        .order_by(func.lower(User.name))
    )
    return [(str(row.id), row.name) for row in rows]


def shifts(site_id: int, start: dt.datetime, end: dt.datetime) -> list[dict[str, Any]]:
    """The shifts at a site that touch the time from ``start`` to ``end``, and whose they are.

    ``leave``: the approved leave that falls into it, as its kind. One query.
    """
    worker, planned = aliased(Person, name="worker"), aliased(Person, name="planned")
    away = (
        select(func.min(Absence.kind))
        .where(
            Absence.tenant_id == Shift.tenant_id,
            Absence.person_id == worker.id,
            Absence.approved,
            Absence.starts_at < Shift.ends_at,
            Absence.ends_at > Shift.starts_at,
        )
        .scalar_subquery()
    )
    query = (
        select(
            Shift.id, Shift.starts_at, Shift.ends_at, worker.id.label("person_id"),
            worker.name.label("person_name"), planned.name.label("planned_name"),
            Shift.swapped_with_id, away.label("leave"),
        )
        .join(
            worker,
            (worker.tenant_id == Shift.tenant_id)
            & (worker.id == func.coalesce(Shift.swapped_with_id, Shift.person_id)),
        )
        .join(
            planned, (planned.tenant_id == Shift.tenant_id) & (planned.id == Shift.person_id)
        )
        .where(
            Shift.tenant_id == required_principal().tenant_id,
            Shift.site_id == site_id,
            Shift.starts_at < end,
            Shift.ends_at > start,
        )
        .order_by(func.lower(worker.name), worker.id, Shift.starts_at)
        .limit(MOST_SHIFTS)
    )  # fmt: skip
    return [dict(row) for row in session().execute(query).mappings()]
