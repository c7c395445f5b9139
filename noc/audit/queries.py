"""Reading findings and baselines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.orm import aliased

from noc.audit import reopening
from noc.audit.baselines import threshold_of
from noc.audit.findings import SET_OFF
from noc.audit.models import BaselineChange, BaselineProfile, Finding
from noc.audit.schemas import BaselineQuery, FindingFilters
from noc.audit.tuning import as_baseline
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.identity.site_settings import read_site_settings
from noc.rest.by_id import page_by_id
from noc.rest.keyset import Key, Page, newest_first, page_of
from noc.tickets.models import Ticket
from noc.workforce.models import Person, Site

_Acknowledger = aliased(User, name="acknowledger")
_Resolver = aliased(User, name="resolver")

_SHOWN = (
    Finding.id,
    Finding.finding_type,
    Finding.category,
    Finding.severity,
    Finding.title,
    Finding.evidence_summary,
    Finding.site_id,
    Site.name.label("site_name"),
    Finding.person_id,
    Person.name.label("person_name"),
    Finding.window_start,
    Finding.window_end,
    Finding.detected_at,
    Finding.status,
    Finding.resolution,
    Finding.resolution_note,
    Finding.acknowledged_at,
    _Acknowledger.name.label("acknowledged_by_name"),
    Finding.resolved_at,
    _Resolver.name.label("resolved_by_name"),
    Finding.alert_id,
    Finding.escalated_to_ticket,
    Finding.escalation_ticket_id,
    Ticket.number.label("ticket_number"),
    Finding.escalated_at,
)

_BASELINE_SETTINGS = (
    "baseline_fp_threshold",
    "baseline_stable_sample_count",
    "baseline_sensitive_threshold",
    "baseline_conservative_threshold",
)

_STATS = text(
    """
    SELECT finding_type, count(*) AS findings,
           count(*) FILTER (WHERE escalated_to_ticket) AS escalated,
           count(*) FILTER (WHERE status = 'RESOLVED') AS resolved,
           count(*) FILTER (WHERE resolution IN ('CONFIRMED', 'FIXED', 'FALSE_POSITIVE')) AS judged,
           count(*) FILTER (WHERE resolution = 'FALSE_POSITIVE') AS false_positives,
           count(*) FILTER (WHERE resolution = 'EXPIRED') AS closed_themselves,
           count(acknowledged_at) AS acknowledged,
           avg(extract(epoch FROM acknowledged_at - detected_at)) AS mean_seconds,
           percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM acknowledged_at - detected_at)) AS median_seconds,
           grouping(finding_type) AS of_all
    FROM audit_finding
    WHERE tenant_id = :tenant AND detected_at > :since AND detected_at <= :until
      AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(:sites))
    GROUP BY GROUPING SETS ((finding_type), ())
    ORDER BY of_all DESC, findings DESC, finding_type
    """
)


def list_findings(
    filters: FindingFilters,
    *,
    site_ids: Collection[int] | None = None,
    limit: int = 50,
    after: Key | None = None,
) -> Page:
    """A page of findings, latest first, without their evidence. One query.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    query = filtered(_visible(_SHOWN, site_ids), filters)
    query = newest_first(query, Finding.detected_at, Finding.id, limit=limit, after=after)
    rows = [dict(row) for row in session().execute(query).mappings()]
    return page_of(rows, "detected_at", limit=limit)


def find_finding(
    finding_id: int, *, site_ids: Collection[int] | None = None
) -> dict[str, Any] | None:
    """A finding with its evidence, and ``reopened``: what was taken back of it, oldest first.

    None if it is not to be seen.
    """
    query = _visible((*_SHOWN, Finding.evidence), site_ids).where(Finding.id == finding_id)
    row = session().execute(query).mappings().one_or_none()
    if row is None:
        return None
    ours = (reopening.KEPT, SET_OFF)
    evidence = {key: value for key, value in row["evidence"].items() if key not in ours}
    return {**row, "evidence": evidence, "reopened": reopening.told(row["evidence"])}


def name_findings(
    finding_ids: Collection[int], *, site_ids: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """Those of the findings that are to be seen, as lists show them, latest first."""
    query = _visible(_SHOWN, site_ids).where(Finding.id.in_(finding_ids))
    rows = session().execute(query.order_by(Finding.detected_at.desc(), Finding.id.desc()))
    return [dict(row) for row in rows.mappings()]


def escalation_stats(
    days: int, *, now: dt.datetime, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """What became of the findings of the last ``days``: of all of them, and by type. One query.

    ``escalation_rate`` is the share with a ticket; ``false_positive_share`` that of the judged
    (confirmed, fixed or false positive); times to acknowledge are seconds. None where there is
    nothing to take a share of.
    """
    rows = session().execute(
        _STATS,
        {
            "tenant": required_tenant(),
            "since": now - dt.timedelta(days=days),
            "until": now,
            "sites": None if site_ids is None else list(site_ids),
        },
    )
    told = [(row["of_all"], _stats(row)) for row in rows.mappings()]
    return {
        "days": days,
        "from": (now - dt.timedelta(days=days)).isoformat(),
        "to": now.isoformat(),
        "all": next(stats for of_all, stats in told if of_all),
        "by_type": [stats for of_all, stats in told if not of_all],
    }


def list_baselines(
    asked: BaselineQuery, *, site_ids: Collection[int] | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of baselines and its ``pagination``. Three queries."""
    filters = asked.filters()
    query = select(BaselineProfile).where(BaselineProfile.tenant_id == required_tenant())
    pinned = filters.pop("pinned", None)
    if pinned is not None:
        held = BaselineProfile.pinned_threshold.is_not(None)
        query = query.where(held if pinned else ~held)
    for name, value in filters.items():
        query = query.where(getattr(BaselineProfile, name) == value)
    if site_ids is not None:
        query = query.where(BaselineProfile.site_id.in_(site_ids))
    page, pagination = page_by_id(session(), query, BaselineProfile.id, asked)
    return _baselines(list(page)), pagination


def find_baseline(
    baseline_id: int, *, site_ids: Collection[int] | None = None
) -> dict[str, Any] | None:
    """A baseline with every change of its threshold, latest first; None if it is not seen."""
    row = session().get(BaselineProfile, (required_tenant(), baseline_id), populate_existing=True)
    if row is None or (site_ids is not None and row.site_id not in site_ids):
        return None
    changes = session().execute(
        select(
            BaselineChange.at,
            BaselineChange.action,
            BaselineChange.old_threshold,
            BaselineChange.new_threshold,
            BaselineChange.old_false_positive_rate,
            BaselineChange.new_false_positive_rate,
            BaselineChange.reason,
            BaselineChange.user_id,
            User.name.label("user_name"),
        )
        .outerjoin(
            User,
            (User.tenant_id == BaselineChange.tenant_id) & (User.id == BaselineChange.user_id),
        )
        .where(BaselineChange.tenant_id == row.tenant_id, BaselineChange.baseline_id == row.id)
        .order_by(BaselineChange.at.desc(), BaselineChange.id.desc())
        .limit(200)
    )
    return _baselines([row])[0] | {"changes": [dict(change) for change in changes.mappings()]}


def _visible(columns: tuple[Any, ...], site_ids: Collection[int] | None) -> Select[Any]:
    query = select(*columns)
    for model, key in (
        (Site, Finding.site_id),
        (Person, Finding.person_id),
        (_Acknowledger, Finding.acknowledged_by),
        (_Resolver, Finding.resolved_by),
        (Ticket, Finding.escalation_ticket_id),
    ):
        query = query.outerjoin(model, (model.tenant_id == Finding.tenant_id) & (model.id == key))
    query = query.where(Finding.tenant_id == required_tenant())
    return query if site_ids is None else query.where(Finding.site_id.in_(site_ids))


def filtered(query: Select[Any], filters: FindingFilters) -> Select[Any]:
    """The query with what the filters keep of ``audit_finding``."""
    conditions: list[ColumnElement[bool]] = []
    for name in ("finding_type", "category", "severity", "status", "resolution", "site_id"):
        if values := getattr(filters, name):
            conditions.append(getattr(Finding, name).in_(values))
    for name in ("person_id", "alert_id", "escalated_to_ticket", "escalation_ticket_id"):
        value = getattr(filters, name)
        if value is not None:
            conditions.append(getattr(Finding, name) == value)
    if filters.open is not None:
        resolved = Finding.status == "RESOLVED"
        conditions.append(~resolved if filters.open else resolved)
    if filters.since is not None:
        conditions.append(Finding.detected_at >= filters.since)
    if filters.until is not None:
        conditions.append(Finding.detected_at < filters.until)
    return query.where(*conditions)


def _stats(row: Any) -> dict[str, Any]:
    def share(part: int, whole: int) -> float | None:
        return round(part / whole, 4) if whole else None

    def seconds(value: Any) -> float | None:
        return round(float(value), 1) if value is not None else None

    told = {} if row["of_all"] else {"finding_type": row["finding_type"]}
    counts = ("findings", "escalated", "resolved", "judged", "false_positives")
    return {
        **told,
        **{name: row[name] for name in counts},
        "closed_themselves": row["closed_themselves"],
        "acknowledged": row["acknowledged"],
        "escalation_rate": share(row["escalated"], row["findings"]),
        "false_positive_share": share(row["false_positives"], row["judged"]),
        "mean_seconds_to_acknowledge": seconds(row["mean_seconds"]),
        "median_seconds_to_acknowledge": seconds(row["median_seconds"]),
    }


def _baselines(rows: list[BaselineProfile]) -> list[dict[str, Any]]:
    config = read_site_settings(required_tenant(), _BASELINE_SETTINGS)
    names: dict[int, str] = {}
    if rows:
        sites = select(Site.id, Site.name).where(
            Site.tenant_id == required_tenant(), Site.id.in_({row.site_id for row in rows})
        )
        names = {row.id: row.name for row in session().execute(sites)}
    return [
        {
            "id": row.id,
            "site_id": row.site_id,
            "site_name": names[row.site_id],
            "metric_type": row.metric_type,
            "level": row.level,
            "slot": row.slot,
            "mean": row.mean,
            "std_dev": row.std_dev,
            "sample_count": row.sample_count,
            "is_stable": row.is_stable,
            "false_positive_rate": row.false_positive_rate,
            "threshold": threshold_of(as_baseline(row), config.at(row.site_id)),
            "dynamic_threshold": row.dynamic_threshold,
            "pinned_threshold": row.pinned_threshold,
            "first_sample_at": row.first_sample_at,
            "last_sample_at": row.last_sample_at,
            "last_threshold_update": row.last_threshold_update,
        }
        for row in rows
    ]
