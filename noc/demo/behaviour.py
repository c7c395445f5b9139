"""How honest guards punch: habits, and the noise of bodies, phones, walls and traffic.

The innocent look-alikes are here too. They are meant to overlap with fraud in every single
measurement, so that no detector can tell them apart by one threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from noc.demo.roster import Duties
from noc.demo.scale import Flags, Floats, Ints
from noc.demo.truth import Lookalike
from noc.demo.world import Company

IN, OUT, PRESENCE = 0, 1, 2
"""Kinds of punches, as in ``noc.attendance.models.KINDS``."""

SECOND_PRESENCE = 0.5
"""Share of turns with two presence confirmations in place of one."""

LATE, OVERTIME = 0.015, 0.02
WET_FINGER, BORROWED, DEVELOPER = 0.012, 0.003, 0.0004
"""Shares of turns and punches that something innocent happens to."""

NEW_PHONE_DAYS = 3
"""A phone counts as new, and its face or finger as freshly enrolled, for so many days."""


@dataclass
class Punches:
    """Punches, one element each; NaN where the phone did not report. Times: epoch seconds.

    ``duty`` is the row of the turn it belongs to, ``mock`` 1, 0 or -1 (not reported), ``delay``
    the seconds from punching to the server. ``truth`` and ``alike`` never leave the simulation.
    """

    duty: Ints
    guard: Ints
    site: Ints
    kind: Ints
    at: Floats
    lat: Floats
    lon: Floats
    accuracy: Floats
    biometric: Floats
    mock: Ints
    device: Ints
    signal: Floats
    battery: Floats
    delay: Floats
    truth: Ints
    alike: Ints

    def __len__(self) -> int:
        return len(self.guard)

    def select(self, keep: Flags | Ints) -> Punches:
        """The rows that ``keep`` picks, in its order."""
        return Punches(*(getattr(self, field.name)[keep] for field in fields(self)))


def turn_up(company: Company, rng: np.random.Generator, duties: Duties) -> None:
    """Draw when each guard comes and goes, in place; buses are late, some stay on."""
    guards, who, count = company.guards, duties.guard, len(duties)
    duties.arrive += 60 * rng.normal(guards.arrive_min[who], guards.arrive_sd[who])
    duties.leave += 60 * rng.normal(guards.stay_min[who], guards.stay_sd[who])
    late = rng.random(count) < LATE
    duties.arrive[late] += 60 * (10 + rng.exponential(30, count)[late])
    duties.alike[late] = Lookalike.LATE_ARRIVAL
    longer = rng.random(count) < OVERTIME
    duties.leave[longer] += 60 * rng.uniform(45, 190, count)[longer]
    duties.alike[longer] = Lookalike.OVERTIME


def punch(company: Company, rng: np.random.Generator, day: int, duties: Duties) -> Punches:
    """What the phones report of the turns when nobody cheats."""
    duty, kind, at = _moments(rng, duties)
    return punch_at(company, rng, day, duties, duty, kind, at)


def punch_at(
    company: Company,
    rng: np.random.Generator,
    day: int,
    duties: Duties,
    duty: Ints,
    kind: Ints,
    at: Floats,
) -> Punches:
    """Honest punches of the turns ``duty`` (rows of ``duties``) at these moments."""
    who, site = duties.guard[duty], duties.site[duty]
    count = len(duty)
    accuracy = _accuracy(company, rng, who, site)
    lat, lon = stand_at_post(company, rng, who, site, accuracy)
    guards = company.guards
    renewed = (guards.new_device[who] >= 0) & (guards.replaced_on[who] <= day)
    punches = Punches(
        duty=duty, guard=who, site=site, kind=kind, at=at, lat=lat, lon=lon, accuracy=accuracy,
        biometric=rng.normal(guards.biometric[who], guards.biometric_sd[who]),
        mock=np.where(guards.reports_mock[who], 0, -1),
        device=np.where(renewed, guards.new_device[who], guards.device[who]),
        signal=reception(company, rng, who, site),
        battery=_battery(rng, guards.drain[who], (at - duties.starts[duty]) / 3600),
        delay=1 + rng.exponential(3, count),
        truth=np.zeros(count, np.int64),
        alike=duties.alike[duty].copy(),
    )  # fmt: skip
    fresh = renewed & (day - guards.replaced_on[who] < NEW_PHONE_DAYS)
    punches.biometric[fresh] -= np.abs(rng.normal(0.05, 0.05, count))[fresh]
    punches.alike[fresh] = Lookalike.NEW_PHONE
    _look_alikes(company, rng, duties, punches)
    return punches


def report(rng: np.random.Generator, punches: Punches) -> None:
    """Bring the values to what phones send: rounded, bounded, some of them missing."""
    count = len(punches)
    punches.biometric = np.clip(punches.biometric, 0.02, 0.995).round(3)
    punches.accuracy = np.clip(punches.accuracy, 1.0, 900.0).round(1)
    punches.signal = np.clip(punches.signal, -119, -48).round()
    punches.battery = np.clip(punches.battery, 2, 100).round()
    punches.lat, punches.lon = punches.lat.round(7), punches.lon.round(7)
    no_fix = rng.random(count) < 0.008
    for column in (punches.lat, punches.lon, punches.accuracy):
        column[no_fix] = np.nan
    for column, share in (
        (punches.biometric, 0.007),
        (punches.signal, 0.02),
        (punches.battery, 0.005),
    ):
        column[rng.random(count) < share] = np.nan


def stand_at_post(
    company: Company, rng: np.random.Generator, who: Ints, site: Ints, accuracy: Floats
) -> tuple[Floats, Floats]:
    """Degrees of a fix near the guards' usual spots on the sites.

    The reported accuracy is the radius that holds 68 % of the fixes, so a normal error of
    accuracy / 1.51 along each axis.
    """
    guards, count = company.guards, len(who)
    home = guards.site[who] == site
    x = np.where(home, guards.post_x[who], -guards.post_y[who] / 2)
    y = np.where(home, guards.post_y[who], guards.post_x[who] / 2)
    error = np.clip(accuracy, 2.0, 60.0) / 1.51
    x, y = x + rng.normal(0, 6 + error, count), y + rng.normal(0, 6 + error, count)
    return company.point(site, x, y)


def reception(company: Company, rng: np.random.Generator, who: Ints, site: Ints) -> Floats:
    """Signal strength on the sites, dBm."""
    base = np.array([place.kind.signal for place in company.places])[site]
    drawn: Floats = base + company.guards.signal_shift[who] + rng.normal(0, 5, len(who))
    return drawn


def _moments(rng: np.random.Generator, duties: Duties) -> tuple[Ints, Ints, Floats]:
    """Turn, kind and time of each punch: in, one or two presence confirmations, out."""
    rows = np.arange(len(duties))
    span = duties.leave - duties.arrive
    first = duties.arrive + span * rng.uniform(0.22, 0.45, len(rows))
    second = duties.arrive + span * rng.uniform(0.58, 0.82, len(rows))
    twice = rng.random(len(rows)) < SECOND_PRESENCE
    duty = np.concatenate([rows, rows, rows[twice], rows])
    kind = np.repeat([IN, PRESENCE, PRESENCE, OUT], [len(rows), len(rows), twice.sum(), len(rows)])
    at = np.concatenate([duties.arrive, first, second[twice], duties.leave])
    return duty, kind, at


def _accuracy(company: Company, rng: np.random.Generator, who: Ints, site: Ints) -> Floats:
    median = np.array([place.kind.accuracy for place in company.places])[site]
    drawn: Floats = median * company.guards.gps_factor[who] * rng.lognormal(0, 0.38, len(who))
    return np.maximum(drawn, 2.6)


def _battery(rng: np.random.Generator, drain: Floats, hours: Floats) -> Floats:
    """Per cent: phones come charged, lose by the hour, and some hang on a cable."""
    level = rng.uniform(62, 100, len(drain)) - drain * np.maximum(hours, 0)
    return np.where(rng.random(len(drain)) < 0.12, rng.uniform(70, 100, len(drain)), level)


def _look_alikes(
    company: Company, rng: np.random.Generator, duties: Duties, punches: Punches
) -> None:
    count = len(punches)
    kinds = [place.kind for place in company.places]
    drifting = rng.random(count) < np.array([kind.drift for kind in kinds])[punches.site]
    _drift(company, rng, punches, np.flatnonzero(drifting))
    wet = rng.random(count) < WET_FINGER
    punches.biometric[wet] -= rng.uniform(0.12, 0.45, count)[wet]
    punches.alike[wet | (punches.biometric < 0.68)] = Lookalike.POOR_BIOMETRIC
    waiting = rng.random(count) < np.array([kind.offline for kind in kinds])[punches.site]
    punches.delay[waiting] += np.minimum(rng.lognormal(7.9, 0.9, count), 36_000)[waiting]
    punches.alike[waiting] = Lookalike.SENT_LATE
    developer = (rng.random(count) < DEVELOPER) & (punches.mock == 0)
    punches.mock[developer] = 1
    punches.alike[developer] = Lookalike.DEVELOPER_PHONE
    borrowers = (punches.kind == IN) & (rng.random(count) < BORROWED * 3)
    for row in np.flatnonzero(borrowers):
        _borrow(rng, duties, punches, int(row))


def _drift(company: Company, rng: np.random.Generator, punches: Punches, rows: Ints) -> None:
    """Walls throw a fix off; only some phones notice and say so in their accuracy."""
    bearing, far = rng.uniform(0, 2 * np.pi, len(rows)), rng.lognormal(5.0, 0.7, len(rows))
    lat, lon = company.point(punches.site[rows], far * np.cos(bearing), far * np.sin(bearing))
    punches.lat[rows], punches.lon[rows] = lat, lon
    noticed = rng.random(len(rows)) < 0.55
    punches.accuracy[rows] = np.where(
        noticed, rng.uniform(30, 140, len(rows)), punches.accuracy[rows]
    )
    punches.alike[rows] = Lookalike.GPS_DRIFT


def _borrow(rng: np.random.Generator, duties: Duties, punches: Punches, row: int) -> None:
    """A flat phone: a colleague who has just punched lends theirs, face or finger is one's own."""
    lender = colleague_before(punches, row)
    if lender is None:
        return
    punches.at[row] = punches.at[lender] + rng.uniform(25, 400)
    punches.device[row] = punches.device[lender]
    punches.battery[row] = punches.battery[lender]
    punches.signal[row] = punches.signal[lender] + rng.normal(0, 1)
    punches.alike[row] = Lookalike.BORROWED_PHONE
    duties.arrive[punches.duty[row]] = punches.at[row] - 30


def colleague_before(punches: Punches, row: int) -> int | None:
    """The nearest punch of the same kind and site by somebody else, within 40 minutes."""
    other = np.flatnonzero(
        (punches.site == punches.site[row])
        & (punches.kind == punches.kind[row])
        & (punches.guard != punches.guard[row])
        & (np.abs(punches.at - punches.at[row]) < 2400)
    )
    if not len(other):
        return None
    return int(other[np.argmin(np.abs(punches.at[other] - punches.at[row]))])
