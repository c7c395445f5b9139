"""Who is in charge of a site: to whom its tickets go, and who is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select

from noc.extensions import session
from noc.identity import trail
from noc.identity.models import User
from noc.identity.trail import Target
from noc.rest.problems import Problem, not_found
from noc.workforce.models import Site

NAMES = ("security_manager_id", "site_manager_id", "noc_supervisor_id")


def change(
    site_id: int, chosen: Mapping[str, int | None], *, tenant_id: int, now: dt.datetime
) -> Site:
    """Put these users in charge of the site; None: nobody. 404; 422 names who cannot be.

    The caller commits.
    """
    site = session().get(Site, (tenant_id, site_id), with_for_update={"key_share": True})
    if site is None:
        raise not_found("site")
    wanted = {name: chosen[name] for name in NAMES if name in chosen}
    before = {name: getattr(site, name) for name in wanted}
    ids = {value for value in (*wanted.values(), *before.values()) if value is not None}
    found = session().execute(
        select(User.id, User.name, User.active).where(User.tenant_id == tenant_id, User.id.in_(ids))
    )
    users = {row.id: row for row in found}
    errors = [
        {"field": name, "reason": "is not an active user of this tenant"}
        for name, value in wanted.items()
        if value is not None
        and value != before[name]
        and (value not in users or not users[value].active)
    ]
    if errors:
        raise Problem(422, "The site was not accepted.", errors=errors)

    def named(values: Mapping[str, int | None]) -> dict[str, str | None]:
        return {
            name.removesuffix("_id"): users[value].name if value in users else None
            for name, value in values.items()
        }

    changed = trail.changes(named(before), named(wanted))
    for name, value in wanted.items():
        setattr(site, name, value)
    session().flush()
    if changed:
        trail.record("site.contacts_changed", Target("site", site.id, site.name), changed, now=now)
    return site
