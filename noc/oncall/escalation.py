"""What is due: the next step of an escalation, or its end.

One escalation at a time, in a transaction of its own: its row and the alert's are locked, so that
whoever answers at this moment is waited for or waits; nobody is called about what was answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Row, text, update
from sqlalchemy.exc import SQLAlchemyError

from noc.alerts.history import remark
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.notifications.addressed import Addressed, named_routes, send_to, ways_to
from noc.oncall import duty
from noc.oncall.beginning import count
from noc.oncall.course import Course, Step, course_of
from noc.oncall.models import AlertEscalation
from noc.workforce.references import look_up

GRACE = dt.timedelta(seconds=30)
"""A step that is late by less is taken for punctual: counted from each minute's job, which comes

a moment sooner or later, every step would be due just after a job and wait for the next.
"""

# Whoever acts on an alert locks it first and its escalation then; here neither is waited for. What
# was locked is returned as it is now, after a change that came between.
_TAKE = text(
    """
    SELECT run.id AS run_id, run.round, run.step, run.next_at, a.id, a.alert_type, a.severity,
           a.message, a.status, a.person_id, a.site_id, a.muted_until, a.assignee_id,
           policy.name AS policy_name, policy.steps, policy.repeats,
           coalesce(policy.active, false) AS active
    FROM alert_escalation run
    JOIN noc_alert_event a ON a.tenant_id = run.tenant_id AND a.id = run.alert_id
    LEFT JOIN escalation_policy policy
           ON policy.tenant_id = run.tenant_id AND policy.id = run.policy_id
    WHERE run.tenant_id = :tenant AND run.state = 'active' AND run.next_at <= :now
      AND run.id <> ALL(CAST(:beside AS bigint[]))
    ORDER BY run.next_at, run.id
    LIMIT 1
    FOR NO KEY UPDATE OF run, a SKIP LOCKED
    """
)


class Done(NamedTuple):
    """What came of one escalation that was due."""

    run_id: int
    outcome: str


class _Reached(NamedTuple):
    """Whom a step told."""

    users: dict[int, str]
    routes: dict[int, str]
    missing: list[str]
    ways: list[int]


def take_next(*, now: dt.datetime, beside: Collection[int] = ()) -> Done | None:
    """Take the step that is due next in the tenant; None where nothing is, or others are at it.

    ``outcome``: ``told``, ``nobody`` (a step, or several in a row, reached nobody), ``exhausted``,
    or ``ended``, where the alert waits for nobody any more or its policy does not hold. The caller
    commits at once; after :class:`StepFailed` it rolls back, and goes on ``beside`` that one.
    """
    values = {"tenant": required_tenant(), "now": now, "beside": sorted(beside)}
    run = session().execute(_TAKE, values).one_or_none()
    if run is None:
        return None
    try:
        outcome = _advance(run, now)
    except (SQLAlchemyError, LookupError, TypeError, ValueError) as error:
        # Whoever rolls back must know which one to leave alone.
        raise StepFailed(run.run_id) from error
    count(session(), outcome, 1)
    return Done(run.run_id, outcome)


class StepFailed(Exception):
    """A step could not be taken, for a reason that is its ``__cause__``."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"escalation {run_id}")
        self.run_id = run_id


def _advance(run: Row[Any], now: dt.datetime) -> str:
    reason = _over(run)
    if reason is not None:
        _set(run, state="ended", reason=reason, ended_at=now, next_at=None)
        return "ended"
    course = course_of(run.steps, run.repeats)
    turn, taken = run.round, run.step
    if taken >= len(course.steps):
        if turn > course.repeats:
            _exhaust(run, now)
            return "exhausted"
        turn, taken = turn + 1, 0
    return _go_on(run, course, turn, taken, now)


def _over(run: Row[Any]) -> str | None:
    """Why nobody is to be told any more; None while somebody is."""
    if run.status != "NEW":
        return str(run.status).lower()
    if run.muted_until is not None:
        return "muted"
    return None if run.active else "policy_inactive"


def _go_on(run: Row[Any], course: Course, turn: int, taken: int, now: dt.datetime) -> str:
    """Take steps until one reaches somebody or the list is at its end."""
    person = look_up((run.person_id,), ()).people.get(run.person_id or 0)
    told = False
    while not told and taken < len(course.steps):
        told = _tell(run, course.steps[taken], turn, taken + 1, person, now)
        taken += 1
    changed: dict[str, Any] = {"last_told_at": now} if told else {}
    counted_from = max(run.next_at, now - GRACE)
    _set(run, round=turn, step=taken, next_at=counted_from + course.wait_after(taken), **changed)
    return "told" if told else "nobody"


def _tell(
    run: Row[Any], step: Step, turn: int, number: int, person: str | None, now: dt.datetime
) -> bool:
    """Tell whom the step names; whether anybody was reached. The history has it either way."""
    reached = _reach(step, run.site_id, now)
    names = [*reached.users.values(), *reached.routes.values()]
    announced = remark(
        run,
        "escalated",
        _words(run.policy_name, turn, number, names, reached.missing),
        {
            "policy": run.policy_name,
            "step": number,
            "round": turn,
            "told": names,
            "user_ids": list(reached.users),
            "route_ids": list(reached.routes),
            "missing": reached.missing,
        },
        person_name=person,
        now=now,
        more={"escalation_step": number},
    )
    send_to(
        reached.ways,
        Addressed(announced.event_id, run.severity, run.site_id, announced.payload),
    )
    return bool(reached.ways)


def _words(policy: str, turn: int, number: int, names: list[str], missing: list[str]) -> str:
    """What the history says to people."""
    where = f"{policy}, step {number}" + (f" of round {turn}" if turn > 1 else "")
    told = f"told {', '.join(names)}" if names else "there was nobody to tell"
    lost = f"; not reached: {', '.join(missing)}" if missing else ""
    return f"{where}: {told}{lost}."


def _reach(step: Step, site_id: int | None, now: dt.datetime) -> _Reached:
    desk = duty.desk(step.users, step.schedules, site=site_id, now=now)
    called = desk.called(step.users, step.schedules, now)
    ways = ways_to(called.users)
    routes = named_routes(step.routes, site_id=site_id)
    missing = [
        *called.missing,
        *(name for key, name in called.users.items() if key not in ways),
        *(f"route {key}" for key in step.routes if key not in routes),
    ]
    users = {key: name for key, name in called.users.items() if key in ways}
    every = [route for key in users for route in ways[key]]
    return _Reached(users, routes, missing, [*every, *routes])


def _exhaust(run: Row[Any], now: dt.datetime) -> None:
    _set(run, state="exhausted", reason="unanswered", ended_at=now, next_at=None)
    remark(
        run,
        "escalation_exhausted",
        f"{run.policy_name} has come to its end, and nobody answered.",
        {"policy": run.policy_name, "round": run.round},
        person_name=look_up((run.person_id,), ()).people.get(run.person_id or 0),
        now=now,
        news="escalation_exhausted",
        more={"escalation_step": None},
    )


def _set(run: Row[Any], **values: Any) -> None:
    session().execute(
        update(AlertEscalation)
        .where(AlertEscalation.tenant_id == required_tenant(), AlertEscalation.id == run.run_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
