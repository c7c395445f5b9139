"""How many findings each choice of each filter would list, and where which kinds are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, String, case, cast, func, literal, select, union_all

from noc.audit.models import Finding
from noc.audit.queries import filtered
from noc.audit.schemas import FindingFilters
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES
from noc.extensions import session

_FACETS: dict[str, tuple[Any, dict[str, Any]]] = {
    "status": (Finding.status, {"status": (), "open": None}),
    "severity": (Finding.severity, {"severity": ()}),
    "category": (Finding.category, {"category": ()}),
    "finding_type": (Finding.finding_type, {"finding_type": ()}),
    "site": (Finding.site_id, {"site_id": ()}),
}
"""What is counted by, and the filters that are left out of that count: the facet's own."""


def finding_facets(
    filters: FindingFilters, *, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """``total`` of the list, and counts by each facet's value (a site's id as text). One query.

    A facet's own filter is left out of its counts, so that the alternatives can be seen.
    """
    parts = [_counted("total", literal(""), filters, site_ids)]
    for name, (column, own) in _FACETS.items():
        others = filters.model_copy(update=own)
        parts.append(_counted(name, cast(column, String), others, site_ids))
    counts: dict[str, dict[str, int]] = {name: {} for name in ("total", *_FACETS)}
    for facet, value, count in session().execute(union_all(*parts)):
        counts[facet][value or ""] = count
    return {**counts, "total": sum(counts["total"].values())}


def finding_matrix(
    filters: FindingFilters, *, site_ids: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """Count and worst severity by ``finding_type`` and ``site_id``, whatever type and site of

    the filters. Only where there are any. One query.
    """
    others = filters.model_copy(update={"finding_type": (), "site_id": ()})
    rank = case({code: n for n, code in enumerate(SEVERITIES)}, value=Finding.severity)
    columns: tuple[Any, ...] = (
        Finding.finding_type,
        Finding.site_id,
        func.count(),
        func.max(rank),
    )
    query = select(*columns)
    query = _seen(query, site_ids).group_by(Finding.finding_type, Finding.site_id)
    return [
        {"finding_type": kind, "site_id": site_id, "count": count, "worst": SEVERITIES[worst]}
        for kind, site_id, count, worst in session().execute(filtered(query, others))
    ]


def _counted(
    name: str, value: Any, filters: FindingFilters, site_ids: Collection[int] | None
) -> Select[Any]:
    query = filtered(_seen(select(literal(name), value, func.count()), site_ids), filters)
    return query if name == "total" else query.group_by(value)


def _seen(query: Select[Any], site_ids: Collection[int] | None) -> Select[Any]:
    query = query.where(Finding.tenant_id == required_tenant())
    return query if site_ids is None else query.where(Finding.site_id.in_(site_ids))
