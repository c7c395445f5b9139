"""Scored punches with what follows from them, without scoring."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from noc.alerts.process import AlertInput, process_alert
from noc.domain import risk_level, risk_severity
from noc.events.log import emit
from noc.fraud.features import FEATURES
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.tickets.workflow import TicketDraft, open_once
from noc.workforce.models import Person, Site
from tests.factories import Make


@dataclass(frozen=True)
class Scored:
    """Ids of a scored punch, of its alert and of its ticket."""

    punch: int
    alert: int
    ticket: int


def scored(
    make: Make,
    person: Person,
    site: Site,
    *,
    score: float = 0.91,
    kind: str = "BUDDY_PUNCHING",
    sentence: str = "The same phone punched for somebody else 40 s before.",
    at: dt.datetime | None = None,
) -> Scored:
    """A punch with its score, anomaly, alert and ticket; now, unless told otherwise."""
    at = at or dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    punch = make.punch(person, site, occurred_at=at, scored_at=at)
    about = {
        "attendance_event_id": punch.id,
        "person_id": person.id,
        "site_id": site.id,
        "occurred_at": at,
        "fraud_score": score,
        "reasons": [{"rule": kind, "feature": None, "weight": 0.9, "sentence": sentence,
                     "value": 40.0, "usual": None}],
    }  # fmt: skip
    level = risk_level(score)
    make.row(
        PredictionLog,
        about
        | {
            "features": [None] * len(FEATURES),
            "risk_level": level,
            "model_type": "rules",
            "model_version": "rules",
        },
    )
    alert = process_alert(
        AlertInput(
            alert_type="ATTENDANCE_ANOMALY",
            severity=risk_severity(level),
            message=f"{person.name}: {sentence}",
            occurred_at=at,
            site_id=site.id,
            person_id=person.id,
            entity_type="punch",
            entity_id=str(punch.id),
        ),
        now=at,
    )
    draft = TicketDraft(
        title=f"[FRAUD ALERT] {person.name} - {kind}",
        description=sentence,
        priority="HIGH",
        category="SECURITY_FRAUD",
        source="AUTOMATED_FRAUD",
        site_id=site.id,
        person_id=person.id,
        evidence=(("punch", str(punch.id)), ("alert", str(alert.id))),
    )
    (ticket,) = open_once([draft], now=at)
    anomaly = make.row(
        AnomalyLog,
        about
        | {
            "anomaly_types": [kind],
            "fraud_type": kind,
            "severity": risk_severity(level),
            "evidence": {},
            "alert_id": alert.id,
            "ticket_id": ticket.ticket_id,
        },
    )
    emit(
        "anomaly_detected",
        {
            "anomaly_id": str(anomaly.id),
            "person_id": person.id,
            "person_name": person.name,
            "anomaly_type": kind,
            "anomaly_types": [kind],
            "fraud_score": score,
            "severity": risk_severity(level),
            "evidence": [sentence],
            "alert_id": alert.id,
            "ticket_id": ticket.ticket_id,
        },
        tenant_id=make.tenant_id,
        site_id=site.id,
    )
    return Scored(punch.id, alert.id, ticket.ticket_id)
