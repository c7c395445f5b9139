"""What stands behind a punch, beside the twelve features: the raw context that rules need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import BoolArray, Columns, FloatArray, IntArray
from noc.fraud.facts import (
    KIND_IN,
    KIND_PRESENCE,
    LABEL_DAYS,
    NOBODY,
    ROUND_DAYS,
    Facts,
    SiteFacts,
)
from noc.fraud.geofence import great_circle, metres_outside
from noc.fraud.habits import Habits, habits_before, same_payload
from noc.fraud.windows import DAY, HOUR, MINUTE, SECOND, Windows, windows_before

OPEN_HOURS = 16
"""A clock-in without a clock-out is taken as still open for so long."""


@dataclass(frozen=True, slots=True)
class Movement:
    """From the previous position of the person, by punch and by phone signal; NaN for none.

    Distances are metres less the accuracies of both ends, gaps are seconds, speed is km/h.
    """

    distance: FloatArray
    gap: FloatArray
    speed: FloatArray
    previous_site: IntArray
    fix_distance: FloatArray
    fix_gap: FloatArray
    fixes: FloatArray


@dataclass(frozen=True, slots=True)
class Sharing:
    """The last punch of somebody else on the same device, at most 15 minutes before.

    ``gap`` is seconds, NaN for none; ``people`` how many used the device in the 30 days before.
    """

    other: IntArray
    gap: FloatArray
    kind: IntArray
    people: IntArray


@dataclass(frozen=True, slots=True)
class Duty:
    """The roster around the punch, and a clock-in at another site that was never ended.

    ``open_hours`` is NaN where none is open; ``open_rostered`` says that the shift there still
    runs, ``open_apart`` how many metres lie between the two sites.
    """

    here: BoolArray
    elsewhere: IntArray
    open_site: IntArray
    open_hours: FloatArray
    open_rostered: BoolArray
    open_apart: FloatArray


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on the person's punches, confirmed before this one: how many, how many fraud,

    and how many of the latest were fraud without a break.
    """

    reviewed: IntArray
    confirmed: IntArray
    run: IntArray


@dataclass(frozen=True, slots=True)
class Evidence:
    """Aligned arrays, one entry per punch; ``punches`` holds the punch, its site, its person."""

    punches: Columns
    history: Columns
    sites: dict[int, SiteFacts]
    habits: Habits
    centre_distance: FloatArray
    outside: FloatArray
    movement: Movement
    sharing: Sharing
    duty: Duty
    verdicts: Verdicts
    rounds_due: IntArray
    rounds_done: IntArray
    recent_replays: IntArray
    recent_replay_of: IntArray

    def __len__(self) -> int:
        return len(self.punches["id"])


def gather(facts: Facts) -> Evidence:
    """Put what was read in relation to each punch."""
    p = facts.punches
    habits = habits_before(facts)
    centre = great_circle(p["lat"], p["lon"], p["site_lat"], p["site_lon"])
    rounds = windows_before(
        p["person"],
        p["time"],
        facts.rounds["person"],
        facts.rounds["time"],
        back=ROUND_DAYS * DAY,
    )
    replays, replay_of = _recent_replays(p, facts.recent)
    return Evidence(
        punches=p,
        history=facts.history,
        sites=facts.sites,
        habits=habits,
        centre_distance=centre,
        outside=metres_outside(p["lat"], p["lon"], p["site"], centre, p["radius"], facts.sites),
        movement=_movement(p, facts.recent, facts.fixes),
        sharing=_sharing(p, facts.sharing),
        duty=_duty(facts, habits.windows),
        verdicts=_verdicts(p, facts.labels),
        rounds_due=rounds.counts,
        rounds_done=_sum_over(rounds, facts.rounds["done"]),
        recent_replays=replays,
        recent_replay_of=replay_of,
    )


def _movement(p: Columns, recent: Columns, fixes: Columns) -> Movement:
    size = len(p["id"])
    row = np.searchsorted(p["id"], recent["punch"])
    located = ~np.isnan(recent["lat"])
    latest = _latest(row[located], recent["time"][located], size)
    previous = np.flatnonzero(located)[latest] if located.any() else latest
    distance, gap = _step(p, recent, np.where(latest >= 0, previous, -1))
    fix = np.full(size, -1, dtype=np.int64)
    fix[np.searchsorted(p["id"], fixes["punch"])] = np.arange(len(fixes["punch"]))
    fix_distance, fix_gap = _step(p, fixes, fix)
    return Movement(
        distance=distance,
        gap=gap,
        speed=distance / 1000 / (np.maximum(gap, 60.0) / 3600),
        previous_site=_take(recent["site"], np.where(latest >= 0, previous, -1), NOBODY),
        fix_distance=fix_distance,
        fix_gap=fix_gap,
        fixes=_take(fixes["fixes"].astype(np.float64), fix, np.nan),
    )


def _step(p: Columns, other: Columns, index: IntArray) -> tuple[FloatArray, FloatArray]:
    """Metres (less both accuracies) and seconds from ``other[index]`` to each punch."""
    lat, lon = _take(other["lat"], index, np.nan), _take(other["lon"], index, np.nan)
    blur = np.nan_to_num(p["accuracy"]) + np.nan_to_num(_take(other["accuracy"], index, 0.0))
    distance = great_circle(lat, lon, p["lat"], p["lon"]) - blur
    gap = (p["time"] - _take(other["time"], index, 0)) / SECOND
    return np.maximum(distance, 0.0), np.where(index >= 0, gap, np.nan)


def _sharing(p: Columns, sharing: Columns) -> Sharing:
    size = len(p["id"])
    index = np.full(size, -1, dtype=np.int64)
    index[np.searchsorted(p["id"], sharing["punch"])] = np.arange(len(sharing["punch"]))
    gap = (p["time"] - _take(sharing["time"], index, 0)) / SECOND
    return Sharing(
        other=_take(sharing["other"], index, NOBODY),
        gap=np.where(index >= 0, gap, np.nan),
        kind=_take(sharing["kind"], index, NOBODY),
        people=_take(sharing["people"], index, 0),
    )


def _duty(facts: Facts, windows: Windows) -> Duty:
    p, shifts = facts.punches, facts.shifts
    size = len(p["id"])
    row = np.searchsorted(p["id"], shifts["punch"])
    time = p["time"][row]
    at_site = shifts["site"] == p["site"][row]
    # Two hours before its start and three after its end a punch still belongs to the shift.
    around = (time >= shifts["start"] - 2 * HOUR) & (time <= shifts["end"] + 3 * HOUR)
    running = (time >= shifts["start"]) & (time < shifts["end"] - 30 * MINUTE)
    here = np.zeros(size, dtype=np.bool_)
    here[row[at_site & around]] = True
    elsewhere = np.full(size, NOBODY, dtype=np.int64)
    away = ~at_site & running
    elsewhere[row[away]] = shifts["site"][away]

    last = windows.last()
    open_site = _take(facts.history["site"], last, NOBODY)
    hours = (p["time"] - _take(facts.history["time"], last, 0)) / HOUR
    is_open = (
        (_take(facts.history["kind"], last, NOBODY) == KIND_IN)
        & (open_site != p["site"])
        & (hours <= OPEN_HOURS)
        & ((p["kind"] == KIND_IN) | (p["kind"] == KIND_PRESENCE))
    )
    open_rostered = np.zeros(size, dtype=np.bool_)
    open_rostered[row[running & (shifts["site"] == open_site[row])]] = True
    return Duty(
        here=here,
        elsewhere=elsewhere,
        open_site=np.where(is_open, open_site, NOBODY),
        open_hours=np.where(is_open, hours, np.nan),
        open_rostered=open_rostered & is_open,
        open_apart=_between_sites(p, np.where(is_open, open_site, NOBODY), facts.sites),
    )


def _between_sites(p: Columns, other: IntArray, sites: dict[int, SiteFacts]) -> FloatArray:
    place = {site_id: (site.lat, site.lon) for site_id, site in sites.items()}
    nowhere = (np.nan, np.nan)
    lat, lon = np.array([place.get(int(s), nowhere) for s in other]).reshape(-1, 2).T
    return great_circle(lat, lon, p["site_lat"], p["site_lon"])


def _verdicts(p: Columns, labels: Columns) -> Verdicts:
    # In the order they were given, and for those given together in the order of the punches.
    order = np.lexsort((labels["punched"], labels["time"], labels["person"]))
    person, time, fraud = (labels[name][order] for name in ("person", "time", "fraud"))
    windows = windows_before(p["person"], p["time"], person, time, back=LABEL_DAYS * DAY)
    run = np.zeros(len(p["id"]), dtype=np.int64)
    for punch in np.flatnonzero(windows.counts):
        latest_first = fraud[windows.events(int(punch))][::-1]
        run[punch] = len(latest_first) if latest_first.all() else int(latest_first.argmin())
    return Verdicts(windows.counts, _sum_over(windows, fraud), run)


def _recent_replays(p: Columns, recent: Columns) -> tuple[IntArray, IntArray]:
    """Identical payloads among the eight latest punches of any kind: count, and the latest."""
    size = len(p["id"])
    row = np.searchsorted(p["id"], recent["punch"])
    same = same_payload(p, row, recent, np.arange(len(row)))
    latest = _latest(row[same], recent["time"][same], size)
    return np.bincount(row[same], minlength=size), _take(recent["time"][same], latest, -1)


def _latest(row: IntArray, time: IntArray, size: int) -> IntArray:
    """For each punch the index of its latest entry, -1 where it has none."""
    order = np.lexsort((time, row))
    latest = np.full(size, -1, dtype=np.int64)
    latest[row[order]] = order
    return latest


def _sum_over(windows: Windows, values: BoolArray) -> IntArray:
    """How many of each window's events are true."""
    total = np.concatenate([[0], np.cumsum(values[windows.order])]).astype(np.int64)
    counted: IntArray = total[windows.stop] - total[windows.start]
    return counted


def _take(values: NDArray[Any], index: IntArray, missing: float) -> NDArray[Any]:
    """``values[index]``, and ``missing`` where the index is -1."""
    taken = np.full(len(index), missing, dtype=values.dtype)
    some = index >= 0
    taken[some] = values[index[some]]
    return taken
