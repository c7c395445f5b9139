"""Which people and sites that others speak of exist, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import literal, select, union_all

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.workforce.models import Person, Site


@dataclass(frozen=True, slots=True)
class References:
    """Names by id of those that exist in the tenant."""

    people: dict[int, str]
    sites: dict[int, str]


def look_up(
    person_ids: Iterable[int | None],
    site_ids: Iterable[int | None],
    *,
    seen_from: frozenset[int] | None = None,
) -> References:
    """Those of the ids that the current tenant has, with their names. One query, or none.

    ``seen_from``: the sites that whoever asks is limited to, None for all. Of others, and of the
    people at home there, nothing is told, not even that they exist.
    """
    people = sorted({key for key in person_ids if key is not None})
    sites = sorted({key for key in site_ids if key is not None})
    if not people and not sites:
        return References({}, {})
    tenant_id = required_tenant()
    of_people = select(literal("person").label("kind"), Person.id, Person.name).where(
        Person.tenant_id == tenant_id, Person.id.in_(people)
    )
    of_sites = select(literal("site"), Site.id, Site.name).where(
        Site.tenant_id == tenant_id, Site.id.in_(sites)
    )
    if seen_from is not None:
        of_people = of_people.where(Person.home_site_id.in_(seen_from))
        of_sites = of_sites.where(Site.id.in_(seen_from))
    rows = session().execute(union_all(of_people, of_sites))
    found: dict[str, dict[int, str]] = {"person": {}, "site": {}}
    for kind, key, name in rows:
        found[kind][key] = name
    return References(found["person"], found["site"])
