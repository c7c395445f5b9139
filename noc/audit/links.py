"""What hangs together: open findings with incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select

from noc.audit.models import Finding
from noc.extensions import session
from noc.identity.site_settings import SiteSettings
from noc.incidents.correlation import correlate
from noc.incidents.models import Incident
from noc.incidents.scoring import Signal

FRESH = dt.timedelta(minutes=75)
"""Findings up to so old are matched again: an alert may come after its signal."""


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
