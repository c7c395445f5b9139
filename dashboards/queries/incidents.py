"""Incidents: the list with its counts, one with its story."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from dashboards.queries.reader import seen_sites
from noc.audit import story
from noc.incidents import facets
from noc.incidents.queries import IncidentPage, Key, find_incident, list_incidents
from noc.incidents.schemas import IncidentFilters


def filters(
    state: str | None, severity: str | None, site: int | None, days: int | None, now: dt.datetime
) -> IncidentFilters:
    """The filters of the list; ValidationError for a value that it does not offer."""
    return IncidentFilters.model_validate(
        {
            "status": state if state not in (None, "open", "all") else (),
            "unresolved": state in (None, "open"),
            "min_severity": severity or None,
            "site_id": (site,) if site else (),
            "since": now - dt.timedelta(days=days) if days else None,
        }
    )


def page(
    wanted: IncidentFilters, *, now: dt.datetime, limit: int, after: Key | None = None
) -> IncidentPage:
    """A page of incidents, latest first."""
    return list_incidents(wanted, now=now, site_ids=seen_sites(), limit=limit, after=after)


def counts(wanted: IncidentFilters, now: dt.datetime) -> dict[str, Any]:
    """How many incidents each choice of each filter would list."""
    return facets.incident_facets(wanted, now=now, site_ids=seen_sites())


def one(incident_id: uuid.UUID) -> dict[str, Any] | None:
    """An incident with its alerts and notes; None if it is not to be seen."""
    return find_incident(incident_id, site_ids=seen_sites())


def told(incident: dict[str, Any], now: dt.datetime) -> story.Story:
    """What happened around the incident, as far as this reader may see it."""
    return story.tell(incident, now=now, site_ids=seen_sites())
