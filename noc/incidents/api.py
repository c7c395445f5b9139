"""REST of incidents, and of the correlations that telemetry shows."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import redis_client, session
from noc.identity.capabilities import OPERATE, VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.incidents import investigation, queries, schemas
from noc.incidents.models import Incident
from noc.rest.body import allow_empty_body
from noc.rest.cache import cached
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import uuid_cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import not_found

bp = APIBlueprint("incidents", __name__, url_prefix=API_PREFIX)
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ID = "<uuid:incident_id>"


@bp.get("/incidents/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.IncidentQuery, location="query", arg_name="query")
def list_incidents(query: schemas.IncidentQuery) -> Any:
    """Incidents, latest first, filtered by what they show."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_incidents(
        query,
        now=utcnow(),
        site_ids=required_principal().site_ids,
        limit=limit,
        after=uuid_cursor_key(),
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get(f"/incidents/{_ID}/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_incident(incident_id: uuid.UUID) -> Any:
    """One incident: its signals, its alerts with the parts of their scores, its notes."""
    return success(_shown(incident_id))


@bp.post(f"/incidents/{_ID}/investigate/")
@bp.doc(security=_SECURITY, responses={409: "Closed"})
@require(OPERATE)
@bp.input(schemas.InvestigateIn, arg_name="body")
def investigate_incident(incident_id: uuid.UUID, body: schemas.InvestigateIn) -> Any:
    """Write down what was looked into; who and when is kept."""
    return _changed(investigation.investigate(incident_id, body.note, **_who()))


@bp.post(f"/incidents/{_ID}/root-cause/")
@bp.doc(security=_SECURITY, responses={409: "Closed"})
@require(OPERATE)
@bp.input(schemas.RootCauseIn, arg_name="body")
def name_root_cause(incident_id: uuid.UUID, body: schemas.RootCauseIn) -> Any:
    """Say what was behind it."""
    return _changed(investigation.name_root_cause(incident_id, body.description, **_who()))


@bp.post(f"/incidents/{_ID}/close/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.CloseIn, arg_name="body")
def close_incident(incident_id: uuid.UUID, body: schemas.CloseIn) -> Any:
    """Close it: what comes later opens another."""
    return _changed(investigation.close(incident_id, note=body.note, **_who()))


@bp.post(f"/incidents/{_ID}/reopen/")
@bp.doc(security=_SECURITY, responses={409: "Another of the same is open"})
@require(OPERATE)
@bp.input(schemas.CloseIn, arg_name="body")
def reopen_incident(incident_id: uuid.UUID, body: schemas.CloseIn) -> Any:
    """Take a closed incident up again."""
    return _changed(investigation.reopen(incident_id, note=body.note, **_who()))


@bp.get("/telemetry/correlations/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.CorrelationQuery, location="query", arg_name="query")
def list_correlations(query: schemas.CorrelationQuery) -> Any:
    """Signals and alerts that were found to belong together in the last `hours`.

    Kept for a minute: see `cached` and `collected_at`; `fresh=1` asks anew.
    """
    principal = required_principal()
    after = uuid_cursor_key()
    sites = "all" if principal.site_ids is None else str(sorted(principal.site_ids))
    asked = f"{query.model_dump_json(exclude={'fresh'})}|{sites}"
    answer, kept = cached(
        redis_client(),
        f"{principal.tenant_id}:correlations:{hashlib.sha256(asked.encode()).hexdigest()[:24]}",
        tenant_settings().telemetry_cache_ttl,
        lambda: _correlations(query, principal.site_ids, after),
        fresh=query.fresh,
    )
    return success(answer["data"], cached=kept, pagination=answer["pagination"])


def _correlations(
    query: schemas.CorrelationQuery, site_ids: frozenset[int] | None, after: queries.Key | None
) -> dict[str, Any]:
    now = utcnow()
    limit = query.limit or DEFAULT_LIMIT
    filters = schemas.IncidentFilters(
        site_id=(query.site_id,) if query.site_id else (),
        min_severity=query.min_severity,
        min_score=None,
        older_than_hours=None,
        since=now - dt.timedelta(hours=query.hours),
    )
    page = queries.list_incidents(filters, now=now, site_ids=site_ids, limit=limit, after=after)
    data = {
        "collected_at": now.isoformat(),
        "hours": query.hours,
        "correlations": [_plain(item) for item in page.items],
    }
    return {"data": data, "pagination": page.pagination(limit)}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it, since it is kept as JSON."""
    return {
        name: value.isoformat()
        if hasattr(value, "isoformat")
        else str(value)
        if isinstance(value, uuid.UUID)
        else value
        for name, value in item.items()
    }


def _who() -> dict[str, Any]:
    principal = required_principal()
    return {"user_id": principal.user_id, "site_ids": principal.site_ids, "now": utcnow()}


def _changed(incident: Incident) -> Any:
    session().commit()
    return success(_shown(incident.id))


def _shown(incident_id: uuid.UUID) -> dict[str, Any]:
    incident = queries.find_incident(incident_id, site_ids=required_principal().site_ids)
    if incident is None:
        raise not_found("incident")
    return incident
