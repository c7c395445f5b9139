"""Rows of the audit as they are stored, for pages to show: a finding, an incident, a baseline."""

from __future__ import annotations

import datetime as dt
from typing import Any

from noc.audit.models import BaselineProfile, Finding
from noc.database.base import new_uuid, utcnow
from noc.incidents.models import Incident
from noc.workforce.models import Person, Site
from tests.factories import Make

HOUR = dt.timedelta(hours=1)


def finding(make: Make, person: Person, site: Site, **values: Any) -> Finding:
    """A silent phone, found an hour ago."""
    at = values.pop("at", utcnow() - HOUR)
    defaults = {
        "finding_type": "DEVICE_SILENT",
        "category": "DEVICE_HEALTH",
        "severity": "HIGH",
        "title": f"{person.name} is silent at {site.name}",
        "evidence_summary": f"Nothing has been heard of {person.name}.",
        "site_id": site.id,
        "person_id": person.id,
        "subject": f"person:{person.id}",
        "window_start": at - HOUR,
        "window_end": at,
        "evidence": {},
        "detected_at": at,
    }
    return make.row(Finding, defaults | values)


def incident(make: Make, found: Finding, **values: Any) -> Incident:
    """An incident of the finding alone."""
    told = {
        "kind": found.finding_type,
        "severity": found.severity,
        "from": found.window_start.isoformat(),
        "to": found.window_end.isoformat(),
        "summary": found.evidence_summary,
    }
    defaults = {
        "id": new_uuid(),
        "slot": f"{found.subject}|{found.id}",
        "person_id": found.person_id,
        "site_id": found.site_id,
        "signals": {f"finding:{found.id}": told},
        "combined_severity": found.severity,
        "correlation_score": 0.8,
        "score_parts": {"time": 0.4, "entity": 0.35, "severity": 0.05},
        "correlation_type": "PERSON",
        "correlation_window_minutes": 15,
        "window_start": found.window_start,
        "window_end": found.window_end,
        "detected_at": found.detected_at,
    }
    return make.row(Incident, defaults | values)


def baseline(make: Make, site: Site, **values: Any) -> BaselineProfile:
    """What is usual of the phone's events at all hours: 20, give or take 4."""
    defaults = {
        "site_id": site.id,
        "metric_type": "phone_events_count",
        "level": "all",
        "slot": 0,
        "mean": 20.0,
        "std_dev": 4.0,
        "m2": 16.0 * 99,
        "sample_count": 100,
        "first_sample_at": utcnow() - 480 * HOUR,
        "last_sample_at": utcnow() - 3 * HOUR,
        "is_stable": True,
    }
    return make.row(BaselineProfile, defaults | values)
