"""What was heard of people in a window of time: the signals that detectors judge by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.extensions import session
from noc.telemetry.movement import distance_travelled

# Fixes travel as packed floats, one row a person: reading them one row a fix costs ten times as
# much. Ties in time are broken by external_id, so that the order of arrival never matters.
_COLLECT = text(
    """
    SELECT 'locations' AS kind, person_id, count(*) AS count, max(occurred_at) AS last_at,
           string_agg(
               float8send(lat) || float8send(lon) || float8send(coalesce(accuracy, 0))
                   || float8send(CAST(extract(epoch FROM occurred_at) AS float8)),
               CAST('' AS bytea) ORDER BY occurred_at, external_id
           ) AS fixes
      FROM location_update
     WHERE tenant_id = :tenant_id AND person_id = ANY(CAST(:people AS bigint[]))
       AND occurred_at BETWEEN :start AND :end
     GROUP BY person_id
    UNION ALL
    SELECT 'phone', person_id, count(*) FILTER (WHERE event_type <> 'heartbeat'),
           max(occurred_at), NULL
      FROM phone_event
     WHERE tenant_id = :tenant_id AND person_id = ANY(CAST(:people AS bigint[]))
       AND occurred_at BETWEEN :start AND :end
     GROUP BY person_id
    UNION ALL
    SELECT 'tasks', person_id, count(*), max(occurred_at), NULL
      FROM task_completion
     WHERE tenant_id = :tenant_id AND person_id = ANY(CAST(:people AS bigint[]))
       AND occurred_at BETWEEN :start AND :end
     GROUP BY person_id
    UNION ALL
    SELECT 'scans', person_id, count(*), max(endtime), NULL
      FROM jobneed
     WHERE tenant_id = :tenant_id AND person_id = ANY(CAST(:people AS bigint[]))
       AND kind = 'checkpoint' AND endtime BETWEEN :start AND :end
     GROUP BY person_id
    """
)

_COUNTS = {
    "locations": "location_updates_count",
    "phone": "phone_events_count",
    "tasks": "tasks_completed_count",
    "scans": "tour_checkpoints_scanned",
}


@dataclass(frozen=True, slots=True)
class Signals:
    """What was heard of one person in a window.

    ``phone_events_count`` leaves heartbeats out: they tell of the phone, not of the guard.
    ``last_signal_at`` is the latest of any kind, heartbeats included; None for silence.
    """

    phone_events_count: int = 0
    location_updates_count: int = 0
    movement_distance_meters: float = 0.0
    tasks_completed_count: int = 0
    tour_checkpoints_scanned: int = 0
    last_signal_at: dt.datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """The five signals by name; the distance to the centimetre."""
        return {
            "phone_events_count": self.phone_events_count,
            "location_updates_count": self.location_updates_count,
            "movement_distance_meters": round(self.movement_distance_meters, 2),
            "tasks_completed_count": self.tasks_completed_count,
            "tour_checkpoints_scanned": self.tour_checkpoints_scanned,
        }


def collect_signals(
    person_ids: Sequence[int], *, tenant_id: int, start: dt.datetime, end: dt.datetime
) -> dict[int, Signals]:
    """The signals of each person from ``start`` to ``end``, both included.

    Everyone asked for has an entry, silent or not. One query, however many people.
    """
    found = dict.fromkeys(person_ids, Signals())
    if not found:
        return found
    parameters = {"tenant_id": tenant_id, "people": list(found), "start": start, "end": end}
    for row in session().execute(_COLLECT, parameters):
        signals = found[row.person_id]
        latest = max(filter(None, (signals.last_signal_at, row.last_at)))
        changes: dict[str, Any] = {_COUNTS[row.kind]: row.count, "last_signal_at": latest}
        if row.fixes is not None:
            changes["movement_distance_meters"] = _distance(row.fixes)
        found[row.person_id] = replace(signals, **changes)
    return found


def _distance(fixes: bytes) -> float:
    columns = np.frombuffer(fixes, dtype=">f8").reshape(-1, 4).T
    lat, lon, accuracy, seconds = columns
    return distance_travelled(lat, lon, accuracy, seconds)
