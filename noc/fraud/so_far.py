"""Fraud so far today against the days before, up to the same hour of each site's own clock."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from noc.extensions import session
from noc.identity.site_settings import SiteSettings

DAYS = 28
"""Four weeks, so that every weekday counts alike."""

ENOUGH = 7
"""Days with punches, below which nothing is called usual."""

_COUNTS = text(
    """
    WITH here AS (
        SELECT s.id, s.timezone, timezone(s.timezone, CAST(:now AS timestamptz)) AS clock,
               coalesce(t.threshold, :threshold) AS threshold
        FROM site s
        LEFT JOIN unnest(CAST(:own AS bigint[]), CAST(:thresholds AS float8[]))
            AS t (site_id, threshold) ON t.site_id = s.id
        WHERE s.tenant_id = :tenant
          AND (CAST(:sites AS bigint[]) IS NULL OR s.id = ANY(:sites))
    ),
    scored AS (
        SELECT CAST(here.clock AS date) - CAST(timezone(here.timezone, p.occurred_at) AS date)
                   AS days_ago,
               count(*) AS punches,
               count(*) FILTER (WHERE p.fraud_score >= here.threshold) AS high
        FROM fraud_prediction_log p JOIN here ON here.id = p.site_id
        WHERE p.tenant_id = :tenant AND NOT p.is_shadow
          AND p.occurred_at > :since AND p.occurred_at <= :now
          AND CAST(timezone(here.timezone, p.occurred_at) AS time) <= CAST(here.clock AS time)
          AND NOT EXISTS (
              SELECT FROM attendance_event e
              WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL AND e.occurred_at > :since
                AND e.id = p.attendance_event_id
          )
        GROUP BY 1
    ),
    odd AS (
        SELECT CAST(here.clock AS date) - CAST(timezone(here.timezone, a.occurred_at) AS date)
                   AS days_ago,
               count(*) AS anomalies
        FROM attendance_anomaly_log a JOIN here ON here.id = a.site_id
        WHERE a.tenant_id = :tenant AND a.occurred_at > :since AND a.occurred_at <= :now
          AND CAST(timezone(here.timezone, a.occurred_at) AS time) <= CAST(here.clock AS time)
          AND NOT EXISTS (
              SELECT FROM attendance_event e
              WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL AND e.occurred_at > :since
                AND e.id = a.attendance_event_id
          )
        GROUP BY 1
    )
    SELECT days_ago, coalesce(punches, 0) AS punches, coalesce(high, 0) AS high,
           coalesce(anomalies, 0) AS anomalies
    FROM scored FULL JOIN odd USING (days_ago)
    WHERE days_ago BETWEEN 0 AND :days
    """
)


@dataclass(frozen=True, slots=True)
class Usual:
    """What a number was by this hour: the median of the days, and what 8 in 10 of them had."""

    median: float
    low: int
    high: int
    most: int


@dataclass(frozen=True, slots=True)
class SoFar:
    """A number of today up to now; ``usual`` is None where there were too few days."""

    today: int
    usual: Usual | None


@dataclass(frozen=True, slots=True)
class FraudSoFar:
    """``over`` counts punches at or above the ticket threshold, ``anomalies`` what is suspicious.

    ``days`` of the last :data:`DAYS` had punches by this hour, ``punches`` is how many today has.
    """

    punches: int
    over: SoFar
    anomalies: SoFar
    days: int


def fraud_so_far(
    *,
    tenant_id: int,
    now: dt.datetime,
    config: SiteSettings,
    site_ids: Collection[int] | None = None,
) -> FraudSoFar:
    """Today against the :data:`DAYS` days before it, each up to the hour it is now. One query.

    A day begins at midnight of the site's own clock. Days on which nobody punched by this hour
    are not measured, and do not count as days without fraud. ``config`` has
    ``fraud_score_ticket_threshold``; ``site_ids``: the sites whoever asks is limited to.
    """
    rows = session().execute(
        _COUNTS,
        {
            "tenant": tenant_id,
            "now": now,
            # Two days more, since the sites' days end at different hours.
            "since": now - dt.timedelta(days=DAYS + 2),
            "days": DAYS,
            "sites": None if site_ids is None else list(site_ids),
            "threshold": config.tenant.fraud_score_ticket_threshold,
            "own": list(config.sites),
            "thresholds": [own.fraud_score_ticket_threshold for own in config.sites.values()],
        },
    )
    by_day = {row.days_ago: row for row in rows}
    today = by_day.pop(0, None)
    before = [row for row in by_day.values() if row.punches]
    return FraudSoFar(
        punches=today.punches if today else 0,
        over=SoFar(today.high if today else 0, usual([row.high for row in before])),
        anomalies=SoFar(today.anomalies if today else 0, usual([row.anomalies for row in before])),
        days=len(before),
    )


def usual(numbers: Collection[int]) -> Usual | None:
    """The median and the range of 8 in 10, rounded outwards; None for fewer than :data:`ENOUGH`."""
    if len(numbers) < ENOUGH:
        return None
    tenths = statistics.quantiles(numbers, n=10, method="inclusive")
    return Usual(
        median=statistics.median(numbers),
        low=math.floor(tenths[0]),
        high=math.ceil(tenths[-1]),
        most=max(numbers),
    )
