"""Scores of punches: behind an alert, of a person, by site and hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from dashboards.queries.reader import zone as zone_of
from noc.fraud import drilldown, reports
from noc.fraud import heatmap as by_cell
from noc.fraud.answers import kept
from noc.fraud.heatmap import By, Clock
from noc.identity.principal import Principal, required_principal
from noc.rest.problems import Problem


def punch_score(punch_id: int) -> dict[str, Any] | None:
    """Score and reasons of a punch; None where it has none or is not to be seen."""
    found = punch_scores([punch_id])
    return found[0] if found else None


def punch_scores(punch_ids: Collection[int]) -> list[dict[str, Any]]:
    """Scores and reasons of punches, latest first, as far as they are to be seen."""
    principal = required_principal()
    return drilldown.of_punches(
        punch_ids, tenant_id=principal.tenant_id, site_ids=principal.site_ids
    )


def cell_scores(
    site_id: int,
    cell: int | dt.date,
    days: int,
    clock: Clock,
    now: dt.datetime,
    limit: int,
    after: tuple[float, int] | None = None,
) -> list[dict[str, Any]]:
    """The punches behind a cell of the heatmap, highest score first; none where it is not seen."""
    principal = required_principal()
    zone = by_cell.company_zone(principal.tenant_id) if clock == "company" else zone_of(site_id)
    if zone is None:
        return []
    return drilldown.of_cell(
        site_id,
        by_cell.spans_of_cell(cell, zone, days, now),
        tenant_id=principal.tenant_id,
        limit=limit,
        after=after,
        site_ids=principal.site_ids,
    )


def heatmap(days: int, site_id: int | None, by: By, clock: Clock) -> dict[str, Any]:
    """Scores by site and hour of the week or day; high is what would open a ticket at the site.

    Kept as REST's answers are, so that another measure of the same costs no query of them.
    """

    def compute(principal: Principal, now: dt.datetime) -> dict[str, Any]:
        return by_cell.heatmap(
            days,
            site_id,
            tenant_id=principal.tenant_id,
            now=now,
            by=by,
            clock=clock,
            threshold=None,
            site_ids=principal.site_ids,
        )

    found: dict[str, Any] = kept("heatmap-page", f"{days}|{site_id}|{by}|{clock}", compute)[0]
    return found


def score_history(person_id: int, days: int, now: dt.datetime) -> dict[str, Any]:
    """A person's scores and habits; Problem 404 where they are not to be seen."""
    principal = required_principal()
    return reports.history(
        person_id, days, tenant_id=principal.tenant_id, now=now, site_ids=principal.site_ids
    )


def recent_scores(person_id: int, days: int, now: dt.datetime) -> list[dict[str, Any]]:
    """A person's scores, latest first; none where they are not to be seen."""
    try:
        scores: list[dict[str, Any]] = score_history(person_id, days, now)["scores"]
    except Problem:
        return []
    return scores
