"""What the database knows that bears on a batch of punches: nine queries, however many punches.

Everything is bounded by each punch's own time: earlier punches, fixes before it, verdicts
confirmed before it, rounds that were due before it. What is read for a person is cut into each
punch's own window by :mod:`noc.fraud.windows`, so that a punch sees the same facts alone and in
any batch, and whatever happened after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.extensions import session
from noc.fraud import queries
from noc.fraud.columns import Columns, read_columns

HABIT_DAYS = 90
"""Habits are those of the last 90 days (blueprint, BehavioralProfile)."""

LABEL_DAYS = 180
"""Verdicts older than this say nothing about a person any more."""

ROUND_DAYS = 7
"""Rounds of the last week make the tour completion rate."""

KIND_IN, KIND_OUT, KIND_PRESENCE = 0, 1, 2
NOBODY = -1
"""Stands for a missing id."""

_SITES = text(
    """
    SELECT id, timezone, lat, lon,
        CASE WHEN id = ANY(:here) THEN geofence_polygon END AS polygon
    FROM site WHERE tenant_id = :tenant AND id = ANY(:ids)
    """
)


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A site's clock and place; ``polygon`` only where the batch punches there."""

    timezone: str
    lat: float
    lon: float
    polygon: list[Any] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read for a batch. ``punches`` has a row per punch, in the order of ids."""

    punches: Columns
    history: Columns
    recent: Columns
    fixes: Columns
    sharing: Columns
    shifts: Columns
    labels: Columns
    rounds: Columns
    sites: dict[int, SiteFacts]


def read_facts(punch_ids: Sequence[int], *, tenant_id: int) -> Facts:
    """Read what bears on ``punch_ids``; voided and unknown punches are left out."""
    params = {
        "tenant": tenant_id,
        "ids": sorted({int(punch_id) for punch_id in punch_ids}),
        "habit_days": HABIT_DAYS,
        "label_days": LABEL_DAYS,
        "round_days": ROUND_DAYS,
    }
    punches = read_columns(queries.PUNCHES, params, queries.PUNCH_COLUMNS)
    order = np.argsort(punches["id"])
    punches = {name: values[order] for name, values in punches.items()}
    history = read_columns(queries.HISTORY, params, queries.HISTORY_COLUMNS)
    here = {int(site) for site in punches["site"]}
    involved = here | {int(site) for site in history["site"]}
    return Facts(
        punches=punches,
        history=history,
        recent=read_columns(queries.RECENT, params, queries.RECENT_COLUMNS),
        fixes=read_columns(queries.FIXES, params, queries.FIX_COLUMNS),
        sharing=read_columns(queries.SHARING, params, queries.SHARING_COLUMNS),
        shifts=read_columns(queries.SHIFTS, params, queries.SHIFT_COLUMNS),
        labels=read_columns(queries.LABELS, params, queries.LABEL_COLUMNS),
        rounds=read_columns(queries.ROUNDS, params, queries.ROUND_COLUMNS),
        sites=_read_sites(tenant_id, here, involved),
    )


def _read_sites(tenant_id: int, here: set[int], involved: set[int]) -> dict[int, SiteFacts]:
    rows = session().execute(
        _SITES, {"tenant": tenant_id, "here": sorted(here), "ids": sorted(involved)}
    )
    return {row.id: SiteFacts(row.timezone, row.lat, row.lon, row.polygon) for row in rows}
