"""How strongly each anomaly type speaks against a punch: thresholds as data, and their sources.

Every detector gives a strength from 0 (nothing) to below 1 (as good as proof). From 0.4 on an
anomaly *stands*. Strengths are judgements, set so that one innocent explanation keeps a single
detector below a ticket; they are what the model of a later day learns to improve on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import BoolArray, FloatArray
from noc.fraud.evidence import Evidence
from noc.fraud.facts import KIND_IN, KIND_OUT, NOBODY
from noc.fraud.windows import HOUR


@dataclass(frozen=True, slots=True)
class Ramp:
    """Strength as a piecewise linear function of a quantity; 0 where the quantity is missing."""

    quantity: str
    points: tuple[tuple[float, float], ...]
    source: str

    def __call__(self, values: NDArray[np.floating[Any]]) -> FloatArray:
        """The strength at each value, flat beyond the outermost points."""
        at, strength = zip(*self.points, strict=True)
        return np.where(np.isnan(values), 0.0, np.interp(values, at, strength))


OUTSIDE = Ramp(
    "metres outside the geofence, less the reported accuracy (at most 200 m of it)",
    ((0, 0.0), (50, 0.2), (150, 0.4), (500, 0.6), (2_000, 0.7), (10_000, 0.76)),
    "distance minus accuracy radius (typology of attendance fraud); phones in a street between "
    "houses err by tens of metres, so the first 150 m stay below an anomaly",
)
SPEED = Ramp(
    "km/h since the previous located punch, less both accuracies, over more than 2 km",
    ((130, 0.0), (160, 0.3), (250, 0.6), (500, 0.7), (1_000, 0.76)),
    "no road is driven at 130 km/h on average; 250 km/h is where a fix is taken as bad in "
    "signal collection",
)
FIX_SPEED = Ramp(
    "km/h since the phone's last fix of at most 15 minutes before, over more than 1 km",
    ((130, 0.0), (200, 0.4), (500, 0.6)),
    "teleport: a faked position jumps, the phone's own track does not",
)
REPEATED_PLACE = Ramp(
    "earlier punches with the same coordinates to the sixth digit or beyond",
    ((0, 0.0), (1, 0.15), (3, 0.4), (6, 0.5)),
    "satellite positions scatter by metres: two readings agree to 0.1 m once in thousands",
)
SHARED_GAP = Ramp(
    "seconds since somebody else punched on the same device",
    ((0, 0.72), (60, 0.7), (180, 0.6), (600, 0.4), (900, 0.3)),
    "punch seconds after a colleague's (typology); 16 % of employees asked admit buddy punching",
)
HOUR_ANOMALY = Ramp(
    "time_of_day_anomaly_score",
    ((0.6, 0.0), (0.8, 0.25), (0.95, 0.42)),
    "own-baseline deviation (typology): personal baselines find more than common ones",
)
BIOMETRIC_SCORE = Ramp(
    "biometric_quality_score",
    ((0.3, 0.72), (0.45, 0.6), (0.6, 0.35), (0.7, 0.15), (0.8, 0.0)),
    "low biometric score (typology); bad light costs a tenth or two, another face more",
)
BIOMETRIC_DROP = Ramp(
    "how far the biometric score lies below the person's own mean of 90 days",
    ((0.1, 0.0), (0.2, 0.25), (0.35, 0.5), (0.5, 0.66)),
    "own-baseline deviation: an old camera is low every day, another face only once",
)
OPEN_HOURS = Ramp(
    "hours since a clock-in at another site that was never ended",
    ((0, 0.66), (4, 0.6), (8, 0.4), (12, 0.2), (16, 0.1)),
    "two sites at once (typology); beyond a shift's length a forgotten clock-out is likelier",
)
SITES_APART = Ramp(
    "metres between the two sites (a factor)",
    ((200, 0.2), (1_000, 1.0)),
    "two gates of one compound are one place",
)
LATE_HOURS = Ramp(
    "hours between the punch and its arrival",
    ((12, 0.0), (24, 0.06), (72, 0.15)),
    "server minus device clock gap (typology); a phone without network for a night is ordinary",
)

MOCK_STRENGTH = 0.72
"""The phone itself says that the position is mocked: catches 60 to 80 % of spoofing."""

REPLAY_STRENGTH = 0.84
"""Place, accuracy and biometric score equal to the last digit: chance does not do that."""

LEAVE_STRENGTH = 0.5
HABIT_MINIMUM = 10
"""Habits of fewer punches than this are no habits: the first week of a new guard is neutral."""


def geofence(e: Evidence) -> FloatArray:
    """GEOFENCE_VIOLATION: outside by more than the phone's own doubt."""
    p = e.punches
    doubt = np.nan_to_num(p["accuracy"])
    strength = OUTSIDE(np.maximum(e.outside - np.minimum(doubt, 200.0), 0.0))
    # A clock-out from the bus is careless; a fix with half a kilometre of doubt says little.
    strength = strength * np.where(doubt > 500, 0.5, 1.0)
    return np.where(p["kind"] == KIND_OUT, 0.75 * strength, strength)


def gps_spoofing(e: Evidence) -> FloatArray:
    """GPS_SPOOFING: the mock flag, a too perfect fix, repeated coordinates, a teleport."""
    p, m = e.punches, e.movement
    perfect = (p["accuracy"] <= 3) & (e.centre_distance <= 3)
    jump = FIX_SPEED(m.fix_distance / 1000 / (np.maximum(m.fix_gap, 60.0) / 3600))
    jump = np.where((m.fix_gap <= 900) & (m.fix_distance > 1_000), jump, 0.0)
    return noisy_or(
        np.where(p["mock"], MOCK_STRENGTH, 0.0),
        np.where(perfect, 0.4, 0.0),
        np.where(p["accuracy"] <= 1, 0.2, 0.0),
        np.where(_fine(p["lat"]) & _fine(p["lon"]), REPEATED_PLACE(e.habits.same_place * 1.0), 0.0),
        jump,
    )


def impossible_travel(e: Evidence) -> FloatArray:
    """IMPOSSIBLE_TRAVEL: too fast since the previous punch, whichever site it was at."""
    return np.where(e.movement.distance > 2_000, SPEED(e.movement.speed), 0.0)


def buddy_punching(e: Evidence) -> FloatArray:
    """BUDDY_PUNCHING: a device shared within minutes, or a colleague's own phone."""
    p, s = e.punches, e.sharing
    owner = p["device_owner"]
    shared_post = (owner == NOBODY) & (s.people >= 3)
    both_use_it = (owner == NOBODY) & (e.habits.device_uses >= 5) & (s.people >= 2)
    handover = ((s.kind == KIND_OUT) & (p["kind"] == KIND_IN)) | (
        (s.kind == KIND_IN) & (p["kind"] == KIND_OUT)
    )
    factor: FloatArray = (
        np.where(shared_post, 0.2, np.where(both_use_it, 0.5, 1.0))
        * np.where(handover, 0.6, 1.0)
        * np.where(owner == p["person"], 0.6, 1.0)
        * np.where((owner != NOBODY) & (owner == s.other), 1.08, 1.0)
    )
    borrowed = (owner != NOBODY) & (owner != p["person"]) & (e.habits.device_uses < 3)
    return np.maximum(SHARED_GAP(s.gap) * factor, np.where(borrowed, 0.3, 0.0))


def unauthorized_site(e: Evidence) -> FloatArray:
    """UNAUTHORIZED_SITE: neither rostered nor at home here, and hardly ever seen here."""
    p, d, visits = e.punches, e.duty, e.habits.site_visits
    allowed = d.here | (p["home_site"] == p["site"]) | (visits >= 3)
    strength = np.select(
        [d.elsewhere != NOBODY, p["rostered"], e.habits.total >= HABIT_MINIMUM],
        [0.56, 0.46, 0.4],
        default=0.0,
    )
    factor: FloatArray = np.where(visits > 0, 0.6, 1.0) * np.where(p["kind"] == KIND_IN, 1.0, 0.6)
    return np.where(allowed, 0.0, strength * factor)


def overlapping_shift(e: Evidence) -> FloatArray:
    """OVERLAPPING_SHIFT: on duty at another site, by a clock-in that was never ended."""
    p, d = e.punches, e.duty
    strength = OPEN_HOURS(d.open_hours)
    strength = np.where(d.open_rostered, np.maximum(strength, 0.7), strength)
    # Rostered here and no longer there: the clock-out was forgotten.
    forgotten = d.here & ~d.open_rostered
    factor: FloatArray = np.where(forgotten, 0.5, 1.0) * np.where(p["kind"] == KIND_IN, 1.0, 0.7)
    apart = np.where(np.isnan(d.open_apart), 1.0, SITES_APART(d.open_apart))
    return strength * factor * apart


def unusual_time(e: Evidence) -> FloatArray:
    """UNUSUAL_TIME: an hour and weekday unlike the person's own, or approved leave."""
    p, h = e.punches, e.habits
    settled = h.same_kind >= HABIT_MINIMUM
    hour = np.where(settled, HOUR_ANOMALY(h.hour_anomaly), 0.0)
    weekday = np.where(settled & (h.weekday_conformity < 0.3), 0.15, 0.0)
    # Clocking out late is work; a rostered shift explains any hour.
    hour = hour * np.where(p["kind"] == KIND_OUT, 0.6, 1.0)
    habit = noisy_or(hour, weekday) * np.where(e.duty.here, 0.15, 1.0)
    leave = np.where(p["on_leave"], np.where(e.duty.here, 0.35, LEAVE_STRENGTH), 0.0)
    return noisy_or(habit, leave)


def biometric_mismatch(e: Evidence) -> FloatArray:
    """BIOMETRIC_MISMATCH: a low score, judged against the person's own where that is known."""
    score, usual = e.punches["biometric"], e.habits.biometric
    known = e.habits.biometric_count >= 5
    absolute = BIOMETRIC_SCORE(score)
    always_low: BoolArray = known & (usual - score < 0.08)
    drop = np.where(known, BIOMETRIC_DROP(usual - score), 0.0)
    return np.maximum(np.where(always_low, 0.4 * absolute, absolute), drop)


def replayed_punch(e: Evidence) -> FloatArray:
    """REPLAYED_PUNCH: an earlier payload again, or one that arrived days late."""
    p = e.punches
    replayed = replay_counts(e) > 0
    late = LATE_HOURS((p["received"] - p["time"]) / HOUR)
    return np.where(replayed, REPLAY_STRENGTH, np.where(p["from_phone"], late, 0.0))


def replay_counts(e: Evidence) -> FloatArray:
    """How many earlier punches had the very same payload."""
    return np.maximum(e.habits.replays, e.recent_replays).astype(np.float64)


def noisy_or(*strengths: FloatArray) -> FloatArray:
    """1 - (1 - a)(1 - b)...: independent evidence adds up and never exceeds 1."""
    doubt = np.ones_like(strengths[0])
    for strength in strengths:
        doubt = doubt * (1.0 - strength)
    return 1.0 - doubt


def _fine(degrees: FloatArray) -> BoolArray:
    """Whether a coordinate has more than five decimals: a phone that rounds repeats itself."""
    scaled = np.nan_to_num(degrees) * 1e5
    return np.abs(scaled - np.round(scaled)) > 1e-4
