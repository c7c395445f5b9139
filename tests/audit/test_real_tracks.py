"""Real phones' tracks, replayed as live phones and audited: only what the track justifies.

The phones send through the interface, five minutes of their day at a time and far faster than
they were walked (a replay at 60 times the speed would have a second for each minute; this one
waits for nothing). After each step the audit looks at that moment, and an independent reading of
the track (Karney's geodesics, plain Python) says what it must and may find.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from geographiclib.geodesic import Geodesic
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.audit.cycle import run
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.tickets.models import Ticket
from tests.conftest import ApiClient
from tests.factories import Make

MINUTE = dt.timedelta(minutes=1)
STEP = 5 * MINUTE
LENGTH = dt.timedelta(hours=4)
RADIUS = 500.0
PULSE = 15 * MINUTE

Fix = tuple[dt.datetime, float, float]


@dataclass
class Phone:
    """A guard's phone, and the fixes it has yet to send, moved to today."""

    person_id: int
    site_id: int
    lat: float
    lon: float
    starts: dt.datetime
    fixes: list[Fix]

    def heard(self, since: dt.datetime, at: dt.datetime) -> list[Fix]:
        return [fix for fix in self.fixes if since < fix[0] <= at]

    def metres_away(self, fix: Fix) -> float:
        line = Geodesic.WGS84.Inverse(self.lat, self.lon, fix[1], fix[2], Geodesic.DISTANCE)
        return float(line["s12"]) - RADIUS

    def must_and_may(self, at: dt.datetime) -> tuple[set[str], set[str]]:
        """What the audit must find at this moment, and what it may where it is a close call."""
        must, may = set(), set()
        last = max([self.starts, *(fix[0] for fix in self.fixes if fix[0] <= at)])
        if at - last >= PULSE:
            must.add("DEVICE_SILENT")
        recent = self.heard(at - 45 * MINUTE, at)
        if len(recent) >= 2 and recent[0][0] >= self.starts:
            nearest = min(map(self.metres_away, recent))
            spread = recent[-1][0] - recent[0][0]
            if spread >= 10 * MINUTE and nearest > 200 * 0.98:
                (must if nearest > 200 * 1.02 + 0.01 * RADIUS else may).add("POST_ABANDONED")
        return must, may


def read(path: Path) -> list[Fix]:
    fixes = []
    for line in path.read_text().splitlines()[6:]:
        lat, lon, _, _, _, day, time = line.split(",")
        moment = dt.datetime.strptime(f"{day} {time} +0000", "%Y-%m-%d %H:%M:%S %z")
        fixes.append((moment, float(lat), float(lon)))
    return sorted(set(fixes))


def longest(folder: Path) -> list[Fix]:
    """Of a person's tracks the one that lasts longest, up to four hours of it."""
    track = max((read(path) for path in folder.glob("*.plt")), key=lambda t: t[-1][0] - t[0][0])
    return [fix for fix in track if fix[0] - track[0][0] < LENGTH]


@pytest.fixture
def phones(make: Make, geolife: Path) -> list[Phone]:
    """A guard for each person, on duty where their track begins."""
    begins = (utcnow() - LENGTH - 30 * MINUTE).replace(second=0, microsecond=0)
    found = []
    for folder in sorted(geolife.iterdir()):
        track = longest(folder)
        shift = begins - track[0][0]
        site = make.site(
            lat=track[0][1], lon=track[0][2], geofence_radius=RADIUS, timezone="Asia/Shanghai"
        )
        person = make.person(site)
        make.shift(person, site, begins, hours=(LENGTH + 10 * MINUTE) / dt.timedelta(hours=1))
        moved = [(at + shift, lat, lon) for at, lat, lon in track]
        found.append(Phone(person.id, site.id, track[0][1], track[0][2], begins, moved))
    return found


def test_the_audit_finds_what_the_tracks_justify_and_nothing_else(
    api: ApiClient, make: Make, session: Session, phones: list[Phone]
) -> None:
    at = phones[0].starts
    raised: Counter[str] = Counter()
    sent = 0
    while at < phones[0].starts + LENGTH:
        previous, at = at, at + STEP
        items = [
            {
                "kind": "location",
                "external_id": f"{phone.person_id}-{moment.isoformat()}",
                "person_id": phone.person_id,
                "occurred_at": moment.isoformat(),
                "lat": lat,
                "lon": lon,
            }
            for phone in phones
            for moment, lat, lon in phone.fixes
            if previous <= moment < at
        ]
        for start in range(0, len(items), 1000):
            answer = api.post("telemetry/events/", json=items[start : start + 1000])
            assert answer.get_json()["data"]["rejected"] == []
        sent += len(items)
        session.commit()

        # A microsecond back: fixes of the step's very end are sent with the next one.
        moment = at - dt.timedelta(microseconds=1)
        outcome = run("heartbeat", moment, tenant_id=make.tenant_id, now=moment)
        session.commit()

        by_person: dict[int, set[str]] = {}
        for draft in outcome.drafts:
            by_person.setdefault(draft.person_id or 0, set()).add(draft.finding_type)
        for phone in phones:
            must, may = phone.must_and_may(moment)
            said = by_person.get(phone.person_id, set())
            assert must <= said <= must | may, (phone.person_id, moment - phone.starts)
        raised.update(finding.finding_type for finding in outcome.created)

    assert sent == sum(len(phone.fixes) for phone in phones) > 5_000
    assert raised["DEVICE_SILENT"] > 0
    assert raised["POST_ABANDONED"] > 0
    stored = Counter(session.scalars(select(Finding.finding_type)))
    assert stored == raised
    # One ticket a type and site at most: four hours are one deduplication window.
    tickets = session.scalars(select(Ticket.title)).all()
    assert len(tickets) == len(set(tickets))
    print(f"{sent} fixes of {len(phones)} phones, raised: {dict(raised)}")


def test_walked_again_the_tracks_change_nothing(
    api: ApiClient, make: Make, session: Session, phones: list[Phone]
) -> None:
    phone: Any = phones[0]
    items = [
        {
            "kind": "location",
            "external_id": f"again-{moment.isoformat()}",
            "person_id": phone.person_id,
            "occurred_at": moment.isoformat(),
            "lat": lat,
            "lon": lon,
        }
        for moment, lat, lon in phone.fixes[:1000]
    ]
    first = api.post("telemetry/events/", json=items).get_json()["data"]
    again = api.post("telemetry/events/", json=items[::-1]).get_json()["data"]

    assert (first["accepted"], again["duplicates"]) == (len(items), len(items))
