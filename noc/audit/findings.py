"""Findings: stored once, announced, and closed, by people or by themselves."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import select, text

from noc.aftermath import set_off
from noc.audit.drafts import Draft
from noc.audit.models import RESOLUTIONS, Finding
from noc.audit.signals import finding_resolved
from noc.audit.together import FALSE_POSITIVE, hold
from noc.database.tenancy import required_tenant
from noc.domain import Severity
from noc.events.log import emit
from noc.events.news import News
from noc.extensions import session
from noc.monitoring import metrics
from noc.rest.problems import Problem, not_found

SET_OFF = "set_off"
"""The key of a finding's evidence below which it is kept what ended because of it.

``noc.audit.withdrawing`` spells it out.
"""

# Both keys decide: one finding a person, type and window; one open that closes itself.
_STORE = text(
    """
    INSERT INTO audit_finding (
        tenant_id, finding_type, category, severity, title, site_id, person_id, subject,
        window_start, window_end, evidence, evidence_summary, alert_id, self_closing, detected_at)
    SELECT :tenant, r.finding_type, r.category, r.severity, r.title, r.site_id, r.person_id,
           r.subject, r.window_start, r.window_end, r.evidence, r.summary, r.alert_id,
           r.self_closing, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        n int, finding_type text, category text, severity text, title text, site_id bigint,
        person_id bigint, subject text, window_start timestamptz, window_end timestamptz,
        evidence jsonb, summary text, alert_id bigint, self_closing boolean)
    ORDER BY r.subject, r.finding_type, r.window_start, r.n
    ON CONFLICT DO NOTHING
    RETURNING id
    """
)


def store(
    drafts: Sequence[Draft], *, tenant_id: int, now: dt.datetime, lasting: bool = True
) -> list[Finding]:
    """Store those that are new, and announce them; the new ones, by id.

    However many workers find the same at once, one of them gets the row. ``lasting``: what they
    say is so now; of a moment long past it is not, and nothing will close them. Two statements.
    """
    if not drafts:
        return []
    rows = [
        _row(number, draft) | {"self_closing": draft.self_closing and lasting}
        for number, draft in enumerate(drafts)
    ]
    parameters = {"tenant": tenant_id, "now": now, "rows": json.dumps(rows, allow_nan=False)}
    ids = session().scalars(_STORE, parameters).all()
    if not ids:
        return []
    new = session().scalars(
        select(Finding)
        .where(Finding.tenant_id == tenant_id, Finding.id.in_(ids))
        .order_by(Finding.id)
    )
    findings = list(new)
    for finding in findings:
        metrics.FINDINGS.labels(finding.finding_type, finding.severity).inc()
        announce("finding_created", finding)
    return findings


def open_states(
    finding_types: Collection[str],
    at: dt.datetime,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
) -> list[Finding]:
    """Open findings of these types that say what has been so since before ``at``. One query."""
    query = select(Finding).where(
        Finding.tenant_id == tenant_id,
        Finding.finding_type.in_(finding_types),
        Finding.self_closing,
        Finding.detected_at <= at,
        Finding.status != "RESOLVED",
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    return list(session().scalars(query.order_by(Finding.id)))


def open_rounds(
    at: dt.datetime,
    look_back: dt.timedelta,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
) -> list[Finding]:
    """Open findings of rounds missed that ended within ``look_back`` before ``at``. One query."""
    query = select(Finding).where(
        Finding.tenant_id == tenant_id,
        Finding.finding_type == "TOUR_MISSED",
        Finding.status != "RESOLVED",
        Finding.window_end > at - look_back,
        Finding.detected_at <= at,
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    return list(session().scalars(query.order_by(Finding.id)))


def close_themselves(over: Mapping[int, str], *, tenant_id: int, now: dt.datetime) -> list[Finding]:
    """Resolve these findings as EXPIRED, each with the reason why it is over; those it closed.

    What somebody else has locked is left for the next cycle.
    """
    if not over:
        return []
    rows = session().scalars(
        select(Finding)
        .where(
            Finding.tenant_id == tenant_id,
            Finding.id.in_(over),
            Finding.status != "RESOLVED",
        )
        .order_by(Finding.id)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    findings = list(rows)
    for finding in findings:
        mark_resolved(finding, "EXPIRED", over[finding.id], user_id=None, now=now)
    session().flush()
    for finding in findings:
        tell_resolved(finding, now)
    return findings


def acknowledge(
    finding_id: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Finding:
    """Somebody has seen it. Acknowledging twice keeps the first. 404; 409 where it is resolved."""
    finding = _locked(finding_id, site_ids)
    if finding.status == "RESOLVED":
        raise Problem(409, "The finding is resolved already.")
    if finding.status == "NEW":
        finding.status = "ACKNOWLEDGED"
        finding.acknowledged_at, finding.acknowledged_by = now, user_id
        session().flush()
        announce("finding_updated", finding)
    return finding


def resolve(
    finding_id: int,
    resolution: str,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Finding:
    """Say how it ended. Sends ``finding_resolved``.

    404; 409 where it was resolved with another resolution; 422 for an unknown one. The same
    again changes nothing.
    """
    if resolution not in RESOLUTIONS:
        reason = f"must be one of {', '.join(RESOLUTIONS)}"
        raise Problem(
            422,
            "The finding was not resolved.",
            errors=[{"field": "resolution", "reason": reason}],
        )
    if resolution == FALSE_POSITIVE:
        hold(findings=[finding_id])
    finding = _locked(finding_id, site_ids)
    if finding.status == "RESOLVED":
        if finding.resolution == resolution:
            return finding
        raise Problem(409, f"The finding was resolved as {finding.resolution} already.")
    mark_resolved(finding, resolution, note, user_id=user_id, now=now)
    session().flush()
    tell_resolved(finding, now)
    return finding


def announce(event_type: str, finding: Finding) -> None:
    """Log ``event_type`` with the caller's transaction, in the fields of the feed's frame."""
    emit(
        event_type,
        {
            "finding_id": finding.id,
            "finding_type": finding.finding_type,
            "category": finding.category,
            "severity": finding.severity,
            "title": finding.title,
            "evidence_summary": finding.evidence_summary,
            "status": finding.status,
            "detected_at": finding.detected_at,
            "person_id": finding.person_id,
        },
        tenant_id=finding.tenant_id,
        site_id=finding.site_id,
        finding_id=finding.id,
        alert_id=finding.alert_id,
        news=(
            News("finding_opened", cast(Severity, finding.severity))
            if event_type == "finding_created"
            else None
        ),
    )


def mark_resolved(
    finding: Finding, resolution: str, note: str | None, *, user_id: int | None, now: dt.datetime
) -> None:
    """Set the columns of a resolved finding; :func:`tell_resolved` after the flush tells of it."""
    finding.status, finding.resolution, finding.resolution_note = "RESOLVED", resolution, note
    finding.resolved_at, finding.resolved_by = now, user_id


def tell_resolved(finding: Finding, now: dt.datetime) -> None:
    """Announce a finding that was just resolved, and send ``finding_resolved``.

    What that set off is kept in the finding's evidence, under :data:`SET_OFF`.
    """
    announce("finding_updated", finding)
    sent = finding_resolved.send(
        "audit",
        finding=finding,
        resolution=finding.resolution,
        user_id=finding.resolved_by,
        now=now,
    )
    if told := set_off(sent, now):
        finding.evidence = {**finding.evidence, SET_OFF: told}
        session().flush()


def _locked(finding_id: int, site_ids: Collection[int] | None) -> Finding:
    query = select(Finding).where(Finding.tenant_id == required_tenant(), Finding.id == finding_id)
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    finding = session().scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if finding is None:
        raise not_found("finding")
    return finding


def _row(number: int, draft: Draft) -> dict[str, Any]:
    return {
        "n": number,
        "finding_type": draft.finding_type,
        "category": draft.category,
        "severity": draft.severity,
        "title": draft.title,
        "site_id": draft.site_id,
        "person_id": draft.person_id,
        "subject": draft.subject,
        "window_start": draft.window_start.isoformat(),
        "window_end": draft.window_end.isoformat(),
        "evidence": draft.evidence,
        "summary": draft.summary,
        "alert_id": draft.alert_id,
    }
