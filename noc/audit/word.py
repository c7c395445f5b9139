"""One word for all: a false positive said of a ticket, a finding or an alert ends the others.

Told by the signals of those that were resolved; all that is reached here is locked already
(:mod:`noc.audit.together`). What was set off is answered, so that it can be taken back
(:mod:`noc.audit.withdrawing`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from noc.aftermath import SetOff
from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.audit import withdrawing
from noc.audit.findings import mark_resolved, tell_resolved
from noc.audit.models import Finding
from noc.audit.together import FALSE_POSITIVE, hold, is_speaking, speaking
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.tickets.models import OPEN_STATUSES, Ticket
from noc.tickets.workflow import transition


def on_ticket_resolving(_: Any, *, ticket_id: int, resolution: str) -> None:
    """Lock what the word will reach before the ticket is locked."""
    if resolution == FALSE_POSITIVE and not is_speaking():
        hold(tickets=[ticket_id])


def on_alerts_stepped(_: Any, *, step: Step, alert_ids: Sequence[int]) -> None:
    """Lock what the word will reach; the alerts, which come first, are locked."""
    if (step.action, step.resolution) == ("resolve", FALSE_POSITIVE) and not is_speaking():
        hold(alerts=alert_ids)


def on_ticket_resolved(
    _: Any, *, ticket: Ticket, resolution: str, user_id: int | None, now: dt.datetime, **__: Any
) -> dict[str, Any] | None:
    """A ticket that was a false alarm: so were its findings and their alerts."""
    if resolution != FALSE_POSITIVE or is_speaking():
        return None
    found = _open_findings(Finding.escalation_ticket_id == ticket.id)
    return _spread(found, [], f"Ticket {ticket.number} was a false positive.", user_id, now)


def on_alert_resolved(
    _: Any, *, alert: Alert, resolution: str | None, user_id: int | None, now: dt.datetime
) -> dict[str, Any] | None:
    """An alert that was false: so is the finding that raised it."""
    if resolution != FALSE_POSITIVE or is_speaking():
        return None
    found = _open_findings(Finding.alert_id == alert.id)
    return _spread(found, [], f"Alert {alert.id} was a false positive.", user_id, now)


def on_finding_resolved(
    _: Any, *, finding: Finding, resolution: str, user_id: int | None, now: dt.datetime
) -> dict[str, Any] | None:
    """A finding that was false: so is its alert, and its ticket once it has no other left."""
    if resolution != FALSE_POSITIVE or is_speaking():
        return None
    return _spread([], [finding], "", user_id, now)


def on_ticket_reopening(
    _: Any,
    *,
    ticket_id: int,
    set_off: SetOff,
    exact: bool,
    user_id: int | None,
    now: dt.datetime,
) -> dict[str, Any] | None:
    """Take back what ended with the ticket."""
    if is_speaking():
        return None
    plan = withdrawing.Plan()
    plan.add(set_off)
    return withdrawing.carry_out(
        plan, exact=exact, user_id=user_id, now=now, besides=[ticket_id], why=_NO_MORE
    )


def on_alerts_reopened(
    _: Any,
    *,
    resolutions: Mapping[int, SetOff],
    exact: bool,
    user_id: int | None,
    now: dt.datetime,
) -> dict[int, dict[str, Any]] | None:
    """Take back what ended with these alerts; what that was, by alert."""
    if is_speaking():
        return None
    plan = withdrawing.Plan()
    for set_off in resolutions.values():
        plan.add(set_off)
    told = withdrawing.carry_out(plan, exact=exact, user_id=user_id, now=now, why=_NO_MORE)
    return {key: withdrawing.part(told, set_off) for key, set_off in resolutions.items()}


_NO_MORE = "What it was about is no false positive by now."


def _spread(
    found: Sequence[Finding],
    said: Sequence[Finding],
    note: str,
    user_id: int | None,
    now: dt.datetime,
) -> dict[str, Any] | None:
    """End ``found`` with the note, and what hangs on these and on those it was ``said`` of."""
    if not found and not said:
        return None
    with speaking():
        _end(found, lambda _: note, user_id, now)
        alerts = _end_alerts([*said, *found], user_id, now)
        more = _open_findings(Finding.alert_id.in_(alerts)) if alerts else []
        _end(more, lambda one: f"Alert {one.alert_id} was a false positive.", user_id, now)
        tickets = _end_tickets([*said, *found, *more], user_id, now)
    return {
        "findings": [one.id for one in (*found, *more)],
        "alerts": {str(key): change for key, change in alerts.items()},
        "tickets": {str(key): version for key, version in tickets.items()},
    }


def _end(found: Sequence[Finding], note: Any, user_id: int | None, now: dt.datetime) -> None:
    for finding in found:
        mark_resolved(finding, FALSE_POSITIVE, note(finding), user_id=user_id, now=now)
    session().flush()
    for finding in found:
        tell_resolved(finding, now)


def _end_alerts(
    findings: Sequence[Finding], user_id: int | None, now: dt.datetime
) -> dict[int, int | None]:
    """Resolve the alerts that are open, each once; the entries of their histories."""
    by_alert = {one.alert_id: one for one in reversed(findings) if one.alert_id is not None}
    open_ones = select(Alert.id).where(
        Alert.tenant_id == required_tenant(),
        Alert.id.in_(by_alert),
        Alert.status != "RESOLVED",
    )
    changes: dict[int, int | None] = {}
    for key in session().scalars(open_ones).all() if by_alert else ():
        note = f"Finding {by_alert[key].id} was a false positive."
        step = Step("resolve", now, user_id, note, resolution=FALSE_POSITIVE)
        changes |= {one.alert_id: one.change_id for one in take(step, [key]) if one.changed}
    return changes


def _end_tickets(
    findings: Sequence[Finding], user_id: int | None, now: dt.datetime
) -> dict[int, int]:
    """Resolve the open tickets that have no other finding left; the versions that this made."""
    by_ticket = {
        one.escalation_ticket_id: one
        for one in reversed(findings)
        if one.escalation_ticket_id is not None
    }
    if not by_ticket:
        return {}
    tenant = required_tenant()
    others = select(Finding.id).where(
        Finding.tenant_id == tenant,
        Finding.escalation_ticket_id == Ticket.id,
        Finding.resolution.is_distinct_from(FALSE_POSITIVE),
    )
    done = select(Ticket.id).where(
        Ticket.tenant_id == tenant,
        Ticket.id.in_(by_ticket),
        Ticket.status.in_(OPEN_STATUSES),
        ~others.exists(),
    )
    return {
        key: transition(
            key,
            "RESOLVED",
            user_id=user_id,
            now=now,
            resolution=FALSE_POSITIVE,
            comment=f"Finding {by_ticket[key].id} was a false positive.",
        ).version
        for key in session().scalars(done.order_by(Ticket.id)).all()
    }


def _open_findings(condition: Any) -> list[Finding]:
    query = select(Finding).where(
        Finding.tenant_id == required_tenant(), Finding.status != "RESOLVED", condition
    )
    rows = session().scalars(query.order_by(Finding.id).execution_options(populate_existing=True))
    return list(rows)
