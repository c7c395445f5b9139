"""What if the ticket threshold were another: work, hits and misses, from what was served."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.columns import FloatArray
from noc.fraud.thresholds import read_thresholds
from noc.fraud.watching.shares import estimate
from noc.fraud.watching.tickets import Suspects, read_suspects

CURVE = 41
"""Thresholds of the curve, evenly from 0 to 1."""

COVERAGE = 0.8
"""Recall rests on random audits once this share of the drawn punches is reviewed.

Before that those reviewed are not what chance drew: tickets give high scores their labels at once,
while low ones wait in the queue, so that recall would look better than it is.
"""

_DAY = dt.timedelta(days=1)

# What is known of the punches between two neighbouring thresholds; summed from the top they are
# what is over each. A drawn punch stands for 1 / inclusion_probability of them.
_HISTOGRAM = text(
    """
    SELECT bin, version, count(*) AS punches,
        count(*) FILTER (WHERE known) AS reviewed,
        count(*) FILTER (WHERE known AND fraud) AS frauds,
        count(weight) AS drawn,
        count(*) FILTER (WHERE known AND weight IS NOT NULL) AS audited,
        count(*) FILTER (WHERE known AND fraud AND weight IS NOT NULL) AS audited_frauds,
        coalesce(sum(weight) FILTER (WHERE known AND fraud), 0) AS weight,
        coalesce(sum(weight * weight) FILTER (WHERE known AND fraud), 0) AS squares
    FROM (
        SELECT width_bucket(l.fraud_score, CAST(:edges AS float8[])) AS bin,
            l.model_version AS version, l.actual_fraud_detected AS fraud,
            l.actual_fraud_detected IS NOT NULL AND l.labelled_at <= :now AS known,
            1 / d.inclusion_probability AS weight
        FROM fraud_prediction_log l
        JOIN attendance_event e
            ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
        LEFT JOIN fraud_audit_draw d
            ON d.tenant_id = l.tenant_id AND d.attendance_event_id = l.attendance_event_id
        WHERE l.tenant_id = :tenant AND NOT l.is_shadow
          AND l.occurred_at > :since AND l.occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR l.site_id = ANY(CAST(:sites AS bigint[])))
    ) AS punches
    GROUP BY bin, version
    """
)
_EARLIEST = text(
    """
    SELECT l.occurred_at
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    WHERE l.tenant_id = :tenant AND NOT l.is_shadow
      AND l.occurred_at > :since AND l.occurred_at <= :now
      AND (CAST(:sites AS bigint[]) IS NULL OR l.site_id = ANY(CAST(:sites AS bigint[])))
    ORDER BY l.occurred_at LIMIT 1
    """
)
_SUMMED = (
    "punches", "reviewed", "frauds", "drawn", "audited", "audited_frauds", "weight", "squares",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Over:
    """Sums over the punches with a score of at least each of ``edges``, and over ``all``."""

    edges: Sequence[float]
    sums: Mapping[str, FloatArray]
    all: Mapping[str, float]
    versions: Mapping[str, int]

    @property
    def coverage(self) -> float | None:
        """The reviewed share of the drawn punches, None where none was drawn."""
        return self.all["audited"] / self.all["drawn"] if self.all["drawn"] else None

    @property
    def by_audits(self) -> bool:
        """Whether audits can say what is missed: enough are reviewed, and one is fraud at least."""
        return (self.coverage or 0.0) >= COVERAGE and self.all["audited_frauds"] > 0

    def at(self, threshold: float) -> dict[str, float]:
        """The sums over one of the edges."""
        place = self.edges.index(threshold)
        return {name: float(values[place]) for name, values in self.sums.items()}


def what_if(
    *,
    tenant_id: int,
    now: dt.datetime,
    threshold: float | None = None,
    budget: float | None = None,
    days: int = 30,
    site_ids: Collection[int] | None = None,
) -> dict[str, Any]:
    """What a ticket threshold would have meant in the last ``days``, and what others would.

    Exactly one of ``threshold`` in [0, 1] and ``budget`` (tickets a day, above 0), else
    ValueError. For a budget the lowest threshold that keeps it: of those the one that misses
    least. ``asked``, ``in_force`` and each point of ``curve`` say:

    - ``tickets_per_day``: see :mod:`noc.fraud.watching.tickets` for how they are counted
    - ``punches_per_day`` with at least that score; below 0.6 some of them are no anomaly and
      open no ticket
    - ``precision`` among the reviewed ones of those, with Wilson's 90 % interval
    - ``recall``: the share of frauds that is over the threshold; as ``recall_basis`` says among
      those that random audits found, each standing for 1 / its chance of being drawn (Hajek's
      estimate, Kish's effective number), or among all reviewed, which flatters: what was never
      suspected was hardly looked at
    - ``false_alarms_per_day``: tickets times 1 - precision

    ``drawn`` counts the random audits among the punches, ``audited`` those of the drawn that have
    a label, whatever its source, ``coverage`` is their share. Audits are the basis of recall
    from COVERAGE on, and with one fraud among them at least.

    Per day of the period, or of the time since the first punch in it. Four queries.
    """
    if (threshold is None) == (budget is None):
        raise ValueError("give either a threshold or a budget")
    since = now - dt.timedelta(days=days)
    config = read_thresholds(tenant_id)
    in_force = config.tenant.fraud_score_ticket_threshold
    suspects = read_suspects(since, now, config, tenant_id=tenant_id, site_ids=site_ids)
    params = {
        "tenant": tenant_id,
        "since": since,
        "now": now,
        "sites": None if site_ids is None else sorted(site_ids),
    }
    covered = _days_covered(params)
    chosen = threshold
    if chosen is None:
        chosen = _within((budget or 0.0) * covered, suspects, in_force)
    points = [round(float(point), 6) for point in np.linspace(0, 1, CURVE)]
    over = _read(sorted({*points, in_force, chosen}), params)
    asked = _point(chosen, over, suspects, covered)
    return {
        "days": days,
        "days_covered": round(covered, 2),
        "from": since.isoformat(),
        "to": now.isoformat(),
        "punches": int(over.all["punches"]),
        "reviewed": int(over.all["reviewed"]),
        "drawn": int(over.all["drawn"]),
        "audited": int(over.all["audited"]),
        "coverage": None if over.coverage is None else round(over.coverage, 4),
        "scored_by": dict(over.versions),
        "recall_basis": "random audits" if over.by_audits else "reviewed punches",
        "budget": budget,
        "within_budget": None if budget is None else asked["tickets_per_day"] <= budget,
        "asked": asked,
        "in_force": _point(in_force, over, suspects, covered),
        "curve": [_point(point, over, suspects, covered) for point in points],
    }


def _within(most: float, suspects: Suspects, in_force: float) -> float:
    """The lowest threshold from which at most ``most`` tickets open in the whole period.

    Below the lowest score of any anomaly no further ticket would open, so no lower one is named;
    without any anomaly every threshold keeps the budget, the one in force too. Where not even
    the highest score keeps it: 1.
    """
    if not len(suspects.scores):
        return in_force
    found = suspects.threshold_for(most)
    return 1.0 if found is None else found


def _days_covered(params: Mapping[str, Any]) -> float:
    """Days since the first punch of the period, one at least."""
    earliest: dt.datetime | None = session().scalar(_EARLIEST, params)
    covered: dt.timedelta = params["now"] - (earliest or params["since"])
    return max(covered / _DAY, 1.0)


def _read(edges: list[float], params: Mapping[str, Any]) -> _Over:
    sums = {name: np.zeros(len(edges) + 1) for name in _SUMMED}
    versions: dict[str, int] = {}
    for row in session().execute(_HISTOGRAM, {**params, "edges": edges}):
        versions[row.version] = versions.get(row.version, 0) + row.punches
        for name in _SUMMED:
            sums[name][row.bin] += getattr(row, name)
    # width_bucket counts the edges that are not above: bin i + 1 begins at edge i.
    from_top = {name: np.cumsum(values[::-1])[::-1] for name, values in sums.items()}
    return _Over(
        edges,
        {name: values[1:] for name, values in from_top.items()},
        {name: float(values[0]) for name, values in from_top.items()},
        versions,
    )


def _point(threshold: float, over: _Over, suspects: Suspects, days: float) -> dict[str, Any]:
    sums = over.at(threshold)
    tickets = suspects.opened(threshold) / days
    precision = sums["frauds"] / sums["reviewed"] if sums["reviewed"] else None
    return {
        "threshold": threshold,
        "tickets_per_day": round(tickets, 4),
        "punches_per_day": round(sums["punches"] / days, 4),
        "reviewed": int(sums["reviewed"]),
        "precision": estimate(precision, sums["reviewed"]),
        "recall": _recall(sums, over),
        "false_alarms_per_day": None if precision is None else round(tickets * (1 - precision), 4),
    }


def _recall(sums: Mapping[str, float], over: _Over) -> dict[str, float | None]:
    if over.by_audits:
        weight, squares = over.all["weight"], over.all["squares"]
        return estimate(min(sums["weight"] / weight, 1.0), weight * weight / squares)
    frauds = over.all["frauds"]
    return estimate(sums["frauds"] / frauds if frauds else None, frauds)
