"""How much fraud there is among all punches, told from those that chance drew.

The share among *all* labels says nothing of the kind: people look where the score is high. Drawn
punches are weighted by one over their chance (D. Horvitz and D. Thompson, 1952); where some of
them are not reviewed yet, and for single sites, the weights of those reviewed are made to add up
to one (J. Hajek, 1971). Over a tenant whose draws are all reviewed the two are the same number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.intervals import wilson
from noc.fraud.review.sight import sites_in_sight

# A label counts whoever gave it: a drawn punch whose ticket was resolved is reviewed. What was
# drawn is looked up one by one (LATERAL, LIMIT): a join of the whole tables, which the planner
# chooses where its statistics are old, took hundreds of times as long.
_SITES = text(
    """
    WITH audited AS (
        SELECT d.site_id, 1 / d.inclusion_probability AS weight, l.actual_fraud_detected AS fraud
        FROM fraud_audit_draw d
        CROSS JOIN LATERAL (
            SELECT actual_fraud_detected FROM fraud_prediction_log
            WHERE tenant_id = :tenant AND attendance_event_id = d.attendance_event_id
              AND NOT is_shadow LIMIT 1
        ) l
        CROSS JOIN LATERAL (
            SELECT FROM attendance_event
            WHERE tenant_id = :tenant AND id = d.attendance_event_id AND voided_at IS NULL LIMIT 1
        ) e
        WHERE d.tenant_id = :tenant AND d.occurred_at >= :since AND d.occurred_at <= :now
    ),
    drawn AS (
        SELECT site_id, count(*) AS drawn, count(fraud) AS reviewed,
            count(*) FILTER (WHERE fraud) AS fraud,
            coalesce(sum(weight) FILTER (WHERE fraud IS NOT NULL), 0) AS weight,
            coalesce(sum(weight) FILTER (WHERE fraud), 0) AS fraud_weight,
            coalesce(sum(weight * weight) FILTER (WHERE fraud IS NOT NULL), 0) AS squares
        FROM audited GROUP BY site_id
    ),
    scored AS (
        SELECT l.site_id, count(*) AS punches
        FROM fraud_prediction_log l
        WHERE l.tenant_id = :tenant AND NOT l.is_shadow
          AND l.occurred_at >= :since AND l.occurred_at <= :now
          AND l.attendance_event_id NOT IN (
              SELECT e.id FROM attendance_event e
              WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL AND e.occurred_at >= :since)
        GROUP BY l.site_id
    )
    SELECT s.id AS site_id, s.name AS site_name, coalesce(p.punches, 0) AS punches,
        coalesce(d.drawn, 0) AS drawn, coalesce(d.reviewed, 0) AS reviewed,
        coalesce(d.fraud, 0) AS fraud, coalesce(d.weight, 0) AS weight,
        coalesce(d.fraud_weight, 0) AS fraud_weight, coalesce(d.squares, 0) AS squares
    FROM site s
    LEFT JOIN scored p ON p.site_id = s.id
    LEFT JOIN drawn d ON d.site_id = s.id
    WHERE s.tenant_id = :tenant AND (CAST(:sites AS bigint[]) IS NULL OR s.id = ANY(:sites))
    ORDER BY s.name, s.id
    """
)


@dataclass(frozen=True, slots=True)
class Audited:
    """Sums over drawn punches: counts, and of the reviewed the weights and their squares."""

    punches: int = 0
    drawn: int = 0
    reviewed: int = 0
    fraud: int = 0
    weight: float = 0.0
    fraud_weight: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Audited) -> Audited:
        return Audited(
            self.punches + other.punches,
            self.drawn + other.drawn,
            self.reviewed + other.reviewed,
            self.fraud + other.fraud,
            self.weight + other.weight,
            self.fraud_weight + other.fraud_weight,
            self.squares + other.squares,
        )

    def told(self) -> dict[str, Any]:
        """The estimate with its 90 % interval; None where nothing was reviewed."""
        estimate = min(1.0, self.fraud_weight / self.weight) if self.reviewed else None
        low, high = None, None
        if estimate is not None:
            low, high = wilson(estimate, self.weight**2 / self.squares)
        return {
            "punches": self.punches,
            "drawn": self.drawn,
            "reviewed": self.reviewed,
            "fraud": self.fraud,
            "coverage": self.reviewed / self.drawn if self.drawn else None,
            "estimate": estimate,
            "low": low,
            "high": high,
        }


def prevalence(
    *,
    tenant_id: int,
    now: dt.datetime,
    days: int = 90,
    site_ids: Collection[int] | None = None,
    site_id: int | None = None,
) -> dict[str, Any]:
    """The share of fraud among the punches of the last ``days``: over all sites asked, and each.

    ``punches`` counts what was scored and not voided, ``drawn`` the random audits among them,
    ``reviewed`` those of the drawn that have a label, whatever its source, ``fraud`` how many
    were fraud. ``estimate`` is a share, unbiased where ``coverage`` (reviewed / drawn) is 1, with
    a 90 % interval; all None where nothing was reviewed. With lower coverage it is right as far
    as those reviewed are like those that are not. Punches later than the last draw are in
    ``punches`` and not in the draws. Problem 404 for a site that is not there or out of sight.
    Two queries.
    """
    sites = sites_in_sight(tenant_id, site_ids, site_id)
    since = now - dt.timedelta(days=days)
    rows = session().execute(
        _SITES, {"tenant": tenant_id, "since": since, "now": now, "sites": sites}
    )
    found = [
        ({"site_id": row.site_id, "site_name": row.site_name}, Audited(*row[2:])) for row in rows
    ]
    return {
        "days": days,
        "from": since.isoformat(),
        "to": now.isoformat(),
        "all": _sum(audited for _, audited in found).told(),
        "sites": [site | audited.told() for site, audited in found],
    }


def _sum(parts: Iterable[Audited]) -> Audited:
    return sum(parts, Audited())
