"""Signals and alerts that belong together become one incident, which grows.

Whoever comes first: signals are matched with the alerts that are there, and are asked about
again in every cycle, so that an alert that comes after its signal finds it too. The incident is
the union of what was matched, its score and severity the highest, so that the order in which
things arrive does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from noc.database import locks
from noc.database.base import new_uuid
from noc.extensions import session
from noc.incidents.frames import announce_incident
from noc.incidents.models import Incident, IncidentAlert
from noc.incidents.scoring import AlertFact, Match, Signal, match, worst

LASTING = dt.timedelta(hours=24)
"""An alert that began earlier than this before a signal is no news of it, however long it lasts."""

_ALERTS = text(
    """
    SELECT a.id, a.alert_type, a.severity, a.site_id, a.person_id, a.occurred_at AS first_at,
           greatest(a.last_seen_at, a.occurred_at) AS last_at
    FROM noc_alert_event a
    WHERE a.tenant_id = :tenant AND a.occurred_at BETWEEN :since AND :until
      AND (a.person_id = ANY(:people) OR (a.person_id IS NULL AND a.site_id = ANY(:sites)))
      AND a.id <> ALL(:own) AND a.resolution IS DISTINCT FROM 'FALSE_POSITIVE'
      AND NOT EXISTS (
          SELECT FROM noc_incident_alert l
          JOIN noc_correlated_incident i ON i.tenant_id = l.tenant_id AND i.id = l.incident_id
          WHERE l.tenant_id = a.tenant_id AND l.alert_id = a.id AND i.status = 'CLOSED')
    ORDER BY a.id
    """
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident is about: a person at a site, or the site alone."""

    site_id: int
    person_id: int | None

    @property
    def name(self) -> str:
        """As text, the same for everyone."""
        person = f"person:{self.person_id}|" if self.person_id else ""
        return f"{person}site:{self.site_id}"


def correlate(
    signals: Sequence[Signal],
    *,
    tenant_id: int,
    now: dt.datetime,
    window_minutes: int,
    own_alerts: Iterable[int] = (),
) -> list[Incident]:
    """Match the signals with alerts, and open or grow the incidents; those that changed.

    ``own_alerts`` were raised by the signals themselves and tell nothing more. Alerts of a
    closed incident belong to it and open no other. Emits ``correlation_identified`` for what is
    new and ``incident_updated`` for what grew; the caller commits.
    """
    window = dt.timedelta(minutes=window_minutes)
    alerts = _alerts_near(signals, window, tenant_id, own_alerts)
    groups: dict[Subject, list[tuple[Signal, list[Match]]]] = {}
    for signal in signals:
        found = [found for alert in alerts if (found := match(signal, alert, window))]
        if found:
            subject = Subject(signal.site_id, signal.person_id)
            groups.setdefault(subject, []).append((signal, found))
    changed = []
    for subject in sorted(groups, key=lambda one: one.name):
        # Two workers with signals of the same person must not each open an incident: the second
        # waits until the first has committed, and then sees its incident.
        locks.hold(session(), f"incident:{tenant_id}:{subject.name}")
        for signal, matches in groups[subject]:
            incident = _take_in(subject, signal, matches, tenant_id, now, window_minutes)
            if incident is not None and incident not in changed:
                changed.append(incident)
    return changed


def _alerts_near(
    signals: Sequence[Signal], window: dt.timedelta, tenant_id: int, own: Iterable[int]
) -> list[AlertFact]:
    if not signals:
        return []
    rows = session().execute(
        _ALERTS,
        {
            "tenant": tenant_id,
            "since": min(signal.start for signal in signals) - LASTING,
            "until": max(signal.end for signal in signals) + window,
            "people": sorted({s.person_id for s in signals if s.person_id is not None}),
            "sites": sorted({signal.site_id for signal in signals}),
            "own": sorted(own),
        },
    )
    return [AlertFact(**row) for row in rows.mappings()]


def _take_in(
    subject: Subject,
    signal: Signal,
    matches: Sequence[Match],
    tenant_id: int,
    now: dt.datetime,
    window_minutes: int,
) -> Incident | None:
    """The open incident with the signal and its alerts in it; None where it had them already."""
    start = min([signal.start, *(found.alert.first_at for found in matches)])
    end = max([signal.end, *(found.alert.last_at for found in matches)])
    incident = _open_incident(subject, start, end, tenant_id, window_minutes)
    created = incident is None
    if incident is None:
        incident = _begin(subject, start, end, tenant_id, now, window_minutes)
    linked = _link(incident, matches, tenant_id, now)
    known = signal.key in incident.signals
    if known and not linked:
        return None
    best = max(matches, key=lambda found: (found.score, -found.alert.id))
    severities = [signal.severity, *(found.alert.severity for found in matches)]
    if created or best.score > incident.correlation_score:
        incident.correlation_score, incident.score_parts = best.score, dict(best.parts)
    if created:
        incident.combined_severity = worst(severities)
    else:
        incident.combined_severity = worst([incident.combined_severity, *severities])  # type: ignore[list-item]
    if any(found.alert.person_id is not None for found in matches):
        incident.correlation_type = "PERSON"
    incident.signals = incident.signals | {signal.key: _told(signal)}
    incident.window_start = min(incident.window_start, start)
    incident.window_end = max(incident.window_end, end)
    incident.updated_at = now
    session().flush()
    announce_incident("correlation_identified" if created else "incident_updated", incident)
    return incident


def _open_incident(
    subject: Subject, start: dt.datetime, end: dt.datetime, tenant_id: int, window_minutes: int
) -> Incident | None:
    """The subject's incident that is not closed and no more than a window away."""
    window = dt.timedelta(minutes=window_minutes)
    return session().scalar(
        select(Incident)
        .where(
            Incident.tenant_id == tenant_id,
            Incident.site_id == subject.site_id,
            Incident.person_id.is_not_distinct_from(subject.person_id),
            Incident.status != "CLOSED",
            Incident.window_start <= end + window,
            Incident.window_end >= start - window,
        )
        .order_by(Incident.window_start, Incident.id)
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _begin(
    subject: Subject,
    start: dt.datetime,
    end: dt.datetime,
    tenant_id: int,
    now: dt.datetime,
    window_minutes: int,
) -> Incident:
    incident = Incident(
        tenant_id=tenant_id,
        id=new_uuid(),
        slot=f"{subject.name}|{start.isoformat()}",
        person_id=subject.person_id,
        site_id=subject.site_id,
        signals={},
        combined_severity="INFO",
        correlation_score=0.0,
        score_parts={},
        correlation_type="SITE",
        correlation_window_minutes=window_minutes,
        window_start=start,
        window_end=end,
        status="OPEN",
        detected_at=now,
        updated_at=now,
    )
    session().add(incident)
    session().flush()
    return incident


def _link(
    incident: Incident, matches: Sequence[Match], tenant_id: int, now: dt.datetime
) -> set[int]:
    """Link the alerts; those that were new to the incident. The better score of two holds."""
    rows = [
        {
            "tenant_id": tenant_id,
            "incident_id": incident.id,
            "alert_id": found.alert.id,
            "score": found.score,
            "score_parts": dict(found.parts),
            "added_at": now,
        }
        for found in sorted(matches, key=lambda found: found.alert.id)
    ]
    statement = insert(IncidentAlert).values(rows)
    better = statement.excluded
    linked = session().execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "incident_id", "alert_id"],
            set_={"score": better.score, "score_parts": better.score_parts},
            where=better.score > IncidentAlert.score,
        ).returning(IncidentAlert.alert_id)
    )
    return set(linked.scalars())


def _told(signal: Signal) -> dict[str, Any]:
    return {
        "kind": signal.kind,
        "severity": signal.severity,
        "from": signal.start.isoformat(),
        "to": signal.end.isoformat(),
        **signal.told,
    }
