"""What the phones say between the punches: fixes, phone events, tasks, rounds of checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noc.demo.roster import Duties, Shifts
from noc.demo.scale import Flags, Floats, Ints
from noc.demo.truth import Typology
from noc.demo.world import Company

FIX_EVERY = 900.0
"""Seconds between fixes; phones that save battery send every second one of them."""

SAVES_BATTERY = 0.15
EVENTS = ("screen_on", "app_foreground", "network_change", "charger", "heartbeat")
TASKS = ("gate check", "visitor log", "key handover", "lighting check", "fire panel check")
CHECKPOINTS = 5
"""Checkpoints of a site's round."""

ROUND_SECONDS = 3600.0
"""Time given for a round."""


@dataclass
class Fixes:
    """Location fixes."""

    guard: Ints
    at: Floats
    lat: Floats
    lon: Floats
    accuracy: Floats


@dataclass
class Happenings:
    """Phone events or tasks; ``what`` indexes :data:`EVENTS` or :data:`TASKS`."""

    guard: Ints
    at: Floats
    what: Ints


@dataclass
class Rounds:
    """Rounds to be walked, one a shift; ``scanned`` (rounds x checkpoints): when, NaN if never."""

    guard: Ints
    site: Ints
    starts: Floats
    expires: Floats
    scanned: Floats


def fixes(company: Company, day: int, duties: Duties) -> Fixes:
    """Fixes of those who are there, and of those whose phone only says so."""
    rng = company.rng("fixes", day)
    spoofed = duties.fraud == Typology.MOCK_GPS
    heard = ~duties.at_home | (spoofed & (rng.random(len(duties)) < 0.6))
    rows, at = _ticks(rng, duties, heard, before=1200.0, after=300.0)
    guards, who, site = company.guards, duties.guard[rows], duties.site[rows]
    saving = company.rng("battery-savers").random(len(guards)) < SAVES_BATTERY
    keep = ~saving[who] | (rng.random(len(who)) < 0.5)
    rows, at, who, site = rows[keep], at[keep], who[keep], site[keep]
    count = len(rows)
    accuracy = np.array([place.kind.accuracy for place in company.places])[site]
    accuracy = accuracy * guards.gps_factor[who] * rng.lognormal(0, 0.4, count)
    reach = company.radius[site] * 0.45 * np.sqrt(rng.random(count))
    bearing = rng.uniform(0, 2 * np.pi, count)
    x = np.where(spoofed[rows], 0.0, reach * np.cos(bearing) + rng.normal(0, 1, count) * accuracy)
    y = np.where(spoofed[rows], 0.0, reach * np.sin(bearing) + rng.normal(0, 1, count) * accuracy)
    coming = at < duties.arrive[rows] - 60
    share = np.clip((duties.arrive[rows] - at) / 3600, 0, 0.4)
    x = np.where(coming, guards.home_x[who] * share, x)
    y = np.where(coming, guards.home_y[who] * share, y)
    lat, lon = company.point(site, x, y)
    accuracy = np.where(spoofed[rows], 3.9, np.maximum(accuracy, 2.6)).round(1)
    return Fixes(who, at, lat.round(7), lon.round(7), accuracy)


def phone_events(company: Company, day: int, duties: Duties, *, every: float) -> Happenings:
    """Events of the phones of those on duty, one in ``every`` seconds on average."""
    rng = company.rng("phone-events", day)
    rows, at = _scattered(rng, duties, ~duties.at_home, every)
    return Happenings(duties.guard[rows], at, rng.integers(len(EVENTS), size=len(rows)))


def tasks(company: Company, day: int, duties: Duties) -> Happenings:
    """Tasks reported done: one in six hours."""
    rng = company.rng("tasks", day)
    rows, at = _scattered(rng, duties, ~duties.at_home, 6 * 3600.0)
    return Happenings(duties.guard[rows], at, rng.integers(len(TASKS), size=len(rows)))


def rounds(company: Company, day: int, shifts: Shifts, duties: Duties) -> Rounds:
    """One round a shift, asked of whom the roster names; walked by those who are there."""
    rng = company.rng("rounds", day)
    who = np.where(shifts.swapped_with >= 0, shifts.swapped_with, shifts.guard)
    count = len(shifts)
    span = shifts.ends - shifts.starts
    starts = shifts.starts + (0.12 + 0.68 * rng.random(count)) * span
    pace = np.cumsum(rng.uniform(120, 420, (count, CHECKPOINTS)), axis=1)
    scanned = starts[:, None] + rng.uniform(0, 900, count)[:, None] + pace
    turn = {
        (int(guard), int(site)): row
        for row, (guard, site) in enumerate(zip(duties.guard, duties.site, strict=True))
        if not duties.at_home[row]
    }
    rows = np.array(
        [turn.get((int(g), int(s)), -1) for g, s in zip(who, shifts.site, strict=True)], np.int64
    )
    there = (rows >= 0) & (starts < duties.leave[rows] - 1200) if len(duties) else rows >= 0
    careful = rng.random((count, CHECKPOINTS)) < company.guards.diligence[who][:, None]
    scanned[~(there[:, None] & careful)] = np.nan
    dawdled = rng.random(count) < 0.015
    scanned[dawdled] += ROUND_SECONDS
    return Rounds(who, shifts.site, starts, starts + ROUND_SECONDS, scanned)


def _ticks(
    rng: np.random.Generator, duties: Duties, heard: Flags, *, before: float, after: float
) -> tuple[Ints, Floats]:
    """Regular moments of each turn, each a little off; row of the turn and time."""
    start, stop = duties.arrive - before, duties.leave + after
    counts = np.where(heard, np.maximum((stop - start) // FIX_EVERY, 0), 0).astype(np.int64)
    rows = np.repeat(np.arange(len(duties)), counts)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    phase = rng.uniform(0, FIX_EVERY, len(duties))
    return rows, start[rows] + phase[rows] + FIX_EVERY * nth + rng.normal(0, 20, len(rows))


def _scattered(
    rng: np.random.Generator, duties: Duties, heard: Flags, every: float
) -> tuple[Ints, Floats]:
    """Moments at random within each turn, one in ``every`` seconds on average."""
    span = np.where(heard, np.maximum(duties.leave - duties.arrive, 0), 0)
    rows = np.repeat(np.arange(len(duties)), rng.poisson(span / every))
    return rows, duties.arrive[rows] + rng.random(len(rows)) * span[rows]
