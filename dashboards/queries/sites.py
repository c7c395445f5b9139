"""Sites as the page Administration shows them: the list, one of them, who is on duty there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from dashboards.queries.paging import behind
from noc.extensions import session
from noc.identity.models import User
from noc.identity.principal import required_principal
from noc.workforce.models import Absence, Person, Shift, Site
from noc.workforce.sites import named

MOST_SHIFTS = 40
"""Of one person in one week; more would not be read."""


def sites(text: str, active: bool | None, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Sites that are seen, by name, those in use first, behind the one whose id is ``after``.

    ``text`` is a part of the name or code. Each with who is in charge and how many guards. One
    query.
    """
    query = _sites().where(*_wanted(text, active))
    query = behind(query, Site, _place_of_site, after)
    return [dict(row) for row in session().execute(query.limit(limit)).mappings()]


def sites_counted(text: str, active: bool | None) -> tuple[int, int]:
    """How many sites match, and how many are seen. One query."""
    query = select(
        func.count().filter(*_wanted(text, active)), func.count()
    ).select_from(Site).where(*_seen())  # fmt: skip
    matching, every = session().execute(query).one()
    return matching, every


def site(site_id: int) -> dict[str, Any] | None:
    """One of them; None if it is not to be seen."""
    found = session().execute(_sites().where(Site.id == site_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def names(site_ids: Collection[int]) -> dict[str, dict[str, str]]:
    """The names of those of these sites that are seen, by id as text. One query, if any."""
    if not site_ids:
        return {}
    query = select(Site.id, Site.name).where(*_seen(), Site.id.in_(site_ids))
    return {str(row.id): {"name": row.name} for row in session().execute(query)}


def _wanted(text: str, active: bool | None) -> list[ColumnElement[bool]]:
    in_use = [] if active is None else [Site.active.is_(active)]
    return [named(text), *in_use]


def _seen() -> list[ColumnElement[bool]]:
    principal = required_principal()
    limited = [] if principal.site_ids is None else [Site.id.in_(principal.site_ids)]
    return [Site.tenant_id == principal.tenant_id, *limited]


def _place_of_site(site: Any) -> tuple[Any, ...]:
    return ~site.active, func.lower(site.name), site.id


def _sites() -> Select[Any]:
    guards = (
        select(func.count())
        .select_from(Person)
        .where(Person.tenant_id == Site.tenant_id, Person.home_site_id == Site.id, Person.active)
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
    return query.where(*_seen())


def in_charge() -> list[tuple[str, str]]:
    """Who may be put in charge: every active user, by name. One query."""
    rows = session().execute(
        select(User.id, User.name)
        .where(User.tenant_id == required_principal().tenant_id, User.active)
        .order_by(func.lower(User.name))
    )
    return [(str(row.id), row.name) for row in rows]


# -- who is on duty ------------------------------------------------------------------------------

Week = tuple[int, dt.datetime, dt.datetime]
"""A site, and a time from when to when."""


def on_duty(week: Week, text: str, after: int | None, limit: int) -> list[dict[str, Any]]:
    """Who has a shift there then, by name, behind the person whose id is ``after``.

    ``text`` is a part of their name or code. Each with their ``shifts``: when, in whose place, and
    as ``leave`` the kind of approved leave that falls into it. Two queries.
    """
    people = behind(_people(week).where(_called(text)), Person, _place_of_person, after)
    found = session().execute(people.limit(limit)).all()
    shifts: dict[int, list[dict[str, Any]]] = {row.id: [] for row in found}
    for shift in session().execute(_shifts(week, list(shifts), limit)).mappings():
        shifts[shift["person_id"]].append(dict(shift))
    return [{"id": row.id, "name": row.name, "shifts": shifts[row.id]} for row in found]


def on_duty_counted(week: Week, text: str) -> tuple[int, int]:
    """How many of those match, and how many there are. One query."""
    people = _people(week).add_columns(_called(text).label("matches")).subquery()
    query = select(func.count().filter(people.c.matches), func.count()).select_from(people)
    matching, every = session().execute(query).one()
    return matching, every


def _called(text: str) -> ColumnElement[bool]:
    by_name = Person.name.icontains(text, autoescape=True)
    return by_name | Person.code.icontains(text, autoescape=True)


def _place_of_person(person: Any) -> tuple[Any, ...]:
    return func.lower(person.name), person.id


def _there(week: Week) -> list[ColumnElement[bool]]:
    site_id, start, end = week
    return [
        Shift.tenant_id == required_principal().tenant_id,
        Shift.site_id == site_id,
        Shift.starts_at < end,
        Shift.ends_at > start,
    ]


def _people(week: Week) -> Select[Any]:
    """Who works a shift: whoever it was swapped with, else whose it is."""
    works = func.coalesce(Shift.swapped_with_id, Shift.person_id)
    columns: tuple[Any, ...] = (Person.id, Person.name)
    return select(*columns).where(
        Person.tenant_id == required_principal().tenant_id,
        Person.id.in_(select(works).where(*_there(week))),
    )


def _shifts(week: Week, people: list[int], limit: int) -> Select[Any]:
    planned = aliased(Person, name="planned")
    works = func.coalesce(Shift.swapped_with_id, Shift.person_id)
    away = (
        select(func.min(Absence.kind))
        .where(
            Absence.tenant_id == Shift.tenant_id,
            Absence.person_id == works,
            Absence.approved,
            Absence.starts_at < Shift.ends_at,
            Absence.ends_at > Shift.starts_at,
        )
        .scalar_subquery()
    )
    return (
        select(
            Shift.id, Shift.starts_at, Shift.ends_at, works.label("person_id"),
            planned.name.label("planned_name"), Shift.swapped_with_id, away.label("leave"),
        )
        .join(
            planned, (planned.tenant_id == Shift.tenant_id) & (planned.id == Shift.person_id)
        )
        .where(*_there(week), works.in_(people))
        .order_by(Shift.starts_at, Shift.id)
        .limit(limit * MOST_SHIFTS)
    )  # fmt: skip
