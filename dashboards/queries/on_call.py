"""On call: whose turn it is, where escalations stand, and what schedules and policies say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from dashboards.queries.reader import seen_sites
from noc.alerts.models import AlertChange
from noc.extensions import session
from noc.identity.models import User
from noc.identity.principal import required_principal
from noc.notifications.models import NotificationRoute
from noc.oncall import people, queries
from noc.oncall.models import EscalationPolicy, OnCallOverride, OnCallSchedule
from noc.oncall.schemas import EscalationQuery
from noc.oncall.timelines import Timeline, timelines
from noc.rest.keyset import Key
from noc.workforce.models import Site

LISTED = 50
"""Escalations on a page of them."""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of users, schedules, routes and sites are called; of what is gone, nothing."""

    users: dict[int, str] = field(default_factory=dict)
    schedules: dict[int, str] = field(default_factory=dict)
    routes: dict[int, str] = field(default_factory=dict)
    sites: dict[int, str] = field(default_factory=dict)


def lines(now: dt.datetime, days: int) -> list[Timeline]:
    """Who is on call today and after, by each schedule. Three queries."""
    return timelines(now, days)


def escalations(
    state: str | None, after: Key | None = None
) -> tuple[list[dict[str, Any]], Key | None]:
    """Escalations of the sites the reader sees, the latest begun first, and where older ones begin.

    Without a state the first page has what is on its way, however long ago it began, and then the
    latest that ended; older pages have all by their beginning. Each has the ``policy`` it goes
    through (None: deleted) and whom its latest step ``told``. At most seven queries.
    """
    asked = EscalationQuery.model_validate({"state": state})
    page = queries.list_escalations(asked, site_ids=seen_sites(), limit=LISTED, after=after)
    found = list(page.items)
    if state is None and after is None:
        under_way = EscalationQuery.model_validate({"state": "active"})
        first = queries.list_escalations(under_way, site_ids=seen_sites(), limit=LISTED, after=None)
        found = [*first.items, *(run for run in found if run["state"] != "active")]
    known = {one.id: one for one in _policies({run["policy_id"] for run in found})}
    told = _told([run["alert_id"] for run in found])
    for run in found:
        run["policy"] = known.get(run["policy_id"])
        step = told.get(run["alert_id"])
        # What was told before this escalation began belongs to an earlier one.
        run["told"] = step[1] if step and step[0] >= run["begun_at"] else []
    return found, page.after


def names_for(policies: Iterable[EscalationPolicy]) -> Names:
    """The names of all that the policies speak of. At most four queries."""
    policies = list(policies)
    steps = [step for policy in policies for step in policy.steps]
    tenant_id = required_principal().tenant_id

    def named(table: Any, wanted: set[int]) -> dict[int, str]:
        if not wanted:
            return {}
        rows = session().execute(
            select(table.id, table.name).where(table.tenant_id == tenant_id, table.id.in_(wanted))
        )
        return {row.id: row.name for row in rows}

    return Names(
        people.names({key for step in steps for key in step["users"]}),
        named(OnCallSchedule, {key for step in steps for key in step["schedules"]}),
        named(NotificationRoute, {key for step in steps for key in step["routes"]}),
        named(Site, {key for policy in policies for key in policy.site_ids}),
    )


def policies() -> list[EscalationPolicy]:
    """All policies, in the order in which they are tried. One query."""
    return list(
        session().scalars(
            select(EscalationPolicy)
            .where(EscalationPolicy.tenant_id == required_principal().tenant_id)
            .order_by(EscalationPolicy.position, EscalationPolicy.id)
        )
    )


def schedules() -> list[OnCallSchedule]:
    """All schedules by name. One query."""
    return list(
        session().scalars(
            select(OnCallSchedule)
            .where(OnCallSchedule.tenant_id == required_principal().tenant_id)
            .order_by(OnCallSchedule.name, OnCallSchedule.id)
        )
    )


def overrides_of(schedule_id: int, now: dt.datetime) -> int:
    """How many overrides of the schedule are not over."""
    found = queries.find_schedule(schedule_id, now=now)
    return len(found["overrides"]) if found else 0


def own_override(schedule_id: int, now: dt.datetime) -> OnCallOverride | None:
    """The override by which the reader is on call now; the later made of several."""
    principal = required_principal()
    return session().scalar(
        select(OnCallOverride)
        .where(
            OnCallOverride.tenant_id == principal.tenant_id,
            OnCallOverride.schedule_id == schedule_id,
            OnCallOverride.user_id == principal.user_id,
            OnCallOverride.starts_at <= now,
            OnCallOverride.ends_at > now,
        )
        .order_by(OnCallOverride.id.desc())
        .limit(1)
    )


def choices() -> Names:
    """Who and what a form can name: people who can be on call, routes that are nobody's own.

    Four queries.
    """
    tenant_id = required_principal().tenant_id

    def named(table: Any, *conditions: Any) -> dict[int, str]:
        query = select(table.id, table.name).where(table.tenant_id == tenant_id, *conditions)
        return {row.id: row.name for row in session().execute(query.order_by(table.name))}

    return Names(
        named(User, User.active, User.role.in_(people.ROLES_ON_CALL)),
        named(OnCallSchedule),
        named(NotificationRoute, NotificationRoute.user_id.is_(None)),
        named(Site),
    )


def _policies(wanted: Collection[int | None]) -> list[EscalationPolicy]:
    keys = [key for key in wanted if key is not None]
    if not keys:
        return []
    return list(
        session().scalars(
            select(EscalationPolicy).where(
                EscalationPolicy.tenant_id == required_principal().tenant_id,
                EscalationPolicy.id.in_(keys),
            )
        )
    )


def _told(alert_ids: list[int]) -> dict[int, tuple[dt.datetime, list[str]]]:
    """When each alert's latest step was taken, and whom it told, as its history has it."""
    if not alert_ids:
        return {}
    rows = session().execute(
        select(AlertChange.alert_id, AlertChange.at, AlertChange.detail)
        .where(
            AlertChange.tenant_id == required_principal().tenant_id,
            AlertChange.alert_id.in_(alert_ids),
            AlertChange.action == "escalated",
        )
        .ext(distinct_on(AlertChange.alert_id))
        .order_by(AlertChange.alert_id, AlertChange.id.desc())
    )
    return {row.alert_id: (row.at, (row.detail or {}).get("told", [])) for row in rows}
