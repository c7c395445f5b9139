"""Tickets of suspicious punches: one open per person and fraud type, later punches join it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from noc.domain import Severity
from noc.extensions import session
from noc.fraud.reasons import Reason
from noc.fraud.thresholds import Thresholds
from noc.monitoring import metrics
from noc.tickets.workflow import TicketDraft, open_once
from noc.workforce.models import Site


@dataclass(frozen=True, slots=True)
class Suspect:
    """A punch whose anomaly was just logged."""

    anomaly_id: uuid.UUID
    punch_id: int
    person_id: int
    person_name: str
    site_id: int
    occurred_at: dt.datetime
    anomaly_types: list[str]
    fraud_type: str
    model_alone: bool
    fraud_score: float
    severity: Severity
    model_version: str
    reasons: list[Reason]
    evidence: dict[str, Any]

    @property
    def headline(self) -> str:
        """The weightiest reason, or the score where there is none."""
        if self.reasons:
            return self.reasons[0]["sentence"]
        return f"fraud score {self.fraud_score:.2f}."


def open_tickets(
    suspects: Sequence[Suspect],
    alert_ids: Sequence[int],
    config: Thresholds,
    *,
    muted: Collection[int] = (),
    tenant_id: int,
    now: dt.datetime,
) -> list[int | None]:
    """The ticket of each suspect: opened, joined, or None below its site's threshold.

    None, too, where its alert is among the ``muted``: a suppression window keeps it quiet.
    """
    wanted = [
        index
        for index, suspect in enumerate(suspects)
        if suspect.fraud_score >= config.at(suspect.site_id).fraud_score_ticket_threshold
        and alert_ids[index] not in muted
    ]
    tickets: list[int | None] = [None] * len(suspects)
    if not wanted:
        return tickets
    managers = _managers({suspects[index].site_id for index in wanted}, tenant_id)
    drafts = [
        _draft(
            suspects[index],
            alert_ids[index],
            managers.get(suspects[index].site_id),
            config.at(suspects[index].site_id).fraud_deduplication_hours,
        )
        for index in wanted
    ]
    for index, opened in zip(wanted, open_once(drafts, now=now), strict=True):
        tickets[index] = opened.ticket_id
        if opened.created:
            metrics.FRAUD_TICKETS.inc()
    return tickets


def _draft(suspect: Suspect, alert_id: int, assignee: int | None, hours: float) -> TicketDraft:
    return TicketDraft(
        title=f"[FRAUD ALERT] {suspect.person_name} - {suspect.fraud_type}",
        description=_description(suspect),
        priority="HIGH",
        category="SECURITY_FRAUD",
        source="AUTOMATED_FRAUD",
        site_id=suspect.site_id,
        person_id=suspect.person_id,
        assignee_id=assignee,
        metadata={
            "anomaly_log_id": str(suspect.anomaly_id),
            "fraud_score": suspect.fraud_score,
            "fraud_type": suspect.fraud_type,
            "auto_created": True,
        },
        evidence=(("punch", str(suspect.punch_id)), ("alert", str(alert_id))),
        slot=f"fraud:{suspect.person_id}:{suspect.fraud_type}",
        slot_hours=hours,
    )


def _description(suspect: Suspect) -> str:
    lines = [
        f"A punch of {suspect.occurred_at:%Y-%m-%d %H:%M} UTC scored {suspect.fraud_score:.2f} "
        f"({suspect.severity}, {suspect.model_version}).",
        "",
        *(f"- {reason['sentence']}" for reason in suspect.reasons),
        "",
        "A score is a reason to ask, not a verdict: hear the guard before deciding.",
    ]
    return "\n".join(lines)


def _managers(site_ids: set[int], tenant_id: int) -> dict[int, int | None]:
    """Who gets the ticket: the site's security manager, else its site manager."""
    rows = session().execute(
        select(
            Site.id, func.coalesce(Site.security_manager_id, Site.site_manager_id).label("manager")
        ).where(Site.tenant_id == tenant_id, Site.id.in_(site_ids))
    )
    return {row.id: row.manager for row in rows}
