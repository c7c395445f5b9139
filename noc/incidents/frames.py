"""What the feed is told about an incident."""

from __future__ import annotations

from typing import Literal, cast

from sqlalchemy import select

from noc.domain import Severity
from noc.events.log import emit
from noc.events.news import News
from noc.extensions import session
from noc.incidents.models import Incident, IncidentAlert
from noc.workforce.references import look_up


def announce_incident(
    event_type: Literal["correlation_identified", "incident_updated"], incident: Incident
) -> None:
    """Log ``event_type`` with the caller's transaction, in the fields of the feed's frame."""
    alert_ids = session().scalars(
        select(IncidentAlert.alert_id)
        .where(
            IncidentAlert.tenant_id == incident.tenant_id, IncidentAlert.incident_id == incident.id
        )
        .order_by(IncidentAlert.alert_id)
    )
    names = look_up([incident.person_id], ()).people
    emit(
        event_type,
        {
            "incident_id": incident.id,
            "person_id": incident.person_id,
            "person_name": names.get(incident.person_id or 0),
            "combined_severity": incident.combined_severity,
            "correlation_score": incident.correlation_score,
            "alert_ids": list(alert_ids),
            "status": incident.status,
        },
        tenant_id=incident.tenant_id,
        site_id=incident.site_id,
        incident_id=incident.id,
        news=(
            News("incident_identified", cast(Severity, incident.combined_severity))
            if event_type == "correlation_identified"
            else None
        ),
    )
