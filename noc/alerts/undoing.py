"""Taking back the last step on alerts: what was before it is so again, unless more has happened."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.engine import Row

from noc.alerts.models import Alert
from noc.alerts.steps import Outcome, entry, lock_alerts, record, unless_open_elsewhere
from noc.alerts.transitions import TRANSITIONS, UNDOABLE, Step, values_after
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.problems import Problem, not_found

# What changes nothing about who has it and how it stands (a note, somebody being told, a severity
# that rose) comes between a step and its being taken back without harm.
_LAST = text(
    """
    SELECT DISTINCT ON (c.alert_id)
        c.alert_id, c.id, c.action, c.old_status, c.detail, u.name AS user_name
    FROM noc_alert_change c
    LEFT JOIN noc_user u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
    WHERE c.tenant_id = :tenant AND c.alert_id = ANY(CAST(:alerts AS bigint[]))
      AND (c.action = ANY(CAST(:steps AS text[])) OR c.old_status IS DISTINCT FROM c.new_status)
    ORDER BY c.alert_id, c.id DESC
    """
)
_STEPS = sorted({*TRANSITIONS, "undo"} - {"note"})

_SINCE = {
    "acknowledge": "acknowledged it",
    "assign": "assigned it",
    "shelve": "shelved it",
    "unshelve": "came back from the shelf",
    "lapse": "lapsed",
    "resolve": "resolved it",
    "reopen": "reopened it",
    "undo": "took a step back",
}

_USERS = ("assignee_id", "acknowledged_by", "resolved_by")
_MOMENTS = ("acknowledged_at", "shelved_until", "resolved_at")


def undo(
    changes: Mapping[int, int],
    *,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> list[Outcome]:
    """Take back the steps ``changes`` (alert to the id of its history's entry), in that order.

    Status, assignee, acknowledgement and shelf are what they were before the step, however many
    alerts in a constant number of statements but for one each of what was resolved. Only the
    latest step can be taken back, which the locked rows decide: where somebody did anything since,
    or it was none that can be taken back, the alert stays as it is with a problem 409 that tells
    who did what. 404 as in :func:`noc.alerts.steps.take`. Once more changes nothing.

    What a resolution had set off is taken back with it (:mod:`noc.aftermath`); the outcome's
    ``taken_back`` and the history tell what was, and what could not be, with the reason.
    """
    step = Step("undo", now, user_id, note)
    judged: dict[int, Outcome] = {}
    last: dict[int, Row[Any]] = {}
    for batch in _batches(list(changes)):
        alerts = lock_alerts(batch, site_ids)
        last |= _last(alerts)
        found = {key: _judge(key, alerts.get(key), last.get(key), changes[key]) for key in batch}
        _restore(found, last, now)
        judged |= found

    def undone(_: Step, outcome: Outcome) -> dict[str, Any]:
        taken = last[outcome.alert_id]
        return entry(step, outcome, taken.old_status, {"undone": taken.id, "action": taken.action})

    return record(step, [judged[key] for key in changes], undone)


def _batches(alert_ids: list[int]) -> list[list[int]]:
    """What is locked and restored together: one by one, in the order of keys, to open any again.

    Whoever opens an alert takes its key and may wait for it, and must not hold one of a later key
    meanwhile (:mod:`noc.alerts.steps` reopens in the same way).
    """
    rows = session().execute(
        select(Alert.id, Alert.status)
        .where(Alert.tenant_id == required_tenant(), Alert.id.in_(alert_ids))
        .order_by(Alert.dedup_key.collate("C"), Alert.id)
    )
    found = {row.id: row.status for row in rows}
    if "RESOLVED" not in found.values():
        return [alert_ids]
    return [*([key] for key in found), [key for key in alert_ids if key not in found]]


def _last(alert_ids: Iterable[int]) -> dict[int, Row[Any]]:
    values = {"tenant": required_tenant(), "alerts": sorted(alert_ids), "steps": _STEPS}
    return {row.alert_id: row for row in session().execute(_LAST, values)}


def _judge(key: int, alert: Alert | None, last: Row[Any] | None, change_id: int) -> Outcome:
    if alert is None:
        return Outcome(key, problem=not_found("alert"))
    detail = (last and last.detail) or {}
    if detail.get("undone") == change_id:
        return Outcome(key, alert, old_status=alert.status)
    if last is None or last.id != change_id:
        return Outcome(key, problem=_since(alert, last))
    if last.action not in UNDOABLE or "before" not in detail:
        problem = Problem(
            409,
            f"That cannot be taken back: {last.action}.",
            current_status=alert.status,
            last_change_id=last.id,
        )
        return Outcome(key, problem=problem)
    return Outcome(key, alert, changed=True, old_status=alert.status)


def _since(alert: Alert, last: Row[Any] | None) -> Problem:
    done = _SINCE.get(last.action, "changed it") if last else "changed it"
    who = (last and last.user_name) or ("It" if not done.endswith(" it") else "A monitor or a job")
    return Problem(
        409,
        f"{who} {done} since: it stays as it is.",
        current_status=alert.status,
        last_change_id=last.id if last else None,
    )


def _restore(judged: dict[int, Outcome], last: Mapping[int, Row[Any]], now: dt.datetime) -> None:
    """Write what was before, those together that get the same; refusals go into ``judged``."""
    changed = [outcome for outcome in judged.values() if outcome.changed]
    known = _still_there(last[one.alert_id].detail["before"] for one in changed)
    alike: dict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
    for outcome in changed:
        values = _values(last[outcome.alert_id], known, now)
        alike[tuple(sorted(values.items(), key=lambda item: item[0]))].append(outcome)
    for found, outcomes in alike.items():
        values = dict(found)
        if outcomes[0].old_status != "RESOLVED":
            _write([one.alert_id for one in outcomes], values)
            continue
        for one in outcomes:
            write = partial(_write, [one.alert_id], values)
            judged[one.alert_id] = unless_open_elsewhere(one, write)


def _values(last: Row[Any], known: Collection[int], now: dt.datetime) -> dict[str, Any]:
    """The columns that the step wrote, as they were."""
    before = last.detail["before"]
    values: dict[str, Any] = {"status": last.old_status}
    for name in values_after(Step(last.action, now)):
        value = before.get(name)
        if value is not None and name in _MOMENTS:
            value = dt.datetime.fromisoformat(value)
        values[name] = None if name in _USERS and value not in known else value
    return values


def _still_there(kept: Iterable[Mapping[str, Any]]) -> set[int]:
    """Of the users that are named there, those who have not been deleted since."""
    wanted = {one[name] for one in kept for name in _USERS if name in one}
    if not wanted:
        return set()
    query = select(User.id).where(User.tenant_id == required_tenant(), User.id.in_(wanted))
    return set(session().scalars(query))


def _write(alert_ids: Sequence[int], values: Mapping[str, Any]) -> None:
    session().execute(
        update(Alert)
        .where(Alert.tenant_id == required_tenant(), Alert.id.in_(alert_ids))
        .values(**values)
        .execution_options(synchronize_session="evaluate")
    )
