"""Guards with habits, for tests that tell what a punch looks like against them."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from noc.attendance.models import AttendanceEvent
from noc.fraud import scoring
from noc.fraud.scoring import PunchScore, score_punches
from noc.workforce.models import Device, Person, Site
from tests.factories import Make

SHIFT_START = dt.datetime(2026, 11, 16, 2, 30, tzinfo=dt.UTC)
"""A Monday, 08:00 in Mumbai, where the sites of these stories are."""

_noise = random.Random()
_number = itertools.count(1)


def seed(value: int = 20261116) -> None:
    """Begin the noise anew, so that a test sees the same in whatever order it runs."""
    _noise.seed(value)


@dataclass
class Guard:
    """A person with a site, a phone and habits: in at 08:00, out at 16:00, every weekday."""

    make: Make
    person: Person
    site: Site
    phone: Device

    def punch(self, at: dt.datetime | None = None, **values: Any) -> AttendanceEvent:
        """A punch as this guard makes it: at the site, own phone, own face, some noise."""
        punch = self.row(at, **values)
        self.make.session.add(punch)
        self.make.session.flush()
        return punch

    def row(self, at: dt.datetime | None = None, **values: Any) -> AttendanceEvent:
        """The same, not stored yet."""
        moment = at or SHIFT_START + dt.timedelta(minutes=_noise.uniform(-10, 10))
        site = values.pop("at_site", self.site)
        plain = {
            "tenant_id": self.make.tenant_id,
            "external_id": f"story{next(_number)}",
            "person_id": self.person.id,
            "site_id": site.id,
            "kind": "in",
            "mock_location": False,
            "occurred_at": moment,
            "received_at": moment + dt.timedelta(seconds=2),
            "device_id": self.phone.id,
            **payload(site),
        }
        return AttendanceEvent(**plain | values)

    def roster(self, *days_ago: int, site: Site | None = None, starts: float = 0) -> None:
        """An eight-hour shift on each of these days, ``starts`` hours after 08:00."""
        for days in days_ago:
            start = SHIFT_START - dt.timedelta(days=days) + dt.timedelta(hours=starts)
            self.make.shift(self.person, site or self.site, start)

    def work(self, days: int = 40) -> None:
        """The weekdays of the last ``days``: one clock-in and one clock-out each."""
        starts = [SHIFT_START - dt.timedelta(days=ago) for ago in range(1, days + 1)]
        for start in (start for start in starts if start.weekday() < 5):
            came = start + dt.timedelta(minutes=_noise.gauss(0, 6))
            left = start + dt.timedelta(hours=8, minutes=_noise.gauss(5, 6))
            rows = [self.row(came), self.row(left, kind="out")]
            self.make.session.add_all(rows)
        self.make.session.flush()


def settled(make: Make, site: Site | None = None, *, days: int = 40) -> Guard:
    """A guard with ``days`` of ordinary work behind them, and no roster."""
    guard = newcomer(make, site)
    guard.work(days)
    return guard


def newcomer(make: Make, site: Site | None = None) -> Guard:
    """A guard nobody knows anything about."""
    site = site or make.site()
    person = make.person(site)
    return Guard(make, person, site, make.device(person_id=person.id))


def payload(site: Site, metres_north: float = 0.0, scatter: float = 15.0) -> dict[str, Any]:
    """What a phone reports at a site: a scattered fix, a good face, ordinary radio and battery."""
    north, east = offset(site, metres_north + _noise.gauss(0, scatter), _noise.gauss(0, scatter))
    return {
        "lat": north,
        "lon": east,
        "gps_accuracy": round(_noise.uniform(6, 25), 1),
        "biometric_quality_score": round(min(0.99, _noise.gauss(0.92, 0.02)), 4),
        "phone_signal_strength": round(_noise.uniform(-95, -65)),
        "battery_level": round(_noise.uniform(20, 100)),
    }


def offset(site: Site, north: float, east: float = 0.0) -> tuple[float, float]:
    """Degrees of the point so many metres north and east of the site."""
    metres = math.radians(1) * 6_371_008.8
    return site.lat + north / metres, site.lon + east / (metres * math.cos(math.radians(site.lat)))


def at(site: Site, north: float, east: float = 0.0) -> dict[str, float]:
    """The coordinates of that point, as a punch has them."""
    lat, lon = offset(site, north, east)
    return {"lat": lat, "lon": lon}


def score(punch: AttendanceEvent, now: dt.datetime | None = None) -> PunchScore:
    """The punch, scored."""
    moment = now or punch.occurred_at
    return score_punches([punch.id], tenant_id=punch.tenant_id, now=moment)[0]


def refuse(monkeypatch: pytest.MonkeyPatch, faulty: int) -> None:
    """Have scoring fail on this punch, late, as one does whose numbers cannot be stored."""
    original = scoring.judge

    def refusing(punch_ids: Sequence[int], **kwargs: Any) -> None:
        original(punch_ids, **kwargs)
        if faulty in punch_ids:
            raise ValueError("a number that is none")

    monkeypatch.setattr(scoring, "judge", refusing)


def weight(scored: PunchScore, anomaly_type: str) -> float:
    """How strongly the type speaks among the reasons; 0 when it is not mentioned."""
    return sum(reason["weight"] for reason in scored.reasons if reason["rule"] == anomaly_type)
