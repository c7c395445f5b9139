"""Scores by site and time: hour of the week or calendar day, on the site's clock or the company's.

One statement adds up all of it; it reads nothing but the index ``ix_fraud_prediction_log_site``.
Voided punches do not count. Whoever is limited to some sites (``site_ids``) sees only those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
from sqlalchemy import func, select

from noc.extensions import session
from noc.fraud import clocks
from noc.fraud.columns import Columns, Kind, read_columns
from noc.fraud.thresholds import read_thresholds
from noc.rest.problems import not_found
from noc.workforce.models import Site

Sites = Collection[int] | None
By = Literal["hour", "day"]
Clock = Literal["site", "company"]

EPOCH = dt.date(1970, 1, 1)

_LISTS = ("count", "mean", "max", "high", "share", "reviewed", "confirmed")
_COUNTS = ("count", "high", "reviewed", "confirmed")

# Seconds on the wall's clock since 1970, cut to hours or days. 1970 began on a Thursday.
_CELL = {
    "hour": "(floor((date_part('epoch', l.occurred_at) + s.shift) / 3600)::int8 + 72) % 168",
    "day": "floor((date_part('epoch', l.occurred_at) + s.shift) / 86400)::int8",
}
# Only constants are put into the text.
ADDED_UP = {
    by: f"""
        SELECT l.site_id, {cell} AS cell, count(*) AS count, avg(l.fraud_score) AS mean,
            max(l.fraud_score) AS max,
            count(*) FILTER (WHERE l.fraud_score >= s.threshold) AS high,
            count(l.actual_fraud_detected) AS reviewed,
            count(*) FILTER (WHERE l.actual_fraud_detected) AS confirmed
        FROM unnest(CAST(:sites AS bigint[]), CAST(:starts AS timestamptz[]),
            CAST(:ends AS timestamptz[]), CAST(:shifts AS float8[]), CAST(:thresholds AS float8[]))
            AS s(site_id, starts, ends, shift, threshold)
        JOIN fraud_prediction_log l ON l.site_id = s.site_id
            AND l.occurred_at >= s.starts AND l.occurred_at < s.ends
        WHERE l.tenant_id = :tenant AND NOT l.is_shadow
          AND l.occurred_at >= :since AND l.occurred_at < :until
          AND l.attendance_event_id NOT IN (
            SELECT e.id FROM attendance_event e
            WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL AND e.occurred_at >= :since)
        GROUP BY l.site_id, cell
    """  # noqa: S608
    for by, cell in _CELL.items()
}
_COLUMNS: dict[str, Kind] = {
    "site": "int",
    "cell": "int",
    "count": "int",
    "mean": "float",
    "max": "float",
    "high": "int",
    "reviewed": "int",
    "confirmed": "int",
}


def heatmap(
    days: int = 30,
    site_id: int | None = None,
    *,
    tenant_id: int,
    now: dt.datetime,
    by: By = "hour",
    clock: Clock = "site",
    threshold: float | None = 0.5,
    site_ids: Sites = None,
) -> dict[str, Any]:
    """Scores of the last ``days`` by site and cell.

    ``by`` hour: 168 hours of the week (0: Monday 00:00) of the last ``days`` times 24 hours. By
    day: the last ``days`` calendar days, today the last; ``dates`` names them (None by hour).
    ``clock`` site: on each site's own; company: on that of :func:`company_zone`, as ``zone``.

    Every site has lists as long as there are cells: ``count`` of punches, ``mean`` and ``max``
    score, ``high`` and ``share`` of punches with a score of at least ``threshold`` (None: what
    opens a ticket at the site), ``reviewed`` and of those ``confirmed`` as fraud. Where nobody
    punched mean, max and share are None: an empty cell is not a zero. What nobody reviewed is
    not genuine: compare ``confirmed`` with ``reviewed`` only.

    Problem 404 for a site that is not there, or not the asker's. Two queries; one more each for
    the thresholds of the sites and for the company's clock.
    """
    sites = _sites(tenant_id, site_id, site_ids)
    if site_id is not None and not sites:
        raise not_found("site")
    zone = company_zone(tenant_id) if clock == "company" else None
    for site in sites:
        site["zone"] = zone or site["timezone"]
    in_force = _thresholds(sites, threshold, tenant_id)
    since = now - days * clocks.DAY
    dates = _dates(sites, now, days) if by == "day" else None
    size = clocks.HOURS if dates is None else len(dates)
    spans = {one: _span(one, by, since, now, days) for one in {site["zone"] for site in sites}}
    _add_up(sites, spans, by, dates, size, tenant_id)
    return {
        "days": days,
        "by": by,
        "clock": clock,
        "zone": zone,
        "dates": None if dates is None else [day.isoformat() for day in dates],
        "threshold": in_force,
        "from": min((start for start, _ in spans.values()), default=since).isoformat(),
        "to": now.isoformat(),
        "punches": sum(sum(site["count"]) for site in sites),
        "sites": sites,
    }


def company_zone(tenant_id: int) -> str:
    """The company's clock: the time zone in which most of its sites are, UTC without any.

    The first by name where two have as many. One query.
    """
    found = session().scalar(
        select(Site.timezone)
        .where(Site.tenant_id == tenant_id)
        .group_by(Site.timezone)
        .order_by(func.count().desc(), Site.timezone)
        .limit(1)
    )
    return found or "UTC"


def spans_of_cell(
    cell: int | dt.date, zone: str, days: int, now: dt.datetime
) -> Sequence[clocks.Span]:
    """When the clock of ``zone`` showed the hour of the week, or the day, as counted above."""
    end = now + dt.timedelta(microseconds=1)
    if isinstance(cell, int):
        return clocks.of_hour(cell, zone, now - days * clocks.DAY, end)
    if cell not in clocks.days_until(now, days, zone):
        return ()
    start, until = clocks.of_day(cell, zone)
    return ((start, min(until, end)),)


def _span(zone: str, by: By, since: dt.datetime, now: dt.datetime, days: int) -> clocks.Span:
    """From when to before when counts on the clock."""
    end = now + dt.timedelta(microseconds=1)
    if by == "hour":
        return since, end
    return clocks.of_day(clocks.days_until(now, days, zone)[0], zone)[0], end


def _dates(sites: list[dict[str, Any]], now: dt.datetime, days: int) -> list[dt.date]:
    """The days of all clocks: where some are a day ahead there is one more."""
    zones = {site["zone"] for site in sites} or {"UTC"}
    return sorted({day for zone in zones for day in clocks.days_until(now, days, zone)})


def _add_up(
    sites: list[dict[str, Any]],
    spans: dict[str, clocks.Span],
    by: By,
    dates: list[dt.date] | None,
    size: int,
    tenant_id: int,
) -> None:
    if not sites:
        return
    parts = {zone: clocks.stretches(zone, *span) for zone, span in spans.items()}
    rows = [(site, part) for site in sites for part in parts[site["zone"]]]
    found = read_columns(
        ADDED_UP[by],
        {
            "tenant": tenant_id,
            "since": min(start for start, _ in spans.values()),
            "until": max(end for _, end in spans.values()),
            "sites": [site["site_id"] for site, _ in rows],
            "starts": [part.start for _, part in rows],
            "ends": [part.end for _, part in rows],
            "shifts": [part.shift.total_seconds() for _, part in rows],
            "thresholds": [site["threshold"] for site, _ in rows],
        },
        _COLUMNS,
    )
    _spread(sites, found, (dates[0] - EPOCH).days if dates else 0, size)


def _spread(sites: list[dict[str, Any]], found: Columns, first: int, size: int) -> None:
    """Put what was added up into the lists of the sites; the cell ``first`` is at place 0."""
    ids = np.array([site["site_id"] for site in sites])
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, found["site"], sorter=order)]
    at = (row, found["cell"] - first)
    measured = found | {"share": found["high"] / found["count"]}
    for name in _LISTS:
        if name in _COUNTS:
            counts = np.zeros((len(sites), size), dtype=np.int64)
            counts[at] = measured[name]
            lists = counts.tolist()
        else:
            values = np.full((len(sites), size), None, dtype=object)
            values[at] = measured[name].round(4)
            lists = values.tolist()
        for site, cells in zip(sites, lists, strict=True):
            site[name] = cells


def _thresholds(sites: list[dict[str, Any]], threshold: float | None, tenant_id: int) -> float:
    """Put each site's own in place; what holds where no site differs."""
    config = read_thresholds(tenant_id) if threshold is None else None
    for site in sites:
        site["threshold"] = (
            config.at(site["site_id"]).fraud_score_ticket_threshold if config else threshold
        )
    if len(sites) == 1:
        alone: float = sites[0]["threshold"]
        return alone
    return config.tenant.fraud_score_ticket_threshold if config else float(threshold or 0.0)


def _sites(tenant_id: int, site_id: int | None, site_ids: Sites) -> list[dict[str, Any]]:
    query = select(
        Site.id.label("site_id"),
        Site.name.label("site_name"),
        Site.timezone,
        Site.lat,
        Site.lon,
        Site.geofence_radius.label("radius"),
    ).where(Site.tenant_id == tenant_id)
    if site_id is not None:
        query = query.where(Site.id == site_id)
    if site_ids is not None:
        query = query.where(Site.id.in_(site_ids))
    rows = session().execute(query.order_by(Site.name, Site.id))
    return [row._asdict() for row in rows]
