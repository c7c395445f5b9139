"""Reading incidents: lists, one with its alerts and notes, and those that nobody has closed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import aliased

from noc.alerts.models import Alert
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES, severity_rank
from noc.extensions import session
from noc.identity.models import User
from noc.incidents.models import Incident, IncidentAlert
from noc.incidents.schemas import IncidentFilters
from noc.rest.envelope import encode_cursor
from noc.workforce.models import Person, Site

Key = tuple[dt.datetime, uuid.UUID]
"""The sort key of an incident: when it was detected, and its id."""

_Investigator = aliased(User, name="investigator")

_SHOWN = (
    Incident.id,
    Incident.person_id,
    Person.name.label("person_name"),
    Incident.site_id,
    Site.name.label("site_name"),
    Incident.combined_severity,
    Incident.correlation_score,
    Incident.score_parts,
    Incident.correlation_type,
    Incident.correlation_window_minutes,
    Incident.window_start,
    Incident.window_end,
    Incident.status,
    Incident.detected_at,
    Incident.updated_at,
    Incident.signals,
    Incident.investigated_at,
    Incident.investigated_by,
    _Investigator.name.label("investigated_by_name"),
    Incident.root_cause_identified,
    Incident.root_cause_description,
    Incident.closed_at,
)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents of a list and the key to go on from, None on the last page."""

    items: list[dict[str, Any]]
    after: Key | None

    def pagination(self, limit: int) -> dict[str, Any]:
        """The ``pagination`` member of the answer."""
        return {"next_cursor": encode_cursor(*self.after) if self.after else None, "limit": limit}


def list_incidents(
    filters: IncidentFilters,
    *,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    limit: int = 50,
    after: Key | None = None,
) -> IncidentPage:
    """A page of incidents, latest first, each with the ids of its alerts. Two queries.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    query = filtered(_visible(site_ids), filters, now)
    if after is not None:
        query = query.where(tuple_(Incident.detected_at, Incident.id) < tuple_(*after))
    rows = (
        session()
        .execute(query.order_by(Incident.detected_at.desc(), Incident.id.desc()).limit(limit + 1))
        .mappings()
        .all()
    )
    page = rows[:limit]
    alerts = _alert_ids([row["id"] for row in page])
    items = [{**row, "alert_ids": alerts.get(row["id"], [])} for row in page]
    last = (page[-1]["detected_at"], page[-1]["id"]) if len(rows) > limit else None
    return IncidentPage(items, last)


def find_incident(
    incident_id: uuid.UUID, *, site_ids: Collection[int] | None = None
) -> dict[str, Any] | None:
    """An incident with its alerts, the parts of their scores, and its notes; None if not seen."""
    query = _visible(site_ids).add_columns(Incident.investigation_notes)
    row = session().execute(query.where(Incident.id == incident_id)).mappings().one_or_none()
    if row is None:
        return None
    notes = _with_names(row["investigation_notes"])
    return {**row, "investigation_notes": notes, "alerts": _alerts(incident_id)}


def find_unresolved_incidents(
    *,
    now: dt.datetime,
    older_than: dt.timedelta = dt.timedelta(0),
    site_ids: Collection[int] | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Incidents of the tenant that nobody has closed and that were detected so long ago,

    oldest first: what is about to be forgotten.
    """
    query = (
        _visible(site_ids)
        .where(Incident.status != "CLOSED", Incident.detected_at <= now - older_than)
        .order_by(Incident.detected_at, Incident.id)
        .limit(limit)
    )
    return [dict(row) for row in session().execute(query).mappings()]


def _visible(site_ids: Collection[int] | None) -> Select[Any]:
    query = (
        select(*_SHOWN)
        .outerjoin(
            Person, (Person.tenant_id == Incident.tenant_id) & (Person.id == Incident.person_id)
        )
        .outerjoin(Site, (Site.tenant_id == Incident.tenant_id) & (Site.id == Incident.site_id))
        .outerjoin(
            _Investigator,
            (_Investigator.tenant_id == Incident.tenant_id)
            & (_Investigator.id == Incident.investigated_by),
        )
        .where(Incident.tenant_id == required_tenant())
    )
    return query if site_ids is None else query.where(Incident.site_id.in_(site_ids))


def filtered(query: Select[Any], filters: IncidentFilters, now: dt.datetime) -> Select[Any]:
    """The query with what the filters keep of ``noc_correlated_incident``."""
    if filters.status:
        query = query.where(Incident.status.in_(filters.status))
    if filters.unresolved:
        query = query.where(Incident.status != "CLOSED")
    if filters.site_id:
        query = query.where(Incident.site_id.in_(filters.site_id))
    for name in ("person_id", "root_cause_identified"):
        value = getattr(filters, name)
        if value is not None:
            query = query.where(getattr(Incident, name) == value)
    return query.where(*_bounds(filters, now))


def _bounds(filters: IncidentFilters, now: dt.datetime) -> Iterator[ColumnElement[bool]]:
    if filters.min_severity is not None:
        least = severity_rank(filters.min_severity)
        yield Incident.combined_severity.in_(SEVERITIES[least:])
    if filters.min_score is not None:
        yield Incident.correlation_score >= filters.min_score
    if filters.older_than_hours is not None:
        yield Incident.detected_at <= now - dt.timedelta(hours=filters.older_than_hours)
    if filters.since is not None:
        yield Incident.detected_at >= filters.since
    if filters.until is not None:
        yield Incident.detected_at < filters.until


def _alert_ids(incident_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[int]]:
    found: dict[uuid.UUID, list[int]] = {}
    if incident_ids:
        rows = session().execute(
            select(IncidentAlert.incident_id, IncidentAlert.alert_id)
            .where(
                IncidentAlert.tenant_id == required_tenant(),
                IncidentAlert.incident_id.in_(incident_ids),
            )
            .order_by(IncidentAlert.alert_id)
        )
        for incident_id, alert_id in rows:
            found.setdefault(incident_id, []).append(alert_id)
    return found


def _alerts(incident_id: uuid.UUID) -> list[dict[str, Any]]:
    rows = session().execute(
        select(
            Alert.id,
            Alert.alert_type,
            Alert.severity,
            Alert.message,
            Alert.status,
            Alert.person_id,
            Alert.site_id,
            Alert.occurred_at,
            Alert.last_seen_at,
            IncidentAlert.score,
            IncidentAlert.score_parts,
            IncidentAlert.added_at,
        )
        .join(
            IncidentAlert,
            (IncidentAlert.tenant_id == Alert.tenant_id) & (IncidentAlert.alert_id == Alert.id),
        )
        .where(Alert.tenant_id == required_tenant(), IncidentAlert.incident_id == incident_id)
        .order_by(Alert.occurred_at, Alert.id)
    )
    return [dict(row) for row in rows.mappings()]


def _with_names(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notes with the name of each writer."""
    writers = {note["user_id"] for note in notes if note["user_id"] is not None}
    names: dict[int, str] = {}
    if writers:
        rows = session().execute(
            select(User.id, User.name).where(
                User.tenant_id == required_tenant(), User.id.in_(writers)
            )
        )
        names = {row.id: row.name for row in rows}
    return [{**note, "user_name": names.get(note["user_id"])} for note in notes]
