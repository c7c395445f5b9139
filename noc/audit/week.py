"""A week of a site beside what is usual there, for one metric: what the baselines judge by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select, text

from noc.audit.anomalies import WORK
from noc.audit.baselines import Baseline, is_anomalous, threshold_of
from noc.audit.learning import HOUR, LEVELS, MIN_SAMPLES, site_zones, slots
from noc.audit.models import BaselineChange, BaselineProfile
from noc.audit.tuning import PERIOD, as_baseline
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.identity.site_settings import read_site_settings
from noc.settings import Settings
from noc.telemetry.movement import distance_travelled
from noc.workforce.roster import shifts_between

WEEK = 168
"""Hours."""

_SETTINGS = (
    "baseline_fp_threshold",
    "baseline_stable_sample_count",
    "baseline_default_threshold",
    "baseline_sensitive_threshold",
    "baseline_conservative_threshold",
)

# What `read_samples` collects for one hour, for all hours of a week at once. Fixes travel as
# packed floats, as in noc.telemetry.collection.
_HEARD = """
    SELECT person_id, date_trunc('hour', occurred_at, 'UTC') AS hour, {value} AS value,
           {fixes} AS fixes
    FROM {table}
    WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
      AND occurred_at >= :start AND occurred_at < :end
    GROUP BY 1, 2
"""
_PACKED = """string_agg(
    float8send(lat) || float8send(lon) || float8send(coalesce(accuracy, 0))
        || float8send(CAST(extract(epoch FROM occurred_at) AS float8)),
    CAST('' AS bytea) ORDER BY occurred_at, external_id)"""
_SCANS = """
    SELECT person_id, date_trunc('hour', endtime, 'UTC') AS hour, {value} AS value,
           CAST(NULL AS bytea) AS fixes
    FROM jobneed
    WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
      AND kind = 'checkpoint' AND endtime >= :start AND endtime < :end
    GROUP BY 1, 2
"""
_VALUES = {
    "phone_events_count": ("phone_event", "count(*) FILTER (WHERE event_type <> 'heartbeat')"),
    "location_updates_count": ("location_update", "count(*)"),
    "movement_distance_meters": ("location_update", "0"),
    "tasks_completed_count": ("task_completion", "count(*)"),
    "tour_checkpoints_scanned": ("jobneed", "count(*)"),
}

_JUDGED = text(
    """
    SELECT count(*) AS judged,
           count(*) FILTER (WHERE resolution = 'FALSE_POSITIVE') AS false_positives
    FROM noc_alert_event
    WHERE tenant_id = :tenant AND alert_type = 'BASELINE_ANOMALY'
      AND occurred_at >= :since AND occurred_at <= :until AND site_id = :site
      AND CAST(metadata ->> 'baseline_id' AS bigint) = :baseline
      AND resolution IN ('CONFIRMED', 'FIXED', 'FALSE_POSITIVE')
    """
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is usual in an hour of the week: the baseline that judges it, None where none can.

    ``low`` and ``high`` bound what is not unusual, in the metric's unit; ``low`` is not below 0.
    """

    slot: int
    baseline: Baseline | None
    threshold: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """One guard's value in an hour of last week, and how many deviations it was off."""

    slot: int
    hour: dt.datetime
    person_id: int
    value: float
    z: float
    unusual: bool


@dataclass(frozen=True, slots=True)
class Week:
    """168 hours from Monday 00:00 on the site's clock, and the values of the last seven days."""

    zone: str
    expected: list[Expected]
    heard: list[Heard]
    start: dt.datetime
    end: dt.datetime


def expected_week(site_id: int, metric: str) -> list[Expected]:
    """What is usual in each hour of the week: as :func:`noc.audit.baselines.ask` would judge it.

    Two queries.
    """
    tenant = required_tenant()
    config = read_site_settings(tenant, _SETTINGS).at(site_id)
    rows = session().scalars(
        select(BaselineProfile).where(
            BaselineProfile.tenant_id == tenant,
            BaselineProfile.site_id == site_id,
            BaselineProfile.metric_type == metric,
        )
    )
    known = {(row.level, row.slot): as_baseline(row) for row in rows}
    return [_expected(slot, known, config) for slot in range(WEEK)]


def week(site_id: int, metric: str, now: dt.datetime) -> Week:
    """The week of a site and what was heard there in the last seven whole days. Five queries."""
    tenant = required_tenant()
    expected = expected_week(site_id, metric)
    config = read_site_settings(tenant, _SETTINGS).at(site_id)
    end = now.replace(minute=0, second=0, microsecond=0)
    start = end - WEEK * HOUR
    zone = site_zones([site_id], tenant)[site_id]
    heard = []
    for (person_id, hour), value in _samples(site_id, metric, start, end, tenant).items():
        slot = slots(hour, zone)["hour_of_week"]
        unusual, z, _ = is_anomalous(value, expected[slot].baseline, config)
        unusual = unusual and not (z > 0 and metric in WORK)
        heard.append(Heard(slot, hour, person_id, value, round(z, 3), unusual))
    heard.sort(key=lambda one: (one.hour, one.person_id))
    return Week(zone.key, expected, heard, start, end)


def judged(baseline: Baseline, now: dt.datetime) -> tuple[int, int]:
    """False positives among the alerts of 30 days that name the baseline and that people judged,

    and how many were judged: what the weekly tuning will see. One query.
    """
    row = session().execute(
        _JUDGED,
        {
            "tenant": required_tenant(),
            "baseline": baseline.id,
            "site": baseline.site_id,
            "since": now - PERIOD,
            "until": now,
        },
    )
    found = row.one()
    return found.false_positives, found.judged


def learned(baseline_id: int) -> dict[str, Any] | None:
    """Since when and until when a baseline has learned, and when its threshold was looked at."""
    row = session().execute(
        select(
            BaselineProfile.first_sample_at,
            BaselineProfile.last_sample_at,
            BaselineProfile.last_threshold_update,
        ).where(BaselineProfile.tenant_id == required_tenant(), BaselineProfile.id == baseline_id)
    )
    found = row.mappings().one_or_none()
    return dict(found) if found else None


def changes(site_id: int, metric: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """Changes of the thresholds of a site's metric, latest first: who, what, why. One query."""
    rows = session().execute(
        select(
            BaselineChange.at,
            BaselineChange.action,
            BaselineChange.old_threshold,
            BaselineChange.new_threshold,
            BaselineChange.reason,
            User.name.label("user_name"),
            BaselineProfile.level,
            BaselineProfile.slot,
        )
        .join(
            BaselineProfile,
            (BaselineProfile.tenant_id == BaselineChange.tenant_id)
            & (BaselineProfile.id == BaselineChange.baseline_id),
        )
        .outerjoin(
            User,
            (User.tenant_id == BaselineChange.tenant_id) & (User.id == BaselineChange.user_id),
        )
        .where(
            BaselineChange.tenant_id == required_tenant(),
            BaselineProfile.site_id == site_id,
            BaselineProfile.metric_type == metric,
        )
        .order_by(BaselineChange.at.desc(), BaselineChange.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def _expected(slot: int, known: Mapping[tuple[str, int], Baseline], config: Settings) -> Expected:
    places = {"hour_of_week": slot, "hour_of_day": slot % 24, "all": 0}
    for level in LEVELS:
        found = known.get((level, places[level]))
        if found is not None and found.sample_count >= MIN_SAMPLES:
            threshold = threshold_of(found, config)
            if not found.std_dev > 0:
                return Expected(slot, found, threshold, None, None)
            off = threshold * found.std_dev
            return Expected(slot, found, threshold, max(0.0, found.mean - off), found.mean + off)
    return Expected(slot, None, config.baseline_default_threshold, None, None)


def _samples(
    site_id: int, metric: str, start: dt.datetime, end: dt.datetime, tenant: int
) -> dict[tuple[int, dt.datetime], float]:
    """The metric by person and hour, of those on duty throughout an hour and heard of in it."""
    on_duty = _hours_on_duty(site_id, start, end, tenant)
    people = sorted({person_id for person_id, _ in on_duty})
    if not people:
        return {}
    values: dict[tuple[int, dt.datetime], float] = {}
    rows = session().execute(
        text(_statement(metric)),
        {"tenant": tenant, "people": people, "start": start, "end": end},
    )
    for row in rows:
        key = (row.person_id, row.hour.astimezone(dt.UTC))
        if key in on_duty:
            value = _distance(row.fixes) if row.fixes is not None else float(row.value)
            values[key] = values.get(key, 0.0) + value
    return values


def _statement(metric: str) -> str:
    """Every kind of signal, so that whoever is heard of counts; the metric's own has a value."""
    wanted, value = _VALUES[metric]
    parts = [
        _HEARD.format(
            table=table,
            value=value if table == wanted else "0",
            fixes=_PACKED
            if metric == "movement_distance_meters" and table == wanted
            else "CAST(NULL AS bytea)",
        )
        for table in ("phone_event", "location_update", "task_completion")
    ]
    parts.append(_SCANS.format(value=value if wanted == "jobneed" else "0"))
    return " UNION ALL ".join(parts)


def _hours_on_duty(
    site_id: int, start: dt.datetime, end: dt.datetime, tenant: int
) -> Collection[tuple[int, dt.datetime]]:
    hours = set()
    for duty in shifts_between(start, end, tenant_id=tenant, site_ids=[site_id]):
        hour = max(duty.starts_at, start).astimezone(dt.UTC)
        first = hour.replace(minute=0, second=0, microsecond=0)
        hour = first if first == hour else first + HOUR
        while hour + HOUR <= min(duty.ends_at, end):
            hours.add((duty.person_id, hour))
            hour += HOUR
    return hours


def _distance(fixes: bytes) -> float:
    lat, lon, accuracy, seconds = np.frombuffer(fixes, dtype=">f8").reshape(-1, 4).T
    return distance_travelled(lat, lon, accuracy, seconds)
