"""A call for help from a phone is a CRITICAL alert at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from noc.alerts.process import AlertInput, ProcessedAlert, process_alerts
from noc.extensions import session

# Where the person is on duty, else where they usually work: limited to their sites, operators
# would not see an alert of no site.
_CALLERS = text(
    """
    SELECT call.n, person.name, coalesce(duty.site_id, person.home_site_id) AS site_id
    FROM unnest(CAST(:people AS bigint[]), CAST(:moments AS timestamptz[]))
         WITH ORDINALITY AS call(person_id, at, n)
    JOIN person ON person.tenant_id = :tenant_id AND person.id = call.person_id
    LEFT JOIN LATERAL (
        SELECT shift.site_id FROM shift
        WHERE shift.tenant_id = :tenant_id
          AND ((shift.person_id = call.person_id AND shift.swapped_with_id IS NULL)
               OR shift.swapped_with_id = call.person_id)
          AND shift.starts_at <= call.at AND shift.ends_at > call.at
        ORDER BY shift.starts_at DESC LIMIT 1
    ) AS duty ON true
    """
)


def raise_sos_alerts(
    _: Any,
    *,
    tenant_id: int,
    events: Sequence[Mapping[str, Any]],
    now: dt.datetime,
    **__: Any,
) -> list[ProcessedAlert]:
    """Listens to ``noc.telemetry.announcements.sos_received``: one alert for each call.

    The same call (by person and ``external_id``) told twice is one alert.
    """
    callers = {
        row.n - 1: row
        for row in session().execute(
            _CALLERS,
            {
                "tenant_id": tenant_id,
                "people": [event["person_id"] for event in events],
                "moments": [event["occurred_at"] for event in events],
            },
        )
    }
    alerts = [_alert(event, callers[index]) for index, event in enumerate(events)]
    return process_alerts(alerts, now=now)


def _alert(event: Mapping[str, Any], caller: Any) -> AlertInput:
    return AlertInput(
        alert_type="SOS",
        severity="CRITICAL",
        message=f"{caller.name} called for help",
        occurred_at=event["occurred_at"],
        dedup_key=f"SOS|person={event['person_id']}|call={event['external_id']}",
        site_id=caller.site_id,
        person_id=event["person_id"],
        entity_type="person",
        entity_id=str(event["person_id"]),
        metadata={
            "external_id": event["external_id"],
            "lat": event.get("lat"),
            "lon": event.get("lon"),
        },
    )
