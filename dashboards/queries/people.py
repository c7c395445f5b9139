"""People: found by name or code, and one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from dashboards.queries.reader import seen_sites
from noc.attendance.models import AttendanceEvent
from noc.extensions import session
from noc.identity.principal import required_principal
from noc.workforce.models import Person, Site


def find_people(text: str, *, limit: int, site_id: int | None = None) -> list[dict[str, Any]]:
    """People whose name or code contains ``text`` (any case), by name; with their home site."""
    query = (
        select(
            Person.id,
            Person.name,
            Person.code,
            Person.kind,
            Person.active,
            Person.home_site_id,
            Site.name.label("site_name"),
        )
        .outerjoin(Site, (Site.tenant_id == Person.tenant_id) & (Site.id == Person.home_site_id))
        .where(Person.tenant_id == required_principal().tenant_id)
        .order_by(Person.active.desc(), Person.name, Person.id)
        .limit(limit)
    )
    if wanted := text.strip():
        query = query.where(
            or_(
                Person.name.icontains(wanted, autoescape=True),
                Person.code.icontains(wanted, autoescape=True),
            )
        )
    limited = seen_sites()
    if limited is not None:
        query = query.where(Person.home_site_id.in_(limited))
    if site_id is not None:
        query = query.where(Person.home_site_id == site_id)
    return [dict(row) for row in session().execute(query).mappings()]


def person(person_id: int) -> dict[str, Any] | None:
    """Name, code and home site of a person; None where they are not to be seen.

    Seen is who is at home at a seen site, or has punched at one.
    """
    principal = required_principal()
    query = (
        select(
            Person.id,
            Person.name,
            Person.code,
            Person.kind,
            Person.active,
            Person.home_site_id,
            Site.name.label("site_name"),
            Site.timezone,
        )
        .outerjoin(Site, (Site.tenant_id == Person.tenant_id) & (Site.id == Person.home_site_id))
        .where(Person.tenant_id == principal.tenant_id, Person.id == person_id)
    )
    if principal.site_ids is not None:
        here = select(AttendanceEvent.id).where(
            AttendanceEvent.tenant_id == principal.tenant_id,
            AttendanceEvent.person_id == person_id,
            AttendanceEvent.site_id.in_(principal.site_ids),
        )
        query = query.where(Person.home_site_id.in_(principal.site_ids) | here.exists())
    found = session().execute(query).mappings().one_or_none()
    return dict(found) if found else None
