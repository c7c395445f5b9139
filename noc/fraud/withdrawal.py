"""A punch that no longer counts takes back what was said of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.fraud.models import AnomalyLog
from noc.tickets.workflow import comment


def on_punch_voided(
    _: Any,
    *,
    tenant_id: int,
    punch_id: int,
    reason: str,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    """Close the punch's alert as EXPIRED, and say so on its ticket.

    The ticket stays open: it may be about other punches too, and whether a wrong punch is harmless
    is for a person to decide. The prediction and the anomaly stay on record.
    """
    scores_changed(session(), tenant_id)
    anomaly = session().scalar(
        select(AnomalyLog).where(
            AnomalyLog.tenant_id == tenant_id, AnomalyLog.attendance_event_id == punch_id
        )
    )
    if anomaly is None:
        return
    note = f"Punch {punch_id} was voided: {reason}"
    if anomaly.alert_id is not None:
        step = Step("resolve", now, user_id, note, resolution="EXPIRED")
        # Resolved already: what people decided stays.
        take(step, [anomaly.alert_id])
    if anomaly.ticket_id is not None:
        comment(anomaly.ticket_id, note, user_id=user_id, now=now)
