"""A step in the life of alerts: checked, taken under lock, kept as history, announced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from noc.alerts import consequences, refusals
from noc.alerts.frames import announce_alert
from noc.alerts.models import RESOLUTIONS, Alert, AlertChange
from noc.alerts.signals import alerts_stepped
from noc.alerts.transitions import (
    TRANSITIONS,
    UNDOABLE,
    Action,
    Step,
    before,
    is_so_already,
    values_after,
)
from noc.database.tenancy import required_tenant
from noc.events.news import NewsKind
from noc.extensions import session
from noc.identity.assignees import Assignee, find_assignee
from noc.rest.problems import Problem, not_found
from noc.workforce.references import look_up

LONGEST_SHELVING = dt.timedelta(days=30)
"""Shelving is for a known disturbance; one that lasts longer is to be resolved, or repaired."""

_NEWS: Mapping[Action, NewsKind] = MappingProxyType(
    {"reopen": "alert_reopened", "lapse": "alert_returned", "unshelve": "alert_returned"}
)
"""What people who are not looking may want to hear of: it waits for somebody again."""

_OPEN_INDEX = "uq_noc_alert_event_open"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step on one alert: the alert as it is now, or the problem.

    ``changed`` is False where the alert was already as the step would have it. ``change_id`` is
    the entry of the history, by which the step can be taken back; ``before`` what it wrote over;
    ``taken_back`` what came back with an alert that was resolved (:mod:`noc.aftermath`).
    """

    alert_id: int
    alert: Alert | None = None
    changed: bool = False
    old_status: str = ""
    problem: Problem | None = None
    change_id: int | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    taken_back: Mapping[str, Any] = field(default_factory=dict)


def take(
    step: Step, alert_ids: Iterable[int], *, site_ids: Collection[int] | None = None
) -> list[Outcome]:
    """Take the step on each alert, in the order given; what one refuses does not hold up others.

    ``site_ids``: whoever acts sees only these sites, None for all; an alert of another site, of
    another tenant, or none at all is the same 404. The number of statements does not depend on
    that of alerts, but for ``reopen``, which takes them one by one. Problem 422 for a step that
    cannot be taken on any alert.
    """
    assignee = _check(step)
    wanted = list(dict.fromkeys(alert_ids))
    if step.action == "reopen":
        outcomes = _reopen_each(step, wanted, site_ids)
    else:
        alerts = lock_alerts(wanted, site_ids)
        outcomes = [_judge(step, key, alerts.get(key), assignee) for key in wanted]
        _update(step, [outcome for outcome in outcomes if outcome.changed])
    return record(step, outcomes, _change)


def _check(step: Step) -> Assignee | None:
    """What makes the step impossible on any alert, as 422; the assignee where there is one."""
    reason: tuple[str, str] | None = None
    if step.action == "resolve" and step.resolution not in RESOLUTIONS:
        reason = ("resolution", f"must be one of {', '.join(RESOLUTIONS)}")
    elif step.action == "shelve" and not (
        step.until is not None and step.now < step.until <= step.now + LONGEST_SHELVING
    ):
        reason = ("until", f"must be in the future, at most {LONGEST_SHELVING.days} days ahead")
    elif step.action == "note" and not step.note:
        reason = ("note", "must not be empty")
    elif step.action == "assign" and step.assignee_id is None:
        reason = ("assignee_id", "must name a user")
    if reason:
        raise Problem(
            422,
            f"The alert cannot be treated so: {step.action}.",
            errors=[{"field": reason[0], "reason": reason[1]}],
        )
    return find_assignee(step.assignee_id) if step.assignee_id is not None else None


def lock_alerts(alert_ids: Sequence[int], site_ids: Collection[int] | None) -> dict[int, Alert]:
    """The alerts that are to be seen, locked against other steps until the transaction ends."""
    # In the order of keys, as process_alerts locks them: two orders would deadlock. Not FOR
    # UPDATE: rows that refer to an alert may be stored meanwhile.
    query = select(Alert).where(Alert.tenant_id == required_tenant(), Alert.id.in_(alert_ids))
    if site_ids is not None:
        query = query.where(Alert.site_id.in_(site_ids))
    rows = session().scalars(
        query.order_by(Alert.dedup_key.collate("C"), Alert.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {alert.id: alert for alert in rows}


def _judge(step: Step, alert_id: int, alert: Alert | None, assignee: Assignee | None) -> Outcome:
    """What the step may do to an alert that was locked; nothing is changed yet."""
    if alert is None:
        return Outcome(alert_id, problem=not_found("alert"))
    if alert.status not in TRANSITIONS[step.action]:
        return Outcome(alert_id, problem=refusals.not_allowed(step.action, alert))
    if assignee is not None and not assignee.sees_site(alert.site_id):
        return Outcome(alert_id, problem=refusals.not_theirs(assignee))
    changed = not is_so_already(step, alert)
    return Outcome(
        alert_id, alert, changed=changed, old_status=alert.status, before=before(step, alert)
    )


def _update(step: Step, outcomes: Sequence[Outcome]) -> None:
    if not outcomes or step.action == "note":
        return
    # Every action has one status that it leads to, so that one statement does for all.
    status = TRANSITIONS[step.action][outcomes[0].old_status]
    session().execute(
        update(Alert)
        .where(
            Alert.tenant_id == required_tenant(),
            Alert.id.in_([outcome.alert_id for outcome in outcomes]),
        )
        .values(status=status, **values_after(step))
        .execution_options(synchronize_session="evaluate")
    )


def _reopen_each(
    step: Step, alert_ids: Sequence[int], site_ids: Collection[int] | None
) -> list[Outcome]:
    """Lock and reopen one after another, in the order of keys.

    To open an alert that was resolved is to take its key, and to wait for whoever reports the same
    trouble at this moment: who held alerts of later keys meanwhile would deadlock with them.
    """
    ordered = session().scalars(
        select(Alert.id)
        .where(Alert.tenant_id == required_tenant(), Alert.id.in_(alert_ids))
        .order_by(Alert.dedup_key.collate("C"), Alert.id)
    )
    outcomes = {key: Outcome(key, problem=not_found("alert")) for key in alert_ids}
    for key in ordered.all():
        judged = _judge(step, key, lock_alerts([key], site_ids).get(key), None)
        outcomes[key] = _reopen(step, judged) if judged.changed else judged
    return list(outcomes.values())


def _reopen(step: Step, outcome: Outcome) -> Outcome:
    return unless_open_elsewhere(outcome, lambda: _update(step, [outcome]))


def unless_open_elsewhere(outcome: Outcome, write: Callable[[], None]) -> Outcome:
    """Open it by ``write``, unless another alert of the same trouble is: the unique index decides.

    What came of it, a problem 409 in the latter case.
    """
    try:
        with session().begin_nested():
            write()
    except IntegrityError as error:
        if outcome.alert is None or _OPEN_INDEX not in str(error.orig):
            raise
        return Outcome(outcome.alert_id, problem=refusals.open_elsewhere(outcome.alert))
    return outcome


def record(
    step: Step, outcomes: Sequence[Outcome], change: Callable[[Step, Outcome], dict[str, Any]]
) -> list[Outcome]:
    """Keep what changed as history, tell the feed, and tell those above.

    ``change`` makes the entry of the history; the outcomes come back with its id.
    """
    changed = [outcome for outcome in outcomes if outcome.changed]
    if not changed:
        return list(outcomes)
    entered = session().execute(
        # As many as the parameters of a statement allow: a thousand would be the default.
        insert(AlertChange)
        .returning(AlertChange.alert_id, AlertChange.id)
        .execution_options(insertmanyvalues_page_size=5_000),
        [change(step, outcome) for outcome in changed],
    )
    ids = {row.alert_id: row.id for row in entered}
    if step.action == "note":
        return [replace(outcome, change_id=ids.get(outcome.alert_id)) for outcome in outcomes]
    told = _tell(step, changed)
    name = "set_off" if step.action == "resolve" else "taken_back"
    consequences.keep(name, {ids[key]: one for key, one in told.items()})
    back = told if name == "taken_back" else {}
    return [
        replace(
            outcome,
            change_id=ids.get(outcome.alert_id),
            taken_back=back.get(outcome.alert_id, {}),
        )
        for outcome in outcomes
    ]


def _tell(step: Step, outcomes: Sequence[Outcome]) -> dict[int, dict[str, Any]]:
    """Tell of the step; what it set off elsewhere, or took back there, by alert."""
    alerts = [outcome.alert for outcome in outcomes if outcome.alert is not None]
    alerts_stepped.send("alerts", step=step, alert_ids=[alert.id for alert in alerts])
    names = look_up((alert.person_id for alert in alerts), ()).people
    for alert in alerts:
        announce_alert(
            "alert_updated", alert, names.get(alert.person_id or 0), _news(step.action, alert)
        )
    if step.action == "resolve":
        return consequences.resolved(step, alerts)
    return consequences.reopened(
        step, [outcome.alert_id for outcome in outcomes if outcome.old_status == "RESOLVED"]
    )


def _news(action: Action, alert: Alert) -> NewsKind | None:
    if action == "undo":
        return "alert_reopened" if alert.status == "NEW" else None
    return _NEWS.get(action)


def _change(step: Step, outcome: Outcome) -> dict[str, Any]:
    detail = {
        "assignee_id": step.assignee_id,
        "until": step.until.isoformat() if step.until else None,
        "resolution": step.resolution,
        "before": dict(outcome.before) if step.action in UNDOABLE else None,
    }
    told = {name: value for name, value in detail.items() if value is not None} or None
    return entry(step, outcome, TRANSITIONS[step.action][outcome.old_status], told)


def entry(
    step: Step, outcome: Outcome, new_status: str, detail: dict[str, Any] | None
) -> dict[str, Any]:
    """The entry of the history, for :func:`record`."""
    return {
        "tenant_id": required_tenant(),
        "alert_id": outcome.alert_id,
        "at": step.now,
        "user_id": step.user_id,
        "action": step.action,
        "old_status": outcome.old_status,
        "new_status": new_status,
        "note": step.note,
        "detail": detail,
    }
