"""Scores of punches: behind an alert, of a person, by site and hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from dashboards.queries.reader import ticket_threshold
from noc.fraud import drilldown, reports
from noc.identity.principal import required_principal
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
    site_id: int, hour: int, days: int, now: dt.datetime, limit: int
) -> list[dict[str, Any]]:
    """The punches behind a cell of the heatmap, highest score first."""
    principal = required_principal()
    return drilldown.of_cell(
        site_id,
        hour,
        days,
        tenant_id=principal.tenant_id,
        now=now,
        limit=limit,
        site_ids=principal.site_ids,
    )


def heatmap(days: int, site_id: int | None, now: dt.datetime) -> dict[str, Any]:
    """Scores by site and hour of the week; the share counts what would open a ticket."""
    principal = required_principal()
    return reports.heatmap(
        days,
        site_id,
        tenant_id=principal.tenant_id,
        now=now,
        threshold=ticket_threshold(site_id),
        site_ids=principal.site_ids,
    )


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
