"""What is usual on a site, learned an hour at a time.

A sample is one guard's signals over one completed hour on duty. Mean and sum of squared
differences are merged batch by batch (Chan, Golub and LeVeque 1979), so that no sample is kept
and the result is that of all samples at once.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from noc.audit.models import METRICS
from noc.extensions import session
from noc.settings import Settings
from noc.telemetry.collection import Signals, collect_signals
from noc.workforce.roster import Duty, shifts_between

MIN_SAMPLES = 30
"""Fewer say nothing; also what makes a baseline stable, over :data:`STABLE_DAYS`."""

STABLE_DAYS = 14

CATCH_UP_HOURS = 24
"""After a pause of the audit, so many hours are fed at once, at most."""

HOUR = dt.timedelta(hours=1)

LEVELS = ("hour_of_week", "hour_of_day", "all")
"""Finest first."""

_FEED = text(
    """
    INSERT INTO baseline_profile AS b (
        tenant_id, site_id, metric_type, level, slot, mean, m2, std_dev, sample_count,
        first_sample_at, last_sample_at, is_stable, dynamic_threshold)
    SELECT :tenant, r.site_id, r.metric, r.level, r.slot, r.mean, r.m2,
           CASE WHEN r.n > 1 THEN sqrt(r.m2 / (r.n - 1)) ELSE 0 END, r.n, :hour, :hour, false,
           :threshold
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        site_id bigint, metric text, level text, slot bigint, n bigint, mean float8, m2 float8)
    ORDER BY r.site_id, r.metric, r.level, r.slot
    ON CONFLICT (tenant_id, site_id, metric_type, level, slot) DO UPDATE SET
        mean = b.mean + (excluded.mean - b.mean) * excluded.sample_count
            / (b.sample_count + excluded.sample_count),
        m2 = b.m2 + excluded.m2 + (excluded.mean - b.mean) ^ 2 * b.sample_count
            * excluded.sample_count / (b.sample_count + excluded.sample_count)::float8,
        std_dev = sqrt((b.m2 + excluded.m2 + (excluded.mean - b.mean) ^ 2 * b.sample_count
            * excluded.sample_count / (b.sample_count + excluded.sample_count)::float8)
            / greatest(b.sample_count + excluded.sample_count - 1, 1)),
        sample_count = b.sample_count + excluded.sample_count,
        first_sample_at = least(b.first_sample_at, excluded.first_sample_at),
        last_sample_at = greatest(b.last_sample_at, excluded.last_sample_at),
        is_stable = b.sample_count + excluded.sample_count >= :min_samples
            AND greatest(b.last_sample_at, excluded.last_sample_at)
                - least(b.first_sample_at, excluded.first_sample_at) >= :stable_for
    """
)
_CLAIM = text(
    """
    INSERT INTO baseline_hour (tenant_id, site_id, hour, samples)
    SELECT :tenant, r.site_id, :hour, r.n
    FROM unnest(CAST(:sites AS bigint[]), CAST(:counts AS bigint[])) AS r (site_id, n)
    ORDER BY r.site_id
    ON CONFLICT DO NOTHING
    RETURNING site_id
    """
)
_LAST_FED = text(
    """
    SELECT max(hour) FROM baseline_hour
    WHERE tenant_id = :tenant AND hour <= :until
      AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(:sites))
    """
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One guard's signals over one completed hour on duty at a site."""

    site_id: int
    person_id: int
    hour: dt.datetime
    values: Mapping[str, float]


def read_samples(
    hour: dt.datetime, *, tenant_id: int, site_ids: Collection[int] | None = None
) -> list[Sample]:
    """The samples of the hour that begins at ``hour``: of those on duty throughout and heard of.

    Whoever was silent for the whole hour is no sample: that is a matter of the phone, and zeros
    would teach the baseline that silence is usual. Two queries.
    """
    duties: list[Duty] = [
        duty
        for duty in shifts_between(hour, hour + HOUR, tenant_id=tenant_id, site_ids=site_ids)
        if duty.starts_at <= hour and duty.ends_at >= hour + HOUR
    ]
    people = sorted({duty.person_id for duty in duties})
    signals = collect_signals(
        people, tenant_id=tenant_id, start=hour, end=hour + HOUR - dt.timedelta(microseconds=1)
    )
    return [
        Sample(duty.site_id, duty.person_id, hour, _values(signals[duty.person_id]))
        for duty in duties
        if signals[duty.person_id].last_signal_at is not None
    ]


def hours_to_feed(
    until: dt.datetime, *, tenant_id: int, site_ids: Collection[int] | None = None
) -> list[dt.datetime]:
    """The hours up to the one that begins at ``until`` that have not fed the baselines yet.

    At most :data:`CATCH_UP_HOURS` of them: an audit that did not run for a while misses none of
    the last day. One query.
    """
    sites = None if site_ids is None else list(site_ids)
    last = session().scalar(_LAST_FED, {"tenant": tenant_id, "until": until, "sites": sites})
    behind = 1 if last is None else min(int((until - last) / HOUR), CATCH_UP_HOURS)
    return [until - n * HOUR for n in reversed(range(behind))]


def feed(samples: Sequence[Sample], config: Settings, *, tenant_id: int) -> int:
    """Feed the baselines of the samples' sites at all three levels; how many samples counted.

    An hour of a site feeds once: where it has before, or does at the same moment elsewhere, its
    samples are left out. Of one hour at a time. Three statements. The caller commits.
    """
    if not samples:
        return 0
    hour = samples[0].hour
    counts: dict[int, int] = {}
    for sample in samples:
        counts[sample.site_id] = counts.get(sample.site_id, 0) + 1
    claimed = set(
        session().scalars(
            _CLAIM,
            {
                "tenant": tenant_id,
                "hour": hour,
                "sites": list(counts),
                "counts": list(counts.values()),
            },
        )
    )
    counted = [sample for sample in samples if sample.site_id in claimed]
    if counted:
        zones = site_zones(claimed, tenant_id)
        session().execute(
            _FEED,
            {
                "tenant": tenant_id,
                "hour": hour,
                "rows": json.dumps(_moments(counted, zones), allow_nan=False),
                "min_samples": MIN_SAMPLES,
                "stable_for": dt.timedelta(days=STABLE_DAYS),
                "threshold": config.baseline_default_threshold,
            },
        )
    return len(counted)


def slots(hour: dt.datetime, zone: ZoneInfo) -> dict[str, int]:
    """The slot of each level for the hour that begins at ``hour``, on the site's own clock."""
    local = hour.astimezone(zone)
    return {
        "hour_of_week": local.weekday() * 24 + local.hour,
        "hour_of_day": local.hour,
        "all": 0,
    }


def _values(signals: Signals) -> dict[str, float]:
    return {metric: float(getattr(signals, metric)) for metric in METRICS}


def _moments(samples: Sequence[Sample], zones: Mapping[int, ZoneInfo]) -> list[dict[str, Any]]:
    """Count, mean and sum of squared differences by site, metric, level and slot."""
    grouped: dict[tuple[int, str], list[float]] = {}
    for sample in samples:
        for metric, value in sample.values.items():
            grouped.setdefault((sample.site_id, metric), []).append(value)
    rows = []
    for (site_id, metric), values in grouped.items():
        mean = math.fsum(values) / len(values)
        m2 = math.fsum((value - mean) ** 2 for value in values)
        for level, slot in slots(samples[0].hour, zones[site_id]).items():
            rows.append(
                {
                    "site_id": site_id,
                    "metric": metric,
                    "level": level,
                    "slot": slot,
                    "n": len(values),
                    "mean": mean,
                    "m2": m2,
                }
            )
    return rows


def site_zones(site_ids: Collection[int], tenant_id: int) -> dict[int, ZoneInfo]:
    """The clocks of the sites. One query."""
    rows = session().execute(
        text("SELECT id, timezone FROM site WHERE tenant_id = :tenant AND id = ANY(:sites)"),
        {"tenant": tenant_id, "sites": sorted(site_ids)},
    )
    return {row.id: ZoneInfo(row.timezone) for row in rows}
