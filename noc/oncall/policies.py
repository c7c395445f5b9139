"""Escalation policies: made, changed, deleted, and what one would do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from noc.database.tenancy import required_tenant
from noc.domain import severity_rank
from noc.extensions import session
from noc.identity.existence import must_have_sites
from noc.identity.words import BadField
from noc.notifications.addressed import named_routes
from noc.notifications.models import NotificationRoute
from noc.oncall import duty
from noc.oncall.course import Course, Step, course_of
from noc.oncall.models import AlertEscalation, EscalationPolicy, OnCallSchedule
from noc.oncall.people import must_be_able
from noc.oncall.schemas import PolicyIn, StepIn, TrialQuery
from noc.rest.problems import not_found


def create(body: PolicyIn, *, now: dt.datetime) -> EscalationPolicy:
    """A new policy. It takes alerts that open from now on.

    BadField, naming the field down to the step, for what it cannot be.
    """
    policy = EscalationPolicy(
        tenant_id=required_tenant(), created_at=now, updated_at=now, **_values(body)
    )
    session().add(policy)
    _flush()
    return policy


def change(policy_id: int, body: PolicyIn, *, now: dt.datetime) -> EscalationPolicy:
    """Have it be as ``body`` says, also for what goes through it. 404; BadField."""
    policy = locked(policy_id)
    for name, value in _values(body).items():
        setattr(policy, name, value)
    policy.updated_at = now
    _flush()
    return policy


def remove(policy_id: int, *, now: dt.datetime) -> None:
    """Delete the policy; what goes through it ends. 404."""
    policy = locked(policy_id, deleting=True)
    session().execute(
        update(AlertEscalation)
        .where(
            AlertEscalation.tenant_id == required_tenant(),
            AlertEscalation.policy_id == policy_id,
            AlertEscalation.state == "active",
        )
        .values(state="ended", reason="policy_removed", ended_at=now, next_at=None)
        .execution_options(synchronize_session=False)
    )
    session().delete(policy)
    session().flush()


def locked(policy_id: int, *, deleting: bool = False) -> EscalationPolicy:
    """The policy, until the transaction ends nobody else's to change; 404 where there is none.

    Alerts that open go by it meanwhile, unless it is to be deleted.
    """
    policy = session().get(
        EscalationPolicy,
        (required_tenant(), policy_id),
        with_for_update={"key_share": not deleting},
        populate_existing=True,
    )
    if policy is None:
        raise not_found("escalation policy")
    return policy


def takes(policy: EscalationPolicy, asked: TrialQuery) -> bool:
    """Whether the policy is about such an alert; ``beginning`` asks the same in SQL."""
    return bool(
        policy.active
        and severity_rank(asked.severity) >= _rank(policy.min_severity)
        and (not policy.site_ids or asked.site_id in policy.site_ids)
        and (not policy.alert_types or asked.alert_type in policy.alert_types)
    )


def trial(policy_id: int, asked: TrialQuery, *, now: dt.datetime) -> dict[str, Any]:
    """Who would be told when, if such an alert opened now and nobody answered. 404.

    ``taken_by``: the policy that would take the alert, which may be another or none. Whoever is
    on call then is told by the schedules as they are now.
    """
    if asked.site_id is not None:
        must_have_sites(required_tenant(), [asked.site_id], "site_id")
    policies = (
        session()
        .scalars(
            select(EscalationPolicy)
            .where(EscalationPolicy.tenant_id == required_tenant())
            .order_by(EscalationPolicy.position, EscalationPolicy.id)
        )
        .all()
    )
    policy = next((one for one in policies if one.id == policy_id), None)
    if policy is None:
        raise not_found("escalation policy")
    taker = next((one for one in policies if takes(one, asked)), None)
    course = course_of(policy.steps, policy.repeats)
    told = _Told(course, asked.site_id, now)
    return {
        "taken": takes(policy, asked),
        "taken_by": None if taker is None else {"id": taker.id, "name": taker.name},
        "steps": [
            {"round": turn, "step": number, "at": at, **told.by(course.steps[number - 1], at)}
            for turn, number, at in course.moments(now)
        ],
        "exhausted_at": course.exhausted_at(now),
    }


class _Told:
    """Whom steps tell about something of a site; asked for once."""

    def __init__(self, course: Course, site_id: int | None, now: dt.datetime) -> None:
        self._desk = duty.desk(
            [key for step in course.steps for key in step.users],
            [key for step in course.steps for key in step.schedules],
            site=site_id,
            now=now,
        )
        named = [key for step in course.steps for key in step.routes]
        self._routes = named_routes(named, site_id=site_id)

    def by(self, step: Step, at: dt.datetime) -> dict[str, Any]:
        called = self._desk.called(step.users, step.schedules, at)
        lost = [f"route {key}" for key in step.routes if key not in self._routes]
        return {
            "users": [{"id": key, "name": name} for key, name in called.users.items()],
            "routes": [
                {"id": key, "name": self._routes[key]} for key in step.routes if key in self._routes
            ],
            "missing": called.missing + lost,
        }


def _rank(severity: Any) -> int:
    return severity_rank(severity)


def _values(body: PolicyIn) -> dict[str, Any]:
    must_have_sites(required_tenant(), body.site_ids, "site_ids")
    for number, step in enumerate(body.steps):
        _check(number, step)
    return {
        "name": body.name,
        "position": body.position,
        "min_severity": body.min_severity,
        "site_ids": sorted(set(body.site_ids)),
        "alert_types": sorted(set(body.alert_types)),
        "active": body.active,
        "steps": [_stored(step) for step in body.steps],
        "repeats": body.repeats,
    }


def _check(number: int, step: StepIn) -> None:
    field = f"steps.{number}"
    if number and step.after_minutes == 0:
        raise BadField(f"{field}.after_minutes", "must be at least 1 after the first step")
    if not (step.users or step.schedules or step.routes):
        raise BadField(field, "names nobody: users, schedules or routes")
    must_be_able(step.users, f"{field}.users")
    # Kept while this transaction lasts: a deletion sees the policy, or the policy sees it gone.
    schedules = session().scalars(
        select(OnCallSchedule.id)
        .where(OnCallSchedule.tenant_id == required_tenant(), OnCallSchedule.id.in_(step.schedules))
        .order_by(OnCallSchedule.id)
        .with_for_update(read=True, key_share=True)
    )
    _all_there(step.schedules, set(schedules), f"{field}.schedules", "schedule")
    routes = session().scalars(
        select(NotificationRoute.id).where(
            NotificationRoute.tenant_id == required_tenant(),
            NotificationRoute.id.in_(step.routes),
            NotificationRoute.user_id.is_(None),
        )
    )
    _all_there(step.routes, set(routes), f"{field}.routes", "route that is nobody's own")


def _all_there(wanted: list[int], found: set[int], field: str, what: str) -> None:
    missing = sorted(set(wanted) - found)
    if missing:
        raise BadField(field, f"there is no {what} {missing[0]} in this tenant")


def _stored(step: StepIn) -> dict[str, Any]:
    targets = {name: list(dict.fromkeys(getattr(step, name))) for name in _TARGETS}
    return {"after_minutes": step.after_minutes} | targets


_TARGETS = ("users", "schedules", "routes")


def _flush() -> None:
    try:
        with session().begin_nested():
            session().flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise BadField("name", "another policy has this name") from error
        raise
