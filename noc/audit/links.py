"""What hangs together: open findings with incidents, and one word on a finding with the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.audit.findings import resolve
from noc.audit.models import Finding
from noc.extensions import session
from noc.identity.site_settings import SiteSettings
from noc.incidents.correlation import correlate
from noc.incidents.models import Incident
from noc.incidents.scoring import Signal
from noc.tickets.models import OPEN_STATUSES, Ticket
from noc.tickets.workflow import transition

FRESH = dt.timedelta(minutes=75)
"""Findings up to so old are matched again: an alert may come after its signal."""

FALSE_POSITIVE = "FALSE_POSITIVE"


def correlate_open(
    at: dt.datetime,
    config: SiteSettings,
    *,
    tenant_id: int,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> list[Incident]:
    """Match the open findings of the last hour or so with the alerts around them."""
    query = select(Finding).where(
        Finding.tenant_id == tenant_id,
        Finding.status != "RESOLVED",
        Finding.detected_at > at - FRESH,
        Finding.detected_at <= at,
        Finding.site_id.is_not(None),
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    findings = session().scalars(query.order_by(Finding.id)).all()
    windows: dict[int, list[Finding]] = {}
    for finding in findings:
        minutes = config.at(finding.site_id or 0).correlation_window_minutes
        windows.setdefault(minutes, []).append(finding)
    own = [finding.alert_id for finding in findings if finding.alert_id is not None]
    return [
        incident
        for minutes, members in sorted(windows.items())
        for incident in correlate(
            [_signal(finding, at) for finding in members],
            tenant_id=tenant_id,
            now=now,
            window_minutes=minutes,
            own_alerts=own,
        )
    ]


def _signal(finding: Finding, at: dt.datetime) -> Signal:
    return Signal(
        key=f"finding:{finding.id}",
        kind=finding.finding_type,
        severity=finding.severity,  # type: ignore[arg-type]
        site_id=finding.site_id or 0,
        person_id=finding.person_id,
        start=finding.window_start,
        # A state that is still so lasts to this moment.
        end=max(finding.window_end, at) if finding.self_closing else finding.window_end,
        told={"title": finding.title, "summary": finding.evidence_summary},
    )


def on_ticket_resolved(
    _: Any, *, ticket: Ticket, resolution: str, user_id: int | None, now: dt.datetime, **__: Any
) -> None:
    """A ticket that was a false alarm: so were its findings, and they say so of their alerts."""
    if resolution != FALSE_POSITIVE:
        return
    for finding in _open_findings(Finding.escalation_ticket_id == ticket.id, ticket.tenant_id):
        note = f"Ticket {ticket.number} was a false positive."
        resolve(finding.id, FALSE_POSITIVE, note=note, user_id=user_id, now=now)


def on_alert_resolved(
    _: Any, *, alert: Alert, resolution: str | None, user_id: int | None, now: dt.datetime
) -> None:
    """An alert that was false: so is the finding that raised it."""
    if resolution != FALSE_POSITIVE:
        return
    for finding in _open_findings(Finding.alert_id == alert.id, alert.tenant_id):
        note = f"Alert {alert.id} was a false positive."
        resolve(finding.id, FALSE_POSITIVE, note=note, user_id=user_id, now=now)


def on_finding_resolved(
    _: Any, *, finding: Finding, resolution: str, user_id: int | None, now: dt.datetime
) -> None:
    """A finding that was false: so is its alert, and its ticket once it has no other left."""
    if resolution != FALSE_POSITIVE:
        return
    note = f"Finding {finding.id} was a false positive."
    if finding.alert_id is not None:
        step = Step("resolve", now, user_id, note, resolution=FALSE_POSITIVE)
        take(step, [finding.alert_id])
    if finding.escalation_ticket_id is not None:
        _resolve_ticket(finding, note, user_id, now)


def _resolve_ticket(finding: Finding, note: str, user_id: int | None, now: dt.datetime) -> None:
    others = session().scalar(
        select(Finding.id)
        .where(
            Finding.tenant_id == finding.tenant_id,
            Finding.escalation_ticket_id == finding.escalation_ticket_id,
            Finding.id != finding.id,
            Finding.resolution.is_distinct_from(FALSE_POSITIVE),
        )
        .limit(1)
    )
    status = session().scalar(
        select(Ticket.status).where(
            Ticket.tenant_id == finding.tenant_id, Ticket.id == finding.escalation_ticket_id
        )
    )
    if others is None and status in OPEN_STATUSES and finding.escalation_ticket_id is not None:
        transition(
            finding.escalation_ticket_id,
            "RESOLVED",
            user_id=user_id,
            now=now,
            resolution=FALSE_POSITIVE,
            comment=note,
        )


def _open_findings(condition: Any, tenant_id: int) -> list[Finding]:
    query = select(Finding).where(
        Finding.tenant_id == tenant_id, Finding.status != "RESOLVED", condition
    )
    return list(session().scalars(query.order_by(Finding.id)))
