"""A person's habits as of a punch: hours, weekdays, sites, phone, and their usual numbers.

All from their own clock-ins and clock-outs of the 90 days *before* the punch. Presence
confirmations follow from the shift and have no habit of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import structlog

from noc.fraud.columns import Columns, FloatArray, IntArray
from noc.fraud.facts import HABIT_DAYS, KIND_PRESENCE, NOBODY, Facts, SiteFacts
from noc.fraud.windows import DAY, MINUTE, Windows, mean_by, windows_before
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

NEAR_MINUTES = 120
"""A punch at most this far from an earlier one, on the clock, is at the same time of day."""

HABIT_PUNCHES = 400
"""The latest clock-ins and clock-outs that make habits: four a day for 90 days, and some.

The bound keeps a client that sends thousands of punches of one person from stalling a worker.
"""

HOUR_PRIOR_SHARE, HOUR_PRIOR_WEIGHT = 0.15, 10
"""Shrinkage: a person is credited with 10 punches of which 15 % were at this very time."""

WEEKDAY_PRIOR_WEIGHT = 7
"""Shrinkage: a person is credited with one punch on each weekday."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Per punch. ``same_kind`` counts earlier punches of its kind, ``near`` those at its hour.

    ``hour_anomaly`` and ``weekday_conformity`` are the two features; NaN without any history,
    and for presence confirmations. ``replays`` counts earlier punches with the same payload to
    the last digit, ``replay_of`` is the first of them; ``same_place`` those with the same
    coordinates alone. ``biometric`` and ``accuracy`` are means.
    """

    windows: Windows
    minute: IntArray
    weekday: IntArray
    history_minute: IntArray
    total: IntArray
    same_kind: IntArray
    near: IntArray
    same_weekday: IntArray
    hour_anomaly: FloatArray
    weekday_conformity: FloatArray
    site_visits: IntArray
    device_uses: IntArray
    device_known: IntArray
    biometric: FloatArray
    biometric_count: IntArray
    accuracy: FloatArray
    replays: IntArray
    replay_of: IntArray
    same_place: IntArray


def habits_before(facts: Facts) -> Habits:
    """The habits of each punch's person at the moment of the punch."""
    p, h = facts.punches, facts.history
    size = len(p["id"])
    windows = windows_before(
        p["person"],
        p["time"],
        h["person"],
        h["time"],
        back=HABIT_DAYS * DAY,
        most=HABIT_PUNCHES,
    )
    minute, weekday = local_clock(p["time"], p["site"], facts.sites)
    then_minute, then_weekday = local_clock(h["time"], h["site"], facts.sites)
    punch, event = windows.pairs()

    def count(mask: np.ndarray) -> IntArray:
        return np.bincount(punch[mask], minlength=size)

    alike = h["kind"][event] == p["kind"][punch]
    apart = np.abs(then_minute[event] - minute[punch])
    near = alike & (np.minimum(apart, 1440 - apart) <= NEAR_MINUTES)
    same_kind, near_count = count(alike), count(near)
    same_weekday = count(alike & (then_weekday[event] == weekday[punch]))
    same_place, same_payload = _repeats(p, h, punch, event)
    timeless = (same_kind == 0) | (p["kind"] == KIND_PRESENCE)
    biometric, biometric_count = mean_by(punch, h["biometric"][event], size)
    return Habits(
        windows=windows,
        minute=minute,
        weekday=weekday,
        history_minute=then_minute,
        total=windows.counts,
        same_kind=same_kind,
        near=near_count,
        same_weekday=same_weekday,
        hour_anomaly=np.where(timeless, np.nan, hour_anomaly(near_count, same_kind)),
        weekday_conformity=np.where(timeless, np.nan, weekday_conformity(same_weekday, same_kind)),
        site_visits=count(h["site"][event] == p["site"][punch]),
        device_uses=count(
            (h["device"][event] == p["device"][punch]) & (p["device"][punch] != NOBODY)
        ),
        device_known=count(h["device"][event] != NOBODY),
        biometric=biometric,
        biometric_count=biometric_count,
        accuracy=mean_by(punch, h["accuracy"][event], size)[0],
        replays=count(same_payload),
        replay_of=_first(punch[same_payload], h["time"][event[same_payload]], size),
        same_place=count(same_place),
    )


def hour_anomaly(near: IntArray, punches: IntArray) -> FloatArray:
    """0 for a usual hour to 1 for one never seen, of ``near`` among ``punches`` like it.

    The share at this hour, shrunk towards 15 % with the weight of ten punches, measured against
    15 %: an hour that a guard on rotating shifts works every sixth time is usual, and a new
    guard, of whom nothing is known, is not unusual.
    """
    share = (near + HOUR_PRIOR_WEIGHT * HOUR_PRIOR_SHARE) / (punches + HOUR_PRIOR_WEIGHT)
    return np.clip(1.0 - share / HOUR_PRIOR_SHARE, 0.0, 1.0)


def weekday_conformity(same: IntArray, punches: IntArray) -> FloatArray:
    """1 for a usual weekday to 0 for one never worked, of ``same`` among ``punches``.

    The share of the weekday, shrunk towards a seventh with the weight of seven punches, measured
    against a fourteenth: half of an even spread is usual.
    """
    share = (same + WEEKDAY_PRIOR_WEIGHT / 7) / (punches + WEEKDAY_PRIOR_WEIGHT)
    return np.clip(share * 14, 0.0, 1.0)


def local_clock(
    time: IntArray, site: IntArray, sites: dict[int, SiteFacts]
) -> tuple[IntArray, IntArray]:
    """Minute of the day and weekday (Monday 0) of each time on its site's clock."""
    local = np.empty(len(time), dtype=np.int64)
    known, which = np.unique(site, return_inverse=True)
    zones = [sites[int(site_id)].timezone for site_id in known]
    for zone in set(zones):
        rows = np.isin(which, [i for i, name in enumerate(zones) if name == zone])
        local[rows] = _to_zone(time[rows], zone)
    minutes = local // MINUTE
    days = minutes // 1440
    # Day 0 of Unix time was a Thursday.
    return minutes % 1440, (days + 3) % 7


def _to_zone(time: IntArray, zone: str) -> IntArray:
    # Most of a second to import, and every process of the instance starts by importing us.
    import pandas as pd

    moments = pd.DatetimeIndex(time.astype("datetime64[us]")).tz_localize("UTC")
    try:
        moments = moments.tz_convert(zone)
    except (KeyError, ValueError) as error:
        metrics.FAILURES.labels("site_timezone").inc()
        log.warning("site_timezone_unknown", timezone=zone, error=str(error))
    return moments.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)


def _repeats(
    p: Columns, h: Columns, punch: IntArray, event: IntArray
) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs have the same coordinates alone, and which the same payload altogether."""
    place = (h["lat"][event] == p["lat"][punch]) & (h["lon"][event] == p["lon"][punch])
    # Few pairs share their coordinates: the rest of the payload is compared for those only.
    few = np.flatnonzero(place)
    payload = np.zeros(len(place), dtype=np.bool_)
    payload[few] = same_payload(p, punch[few], h, event[few])
    return place & ~payload, payload


def same_payload(p: Columns, punch: IntArray, other: Columns, event: IntArray) -> np.ndarray:
    """Whether payloads agree to the last digit: place, accuracy and biometric score are there

    and equal, signal strength and battery equal or absent in both.
    """
    same = np.ones(len(punch), dtype=np.bool_)
    for name in ("lat", "lon", "accuracy", "biometric"):
        same &= other[name][event] == p[name][punch]
    for name in ("signal", "battery"):
        left, right = other[name][event], p[name][punch]
        same &= (left == right) | (np.isnan(left) & np.isnan(right))
    return same


def _first(punch: IntArray, time: IntArray, size: int) -> IntArray:
    """The earliest time of each punch's pairs, -1 where it has none."""
    first = np.full(size, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(first, punch, time)
    return np.where(first == np.iinfo(np.int64).max, -1, first)
