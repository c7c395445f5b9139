"""Scores by site and time: hour of the week or calendar day, on the site's clock or the company's.

Days that are over are read packed (:mod:`noc.fraud.score_days`): at a million punches the answer
takes less than half the time that it takes from the rows (``python -m tests.bench heatmap``).
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
from noc.fraud.columns import BoolArray, Columns, FloatArray, IntArray
from noc.fraud.score_days import read_scores, read_verdicts
from noc.fraud.thresholds import read_thresholds
from noc.rest.problems import not_found
from noc.workforce.models import Site

Sites = Collection[int] | None
By = Literal["hour", "day"]
Clock = Literal["site", "company"]

_UNIX = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_LISTS = ("count", "mean", "max", "high", "share", "reviewed", "confirmed")
_COUNTS = ("count", "high", "reviewed", "confirmed")

_MICROSECOND = dt.timedelta(microseconds=1)
_US = 1_000_000
_CELL_US = {"hour": 3600 * _US, "day": 86_400 * _US}
_THURSDAY = 72
"""1970 began on a Thursday, 72 hours after a Monday."""


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

    Problem 404 for a site that is not there, or not the asker's. Three queries and one for
    each stretch of days that are not packed, two as a rule; one more each for the thresholds of
    the sites and for the company's clock.
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
    _add_up(sites, spans, by, dates, size, tenant_id, site_id)
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
    site_id: int | None,
) -> None:
    if not sites:
        return
    since = min(start for start, _ in spans.values())
    until = max(end for _, end in spans.values())
    first = (dates[0] - _UNIX.date()).days if dates else 0
    ids = np.array([site["site_id"] for site in sites])
    shown = _Clocks(sites, spans)
    nowhere = len(sites) * size

    def cells(read: Columns) -> IntArray:
        """The cell of each punch: the site's row times ``size``, plus the hour or day."""
        row, known = _rows(read, ids)
        wall, counts = shown.wall(read["at"], row)
        turned = wall // _CELL_US[by]
        cell = (turned + _THURSDAY) % size if by == "hour" else turned - first
        return np.where(known & counts, row * size + cell, nowhere)

    def count(at: IntArray, weights: FloatArray | None = None) -> Any:
        return np.bincount(at, weights, nowhere + 1)[:nowhere]

    scores = read_scores(since, until, tenant_id=tenant_id, site_id=site_id)
    verdicts = read_verdicts(since, until, tenant_id=tenant_id)
    at, of = cells(scores), cells(verdicts)
    thresholds = np.array([*(site["threshold"] for site in sites), np.inf])
    punches, high = count(at), count(at[scores["score"] >= thresholds[at // size]])
    top = np.zeros(nowhere + 1)
    np.maximum.at(top, at, scores["score"])
    with np.errstate(invalid="ignore"):
        measured = {
            "count": punches,
            "mean": count(at, scores["score"]) / punches,
            "max": top[:nowhere],
            "high": high,
            "share": high / punches,
            "reviewed": count(of),
            "confirmed": count(of[verdicts["fraud"]]),
        }
    _spread(sites, measured, size)


class _Clocks:
    """The clock of each site, for many moments at once."""

    def __init__(self, sites: list[dict[str, Any]], spans: dict[str, clocks.Span]) -> None:
        parts = {zone: clocks.stretches(zone, *span) for zone, span in spans.items()}
        most = max(len(of_zone) for of_zone in parts.values())
        # Shorter ones are filled up with stretches that nothing is after.
        self._starts = np.full((most, len(sites)), np.iinfo(np.int64).max)
        self._shifts = np.zeros((most, len(sites)), dtype=np.int64)
        for n, site in enumerate(sites):
            for k, part in enumerate(parts[site["zone"]]):
                self._starts[k, n] = _us(part.start)
                self._shifts[k, n] = part.shift // _MICROSECOND
        self._end = np.array([_us(spans[site["zone"]][1]) for site in sites])

    def wall(self, at: IntArray, row: IntArray) -> tuple[IntArray, BoolArray]:
        """What the clock of the site in each row shows, in microseconds, and whether it counts."""
        shift = self._shifts[0][row]
        for starts, shifts in zip(self._starts[1:], self._shifts[1:], strict=True):
            shift = np.where(at >= starts[row], shifts[row], shift)
        return at + shift, (at >= self._starts[0][row]) & (at < self._end[row])


def _rows(read: Columns, ids: IntArray) -> tuple[IntArray, BoolArray]:
    """Of each punch the place of its site in ``ids``, and whether it is there at all."""
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, read["site"], sorter=order).clip(max=len(ids) - 1)]
    known = ids[row] == read["site"]
    return np.repeat(row, read["punches"]), np.repeat(known, read["punches"])


def _us(at: dt.datetime) -> int:
    return (at - _UNIX) // _MICROSECOND


def _spread(sites: list[dict[str, Any]], measured: Columns, size: int) -> None:
    """Put what was added up into the lists of the sites."""
    empty = (measured["count"] == 0).reshape(-1, size)
    for name in _LISTS:
        values = measured[name].reshape(-1, size)
        if name not in _COUNTS:
            values = values.round(4).astype(object)
            values[empty] = None
        for site, cells in zip(sites, values.tolist(), strict=True):
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
