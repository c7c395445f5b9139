"""Serious findings become work: one ticket a finding type and site, for the site's supervisor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select, text

from noc.alerts.models import Alert
from noc.audit.findings import announce
from noc.audit.models import Finding
from noc.audit.watch import read_sites
from noc.extensions import session
from noc.identity.site_settings import SiteSettings
from noc.tickets.workflow import TicketDraft, open_once

PRIORITIES = {"CRITICAL": "HIGH"}
"""Priority of the ticket by the finding's severity; MEDIUM for all others that get one."""

_LINK = text(
    """
    UPDATE audit_finding f SET escalated_to_ticket = true,
        escalation_ticket_id = r.ticket_id, escalated_at = :now
    FROM unnest(CAST(:findings AS bigint[]), CAST(:tickets AS bigint[])) AS r (id, ticket_id)
    WHERE f.tenant_id = :tenant AND f.id = r.id AND f.escalation_ticket_id IS NULL
    RETURNING f.id
    """
)


def escalate(
    findings: Sequence[Finding], config: SiteSettings, *, tenant_id: int, now: dt.datetime
) -> int:
    """Open or join a ticket for each finding that is serious enough; how many were escalated.

    Which severities are: AUDIT_FINDING_TICKET_SEVERITIES of the site. The ticket's slot lets one
    be open for TICKET_DEDUPLICATION_HOURS, whoever comes at the same moment; later findings join
    it as evidence. Escalating twice is escalating once. A finding of an alert that a suppression
    window mutes opens none. A constant number of statements; the
    caller commits.
    """
    serious = [
        finding
        for finding in findings
        if finding.site_id is not None
        and finding.escalation_ticket_id is None
        and finding.severity in config.at(finding.site_id).audit_finding_ticket_severities
    ]
    muted = _muted(serious, tenant_id)
    serious = [finding for finding in serious if finding.alert_id not in muted]
    if not serious:
        return 0
    sites = read_sites({f.site_id for f in serious if f.site_id}, tenant_id=tenant_id)
    drafts = []
    for finding in serious:
        site = sites[finding.site_id or 0]
        drafts.append(
            _draft(
                finding,
                site.name,
                site.noc_supervisor_id,
                config.at(site.id).ticket_deduplication_hours,
            )
        )
    opened = open_once(drafts, now=now)
    linked = session().scalars(
        _LINK,
        {
            "tenant": tenant_id,
            "now": now,
            "findings": [finding.id for finding in serious],
            "tickets": [ticket.ticket_id for ticket in opened],
        },
    )
    escalated = session().scalars(
        select(Finding)
        .where(Finding.tenant_id == tenant_id, Finding.id.in_(linked.all()))
        .order_by(Finding.id)
        .execution_options(populate_existing=True)
    )
    count = 0
    for finding in escalated:
        announce("finding_updated", finding)
        count += 1
    return count


def _muted(findings: Sequence[Finding], tenant_id: int) -> set[int]:
    """The alerts of the findings that are muted. One query, or none."""
    alerts = {finding.alert_id for finding in findings if finding.alert_id is not None}
    if not alerts:
        return set()
    return set(
        session().scalars(
            select(Alert.id).where(
                Alert.tenant_id == tenant_id, Alert.id.in_(alerts), Alert.muted_until.is_not(None)
            )
        )
    )


def _draft(finding: Finding, site_name: str, supervisor: int | None, hours: float) -> TicketDraft:
    evidence = [("finding", str(finding.id))]
    if finding.alert_id is not None:
        evidence.append(("alert", str(finding.alert_id)))
    return TicketDraft(
        title=f"[AUTO] {finding.finding_type}: {site_name}",
        description=_description(finding),
        priority=PRIORITIES.get(finding.severity, "MEDIUM"),
        category="SECURITY_AUDIT",
        source="AUTOMATED_AUDIT",
        site_id=finding.site_id,
        person_id=finding.person_id,
        assignee_id=supervisor,
        metadata={
            "finding_id": finding.id,
            "finding_type": finding.finding_type,
            "auto_created": True,
        },
        evidence=evidence,
        slot=f"audit:{finding.finding_type}:{finding.site_id}",
        slot_hours=hours,
    )


def _description(finding: Finding) -> str:
    return "\n".join(
        [
            f"{finding.title} ({finding.severity}, {finding.category.lower().replace('_', ' ')}).",
            "",
            finding.evidence_summary,
            "",
            f"Looked at: {finding.window_start:%Y-%m-%d %H:%M} to {finding.window_end:%H:%M} UTC. "
            "Later findings of the same kind on this site join this ticket as evidence.",
        ]
    )
