"""How many incidents each choice of each filter would list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, select, union_all

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.incidents.models import Incident
from noc.incidents.queries import filtered
from noc.incidents.schemas import IncidentFilters

_FACETS: dict[str, tuple[Any, dict[str, Any]]] = {
    "status": (Incident.status, {"status": (), "unresolved": False}),
    "severity": (Incident.combined_severity, {"min_severity": None}),
    "site": (Incident.site_id, {"site_id": ()}),
}
"""What is counted by, and the filters that are left out of that count: the facet's own."""


def incident_facets(
    filters: IncidentFilters, *, now: dt.datetime, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """``total`` of the list, and counts by ``status``, ``severity`` and ``site`` (id as text).

    A facet's own filter is left out of its counts, so that the alternatives can be seen. One
    query.
    """
    parts = [_counted("total", literal(""), filters, now, site_ids)]
    for name, (column, own) in _FACETS.items():
        others = filters.model_copy(update=own)
        parts.append(_counted(name, cast(column, String), others, now, site_ids))
    counts: dict[str, dict[str, int]] = {name: {} for name in ("total", *_FACETS)}
    for facet, value, count in session().execute(union_all(*parts)):
        counts[facet][value or ""] = count
    return {**counts, "total": sum(counts["total"].values())}


def _counted(
    name: str,
    value: Any,
    filters: IncidentFilters,
    now: dt.datetime,
    site_ids: Collection[int] | None,
) -> Select[Any]:
    query = select(literal(name), value, func.count()).where(
        Incident.tenant_id == required_tenant()
    )
    if site_ids is not None:
        query = query.where(Incident.site_id.in_(site_ids))
    query = filtered(query, filters, now)
    return query if name == "total" else query.group_by(value)
