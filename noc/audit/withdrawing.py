"""Words taken back: what they ended is opened again, in the order in which all of it is locked.

Alerts first, one after another by key: to open one may mean to wait for whoever reports the same
trouble, who must not wait for us meanwhile. Then findings by id, then tickets with their slots.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from noc.aftermath import SetOff, TakenBack, left, moment
from noc.alerts.models import Alert
from noc.alerts.steps import Outcome, take
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo as undo_alerts
from noc.audit.findings import announce
from noc.audit.models import Finding
from noc.audit.together import FALSE_POSITIVE, hold_tickets, speaking
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem
from noc.tickets.models import Ticket
from noc.tickets.undoing import undo as undo_ticket
from noc.tickets.workflow import transition

# Locked in the order of their ids; the condition decides who comes first. What was set off with a
# word is opened only if it is that word it still ended by, which the moment tells.
# What closed itself is over: should it be so again, the audit finds it anew.
_REOPEN = text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT f.id, r.note FROM audit_finding f
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id bigint, at timestamptz, note text)
          ON r.id = f.id
        WHERE f.tenant_id = :tenant AND f.status = 'RESOLVED' AND f.resolution <> 'EXPIRED'
          AND (r.at IS NULL OR (f.resolved_at = r.at AND f.resolution = 'FALSE_POSITIVE'))
        ORDER BY f.id
        FOR NO KEY UPDATE OF f
    )
    UPDATE audit_finding f SET
        status = CASE WHEN f.acknowledged_at IS NULL THEN 'NEW' ELSE 'ACKNOWLEDGED' END,
        resolution = NULL, resolution_note = NULL, resolved_at = NULL, resolved_by = NULL,
        evidence = jsonb_set(f.evidence - 'set_off', '{reopened}',
            coalesce(f.evidence -> 'reopened', '[]') || jsonb_build_object(
                'at', CAST(:now AS timestamptz), 'user_id', CAST(:user AS bigint),
                'note', w.note,
                'resolution', f.resolution, 'resolution_note', f.resolution_note,
                'resolved_at', f.resolved_at, 'resolved_by', f.resolved_by))
    FROM wanted w
    WHERE f.tenant_id = :tenant AND f.id = w.id AND f.status = 'RESOLVED'
    RETURNING f.id
    """
)
_ANEW = "It was resolved anew since."
_ANOTHER = "Another finding of the same is open: go on with that one."


@dataclass(frozen=True, slots=True)
class Ended:
    """How an alert or ticket ended: when, and by which change. None: however it did."""

    at: dt.datetime | None = None
    by: int | None = None


@dataclass(slots=True)
class Plan:
    """What is to be opened again, where it ended as a false positive."""

    alerts: dict[int, Ended] = field(default_factory=dict)
    findings: dict[int, dt.datetime | None] = field(default_factory=dict)
    tickets: dict[int, Ended] = field(default_factory=dict)

    def add(self, set_off: SetOff) -> None:
        """What one word had set off."""
        at = moment(set_off)
        for name, ends in (("alerts", self.alerts), ("tickets", self.tickets)):
            for key, change in set_off.get(name, {}).items():
                ends[int(key)] = Ended(at, change)
        for key in set_off.get("findings", ()):
            self.findings.setdefault(key, at)


def carry_out(
    plan: Plan,
    *,
    exact: bool,
    user_id: int | None,
    now: dt.datetime,
    why: str,
    note: str | None = None,
    besides: Collection[int] = (),
) -> dict[str, Any]:
    """Open what the plan says; what was taken back, and what could not be (:mod:`noc.aftermath`).

    ``exact``: alerts and tickets are as if they had never been resolved, as long as nothing more
    has happened to them; else they are taken up again. ``note`` is that of the findings that this
    is about, ``why`` that of what is opened with them. ``besides`` are tickets that whoever asks is
    about to lock. Once more changes nothing.
    """
    step = Step("reopen", now, user_id, why)
    with speaking():
        alerts, refused = _alerts(plan.alerts, step, exact=exact)
        findings = _reopen_all(plan.findings, step, note)
        hold_tickets([*plan.tickets, *besides])
        tickets, closed = _tickets(plan.tickets, step, exact=exact)
    told = {"alerts": alerts, "findings": findings, "tickets": tickets}
    return told | {"left": [*refused, *_findings_left(plan.findings, findings), *closed]}


def part(told: TakenBack, set_off: SetOff) -> dict[str, Any]:
    """Of all that was taken back, what this word had set off."""
    names = {"alerts": "alert", "findings": "finding", "tickets": "ticket"}
    wanted = {name: {int(key) for key in set_off.get(name, ())} for name in names}
    found: dict[str, Any] = {
        name: [key for key in told[name] if key in wanted[name]] for name in names
    }
    kinds = {kind: wanted[name] for name, kind in names.items()}
    return found | {"left": [one for one in told["left"] if one["id"] in kinds[one["kind"]]]}


def kept(findings: Sequence[Finding]) -> Plan:
    """The plan for findings that are resolved: they, and what ended with them.

    Of a false positive its alert and its ticket, too, wherever the word was said first.
    """
    plan = Plan()
    for finding in findings:
        plan.findings[finding.id] = None
        if finding.resolution == FALSE_POSITIVE:
            if finding.alert_id is not None:
                plan.alerts[finding.alert_id] = Ended()
            if finding.escalation_ticket_id is not None:
                plan.tickets[finding.escalation_ticket_id] = Ended()
    alerts, tickets = list(plan.alerts), list(plan.tickets)
    for finding in findings:
        if found := finding.evidence.get("set_off"):
            plan.add(found)
    # Its own alert and ticket come along however often they ended since.
    for key in alerts:
        plan.alerts[key] = replace(plan.alerts[key], at=None)
    for key in tickets:
        plan.tickets[key] = replace(plan.tickets[key], at=None)
    return plan


def _reopen_all(
    findings: Mapping[int, dt.datetime | None], step: Step, note: str | None
) -> list[int]:
    """Open these findings and tell of them; by id. With a moment, where they ended just then."""
    rows = [
        {"id": key, "at": at and at.isoformat(), "note": note if at is None else step.note}
        for key, at in sorted(findings.items())
    ]
    changed = _reopen(rows, {"tenant": required_tenant(), "now": step.now, "user": step.user_id})
    if not changed:
        return []
    opened = session().scalars(
        select(Finding)
        .where(Finding.tenant_id == required_tenant(), Finding.id.in_(changed))
        .order_by(Finding.id)
        .execution_options(populate_existing=True)
    )
    for finding in opened:
        announce("finding_updated", finding)
    return changed


def _reopen(rows: Sequence[dict[str, Any]], asked: dict[str, Any]) -> list[int]:
    """Those that were reopened. All at once; one by one where another of the same is open."""
    if not rows:
        return []
    try:
        with session().begin_nested():
            return sorted(session().scalars(_REOPEN, asked | {"rows": json.dumps(rows)}))
    except IntegrityError:
        # The unique key of self-closing findings: it cannot say of which of them.
        if len(rows) == 1:
            return []
    return [key for row in rows for key in _reopen([row], asked)]


def _findings_left(
    wanted: Mapping[int, dt.datetime | None], changed: Collection[int]
) -> list[dict[str, Any]]:
    """Of what was to be opened with something else, those that are still resolved, and why."""
    missing = {key: at for key, at in wanted.items() if at is not None and key not in changed}
    if not missing:
        return []
    rows = session().execute(
        select(Finding.id, Finding.resolved_at)
        .where(
            Finding.tenant_id == required_tenant(),
            Finding.id.in_(missing),
            Finding.status == "RESOLVED",
        )
        .order_by(Finding.id)
    )
    return [
        left("finding", row.id, _ANOTHER if row.resolved_at == missing[row.id] else _ANEW)
        for row in rows
    ]


def _alerts(
    ends: dict[int, Ended], step: Step, *, exact: bool
) -> tuple[list[int], list[dict[str, Any]]]:
    if not ends:
        return [], []
    rows = session().execute(
        select(Alert.id, Alert.resolution, Alert.resolved_at)
        .where(Alert.tenant_id == required_tenant(), Alert.id.in_(ends), Alert.status == "RESOLVED")
        .order_by(Alert.dedup_key.collate("C"), Alert.id)
    )
    done: list[int] = []
    refused: list[dict[str, Any]] = []
    for row in rows.all():
        end = ends[row.id]
        if not _still(row, end):
            if end.at is not None:
                refused.append(left("alert", row.id, _ANEW))
            continue
        outcome = _open_alert(row.id, end, step, exact=exact)
        if outcome.problem is not None:
            refused.append(left("alert", row.id, outcome.problem.detail))
        elif outcome.changed:
            done.append(row.id)
    return sorted(done), refused


def _still(row: Any, end: Ended) -> bool:
    """Whether what ended it then is what it is over by: nobody has resolved it anew since."""
    return row.resolution == FALSE_POSITIVE and end.at in (None, row.resolved_at)


def _open_alert(alert_id: int, end: Ended, step: Step, *, exact: bool) -> Outcome:
    if exact and end.by is not None:
        (outcome,) = undo_alerts(
            {alert_id: end.by}, user_id=step.user_id, now=step.now, note=step.note
        )
        if outcome.problem is None or "open_alert_id" in outcome.problem.members:
            return outcome
    (outcome,) = take(step, [alert_id])
    return outcome


def _tickets(
    ends: dict[int, Ended], step: Step, *, exact: bool
) -> tuple[list[int], list[dict[str, Any]]]:
    if not ends:
        return [], []
    rows = session().execute(
        select(Ticket.id, Ticket.version, Ticket.resolution, Ticket.resolved_at)
        .where(
            Ticket.tenant_id == required_tenant(),
            Ticket.id.in_(ends),
            Ticket.status == "RESOLVED",
        )
        .order_by(Ticket.id)
    )
    done: list[int] = []
    refused: list[dict[str, Any]] = []
    for row in rows.all():
        end = ends[row.id]
        if not _still(row, end):
            if end.at is not None:
                refused.append(left("ticket", row.id, _ANEW))
            continue
        try:
            with session().begin_nested():
                _open_ticket(row.id, step, version=row.version if exact else None, by=end.by)
        except Problem as problem:
            refused.append(left("ticket", row.id, problem.detail))
        else:
            done.append(row.id)
    return done, refused


def _open_ticket(ticket_id: int, step: Step, *, version: int | None, by: int | None) -> None:
    who: dict[str, Any] = {"user_id": step.user_id, "now": step.now, "comment": step.note}
    if version is not None and version == by:
        undo_ticket(ticket_id, version=version, **who)
    else:
        # Somebody wrote on it since, or it is taken up again.
        transition(ticket_id, "IN_PROGRESS", **who)
