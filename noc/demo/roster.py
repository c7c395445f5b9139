"""The roster: who is on duty where and when, swaps, leave; and who really turns up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from noc.demo.scale import Flags, Floats, Ints
from noc.demo.truth import Lookalike, Typology
from noc.demo.world import Company

SWAPPED, UNREGISTERED, NO_SHOW, RELIEVED = 0.02, 0.3, 0.01, 0.012
"""Shares: shifts that change hands; of those, how many nobody notes; nobody comes; posted
to the sister site."""

ON_LEAVE_A_WEEK = 0.045
"""Share of guards whose leave begins in a given week."""


@dataclass
class Shifts:
    """A day's rows of the roster, as the company's office sees them. Times: epoch seconds.

    ``swapped_with`` is a guard or -1.
    """

    guard: Ints
    site: Ints
    starts: Floats
    ends: Floats
    swapped_with: Ints
    second: Flags

    def __len__(self) -> int:
        return len(self.guard)

    def codes(self, company: Company, day: int) -> list[str]:
        """A code for each row, the same however often the day is planned."""
        date = dt.date.fromordinal(day).strftime("%y%m%d")
        return [
            f"{date}-{company.guards.code[guard]}{'-2' if second else ''}"
            for guard, second in zip(self.guard, self.second, strict=True)
        ]


@dataclass
class Duties:
    """A day's turns as they are really worked; ``arrive`` and ``leave`` are where the body is.

    ``alike`` says why an honest turn looks odd; ``fraud`` is the typology of the whole turn.
    ``at_home``: seen from the phone, its owner stays at home.
    """

    guard: Ints
    site: Ints
    starts: Floats
    ends: Floats
    arrive: Floats
    leave: Floats
    alike: Ints
    fraud: Ints
    second: Flags
    at_home: Flags

    def __len__(self) -> int:
        return len(self.guard)

    def select(self, keep: Flags | Ints) -> Duties:
        """The rows that ``keep`` picks."""
        return Duties(*(getattr(self, field.name)[keep] for field in fields(self)))


_Rows = TypeVar("_Rows", Shifts, Duties)


def plan(company: Company, day: int) -> tuple[Shifts, Duties]:
    """Roster and turns of the shifts that begin on ``day`` by the clock of their site."""
    rng = company.rng("roster", day)
    guards = company.guards
    working = _working(company, day)
    rostered = np.flatnonzero(working)
    slots = np.array([place.kind.slots for place in company.places])[guards.site[rostered]]
    weeks = np.where(guards.rotates[rostered], day // 7, 0)
    slot = (guards.slot[rostered] + weeks) % slots
    site = guards.site[rostered].copy()
    worker, swapped_with, alike = _swaps(
        company, rng, rostered, ~working & _available(company, day)
    )
    posted, noted = _relief(company, rng, site)
    site_of_roster = np.where(noted, posted, site)
    alike[(posted != site) & ~noted] = Lookalike.RELIEF
    starts, ends = _times(company, day, site_of_roster, slot)
    shifts = Shifts(
        rostered, site_of_roster, starts, ends, swapped_with, np.zeros(len(rostered), bool)
    )
    duties = Duties(
        worker, posted, starts, ends, starts.copy(), ends.copy(), alike,
        np.zeros(len(worker), np.int64), np.zeros(len(worker), bool), np.zeros(len(worker), bool),
    )  # fmt: skip
    shows_up = rng.random(len(worker)) >= NO_SHOW
    return _second_posts(company, day, rng, shifts, duties.select(shows_up))


def leave(company: Company, week: int) -> tuple[Ints, Ints, Ints]:
    """Guards on leave that begins in the week with this number (day // 7), first day, last day."""
    rng = company.rng("leave", week)
    count = len(company.guards)
    guards = np.flatnonzero(rng.random(count) < ON_LEAVE_A_WEEK)
    first = week * 7 + rng.integers(0, 5, count)[guards]
    return guards, first, np.minimum(first + rng.integers(0, 5, count)[guards], week * 7 + 6)


def _available(company: Company, day: int) -> Flags:
    guards, first, last = leave(company, day // 7)
    available = company.guards.hired <= day
    available[guards[(first <= day) & (day <= last)]] = False
    return available


def _working(company: Company, day: int) -> Flags:
    guards = company.guards
    turn: Flags = (day + guards.offset) % guards.cycle < guards.on_days
    return turn & _available(company, day)


def _swaps(
    company: Company, rng: np.random.Generator, rostered: Ints, free: Flags
) -> tuple[Ints, Ints, Ints]:
    """Who works each shift, the swap as the roster knows it (-1: none), and look-alikes.

    Only honest guards swap here: what a dishonest one does is a typology's business.
    """
    guards = company.guards
    worker, noted = rostered.copy(), np.full(len(rostered), -1)
    alike = np.zeros(len(rostered), np.int64)
    honest = guards.typology == Typology.HONEST
    free = free & honest
    for row in np.flatnonzero((rng.random(len(rostered)) < SWAPPED) & honest[rostered]):
        candidates = np.flatnonzero(free & (guards.site == guards.site[rostered[row]]))
        if not len(candidates):
            continue
        substitute = rng.choice(candidates)
        free[substitute] = False
        worker[row] = substitute
        alike[row] = Lookalike.SWAPPED_SHIFT
        if rng.random() >= UNREGISTERED:
            noted[row] = substitute
    return worker, noted, alike


def _relief(company: Company, rng: np.random.Generator, site: Ints) -> tuple[Ints, Flags]:
    """Where each turn is worked, and whether the roster knows of a change."""
    sisters = np.array([place.sister for place in company.places])[site]
    moved = (rng.random(len(site)) < RELIEVED) & (sisters >= 0)
    noted = rng.random(len(site)) >= UNREGISTERED
    return np.where(moved, sisters, site), moved & noted


def _times(company: Company, day: int, site: Ints, slot: Ints) -> tuple[Floats, Floats]:
    starts = np.array(
        [company.places[s].starts(day, int(n)) for s, n in zip(site, slot, strict=True)]
    )
    hours = np.array([company.places[s].kind.hours for s in site])
    return starts, starts + hours * 3600.0


def _second_posts(
    company: Company, day: int, rng: np.random.Generator, shifts: Shifts, duties: Duties
) -> tuple[Shifts, Duties]:
    """Add the second post that some have themselves rostered for, at the same time elsewhere."""
    guards = company.guards
    crooked = (guards.typology == Typology.OVERLAP) & (guards.since <= day)
    tempted = rng.random(len(guards)) < guards.rate
    sisters = np.array([place.sister for place in company.places])
    rows = np.flatnonzero((crooked & tempted)[duties.guard] & (sisters[duties.site] >= 0))
    if not len(rows):
        return shifts, duties
    late = rng.uniform(0.5, 2.5, len(rows)) * 3600
    extra = duties.select(rows)
    extra.site, extra.starts, extra.ends = (
        sisters[extra.site],
        extra.starts + late,
        extra.ends + late,
    )
    extra.arrive, extra.leave = extra.starts.copy(), extra.ends.copy()
    extra.fraud[:] = Typology.OVERLAP
    extra.second[:] = True
    rostered = Shifts(
        extra.guard, extra.site, extra.starts, extra.ends, np.full(len(rows), -1), extra.second
    )
    return _joined(shifts, rostered), _joined(duties, extra)


def _joined(one: _Rows, two: _Rows) -> _Rows:
    columns = (
        np.concatenate([getattr(one, field.name), getattr(two, field.name)])
        for field in fields(one)
    )
    return type(one)(*columns)
