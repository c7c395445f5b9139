"""How dishonest guards cheat: each function turns one honest turn into one that is not.

Buddy punching, spoofed position, punching from elsewhere, one account at two places, ghosts on
the payroll, leaving early, replayed payloads, unauthorised posts, overlapping shifts, phantom
hours. The traces are partial and noisy: of spoofed positions the phone flags 70 %, some held-up
photos pass for a face, some who leave early have left their phone at the post.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noc.demo.behaviour import IN, OUT, PRESENCE, Punches, stand_at_post
from noc.demo.cases import Case, elsewhere, punched_by_colleague, somebody_elses_biometric
from noc.demo.roster import Duties
from noc.demo.scale import Ints
from noc.demo.truth import Typology
from noc.demo.world import Company

MOCK_FLAGGED = 0.70
"""Share of spoofed positions whose mock flag is set, where the phone reports it at all."""

SPOOF_ACCURACY = (1.0, 3.0, 3.9, 5.0)
"""Accuracies, metres, that spoofing apps report, each app always the same."""


def commit(
    company: Company, rng: np.random.Generator, day: int, duties: Duties, punches: Punches
) -> Punches:
    """Falsify what the dishonest guards of the day feel tempted to; returns the punches left."""
    guards, dropped = company.guards, list[int]()
    career = guards.typology[duties.guard]
    tempted = (guards.since[duties.guard] <= day) & (
        rng.random(len(duties)) < guards.rate[duties.guard]
    )
    tempted &= (career != Typology.HONEST) & (career != Typology.OVERLAP)
    for duty in np.flatnonzero(tempted | duties.second):
        rows = np.flatnonzero(punches.duty == duty)
        typology = Typology.OVERLAP if duties.second[duty] else Typology(int(career[duty]))
        METHODS[typology](Case(company, rng, duties, punches, int(duty), rows, dropped))
        duties.fraud[duty] = typology
    keep = np.ones(len(punches), bool)
    keep[dropped] = False
    return punches.select(keep)


def _buddy(case: Case) -> None:
    """A colleague punches for them: on the colleague's phone, or on theirs, left behind."""
    whole_shift = case.rng.random() < 0.4
    rows = case.of_kind(IN, OUT) if whole_shift else case.of_kind(IN)
    shared = case.rng.random() < 0.65
    for row in rows:
        punched_by_colleague(case, int(row), shared)
    case.mark(rows, Typology.BUDDY)
    if whole_shift:
        case.dropped.extend(case.of_kind(PRESENCE))
        case.stay_away()
    else:
        case.duties.arrive[case.duty] = (
            case.duties.starts[case.duty] + case.rng.uniform(45, 150) * 60
        )


def _mock_gps(case: Case) -> None:
    """At home with a spoofing app set to the site."""
    rows, punches, taste = case.rows, case.punches, case.habit("spoof")
    x, y = taste.normal(0, 2.5, 2)
    plain = taste.random() < 0.75
    accuracy = float(taste.choice(SPOOF_ACCURACY))
    site = case.duties.site[case.duty]
    lat, lon = case.company.point(np.full(1, site), np.full(1, x), np.full(1, y))
    wobble = 0.0 if plain else 2e-5
    punches.lat[rows] = lat + case.rng.normal(0, 1, len(rows)) * wobble
    punches.lon[rows] = lon + case.rng.normal(0, 1, len(rows)) * wobble
    punches.accuracy[rows] = accuracy if plain else case.rng.normal(11, 3, len(rows))
    punches.mock[rows] = _mock_flag(case, len(rows))
    punches.signal[rows] += taste.normal(6, 6)
    case.mark(rows, Typology.MOCK_GPS)
    case.stay_away()


def _mock_flag(case: Case, count: int) -> Ints:
    if not case.company.guards.reports_mock[case.guard]:
        return np.full(count, -1)
    return (case.rng.random(count) < MOCK_FLAGGED).astype(np.int64)


def _geofence(case: Case) -> None:
    """Punching from the tea stall, the bus or the flat, hoping that nobody looks at the map."""
    kinds = ((IN,), (PRESENCE,), (IN, PRESENCE))[case.rng.integers(3)]
    rows = case.of_kind(*kinds)
    site = int(case.duties.site[case.duty])
    far = case.company.radius[site] * 1.15 + case.rng.lognormal(6.1, 0.9)
    bearing = case.rng.uniform(0, 2 * np.pi)
    case.move(rows, site, far * np.cos(bearing), far * np.sin(bearing), spread=15)
    if IN in kinds:
        case.duties.arrive[case.duty] += case.rng.uniform(15, 70) * 60
    case.mark(rows, Typology.GEOFENCE)


def _travel(case: Case) -> None:
    """The account is used at a second site, too far to be reached in the time between."""
    row = case.of_kind(PRESENCE)[:1]
    here = int(case.duties.site[case.duty])
    there = elsewhere(case, here)
    apart = np.hypot(
        case.company.lat[there] - case.company.lat[here],
        case.company.lon[there] - case.company.lon[here],
    )
    start = case.punches.at[case.of_kind(IN)[0]]
    # Within a city a few minutes are already too few; between cities an hour or two is.
    minutes = case.rng.uniform(1.5, 5) if apart < 0.5 else case.rng.uniform(20, 110)
    case.punches.at[row] = start + 60 * minutes
    case.punches.site[row] = there
    case.punches.accuracy[row] = case.rng.uniform(8, 25)
    x, y = case.rng.normal(0, 25, 2)
    case.move(row, there, x, y, spread=5)
    case.punches.biometric[row] = somebody_elses_biometric(case)
    case.punches.device[row] = case.habit("account").choice(
        np.flatnonzero(case.company.guards.site == there)
    )
    case.mark(row, Typology.TRAVEL)


def _ghost(case: Case) -> None:
    """Nobody: a supervisor punches for a name on the payroll, on one phone, to the minute."""
    rows, punches, habit = case.rows, case.punches, case.habit("ghost")
    colleagues = np.flatnonzero(case.company.guards.site == case.duties.site[case.duty])
    punches.device[rows] = habit.choice(colleagues)
    punches.biometric[rows] = round(float(habit.uniform(0.7, 0.95)), 3)
    ends = (punches.kind[rows] == OUT).nonzero()
    punches.at[rows[ends]] = case.duties.ends[case.duty] + case.rng.normal(0, 40, len(ends[0]))
    begins = (punches.kind[rows] == IN).nonzero()
    punches.at[rows[begins]] = case.duties.starts[case.duty] + case.rng.normal(
        0, 40, len(begins[0])
    )
    case.mark(rows, Typology.GHOST)
    case.stay_away()


def _early(case: Case) -> None:
    """Gone an hour or three before the end; punched out from home, by a colleague, or spoofed."""
    away = case.duties.ends[case.duty] - case.rng.uniform(60, 200) * 60
    case.duties.leave[case.duty] = away
    presence = case.of_kind(PRESENCE)
    case.dropped.extend(presence[case.punches.at[presence] > away])
    out, means = case.of_kind(OUT), case.rng.random()
    if means < 0.4:
        guards, site = case.company.guards, int(case.duties.site[case.duty])
        part = case.rng.uniform(0.3, 1.0)
        x, y = guards.home_x[case.guard] * part, guards.home_y[case.guard] * part
        case.move(out, site, x, y, spread=20)
    elif means < 0.7:
        punched_by_colleague(case, int(out[0]), shared=case.rng.random() < 0.5)
    else:
        _mock_gps(case)
        case.punches.truth[case.rows] = Typology.HONEST
        case.duties.at_home[case.duty] = False
    case.mark(out, Typology.EARLY)


def _replay(case: Case) -> None:
    """A patched app sends a recorded punch again, its payload the same to the last digit."""
    rows, punches, tape = case.of_kind(PRESENCE, OUT), case.punches, case.habit("recording")
    site = int(case.duties.site[case.duty])
    guards = case.company.guards
    accuracy = tape.uniform(7, 19)
    x = guards.post_x[case.guard] + tape.normal(0, 8)
    y = guards.post_y[case.guard] + tape.normal(0, 8)
    lat, lon = case.company.point(np.full(1, site), np.full(1, x), np.full(1, y))
    punches.lat[rows], punches.lon[rows], punches.accuracy[rows] = lat, lon, accuracy
    punches.biometric[rows] = tape.normal(0.92, 0.02)
    punches.signal[rows], punches.battery[rows] = tape.uniform(-90, -70), tape.uniform(40, 95)
    case.duties.leave[case.duty] = punches.at[rows].min() - 900
    if case.rng.random() < 0.4:
        punches.delay[rows] += case.rng.uniform(2, 9) * 3600
    case.mark(rows, Typology.REPLAY)


def _unauthorised(case: Case) -> None:
    """Works a post that is not theirs, for cash or for a friend, and punches there."""
    place = case.company.places[int(case.duties.site[case.duty])]
    there = place.sister if place.sister >= 0 else elsewhere(case, int(case.duties.site[case.duty]))
    punches, rows = case.punches, case.rows
    punches.site[rows] = there
    case.duties.site[case.duty] = there
    punches.lat[rows], punches.lon[rows] = stand_at_post(
        case.company, case.rng, punches.guard[rows], punches.site[rows], punches.accuracy[rows]
    )
    case.mark(rows, Typology.UNAUTHORISED)


def _overlap(case: Case) -> None:
    """Two posts at once: the second is punched by whoever is there."""
    case.punches.biometric[case.rows] = case.rng.normal(0.80, 0.10, len(case.rows))
    case.mark(case.rows, Typology.OVERLAP)
    case.stay_away()


def _hours(case: Case) -> None:
    """Overtime that never was: a confirmation and the punch out hours after going home."""
    ends = case.duties.ends[case.duty]
    rows = np.concatenate([case.of_kind(PRESENCE)[-1:], case.of_kind(OUT)])
    case.punches.at[rows] = ends + 3600 * np.array(
        [case.rng.uniform(0.8, 2.2), case.rng.uniform(2.5, 5.0)]
    )
    case.punches.biometric[rows] -= np.abs(case.rng.normal(0.08, 0.08, len(rows)))
    case.duties.leave[case.duty] = ends
    case.mark(rows, Typology.HOURS)


METHODS: dict[Typology, Callable[[Case], None]] = {
    Typology.BUDDY: _buddy,
    Typology.MOCK_GPS: _mock_gps,
    Typology.GEOFENCE: _geofence,
    Typology.TRAVEL: _travel,
    Typology.GHOST: _ghost,
    Typology.EARLY: _early,
    Typology.REPLAY: _replay,
    Typology.UNAUTHORISED: _unauthorised,
    Typology.OVERLAP: _overlap,
    Typology.HOURS: _hours,
}
