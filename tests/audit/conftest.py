"""Guards on duty whose phones say something, or do not."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from noc.alerts.process import AlertInput, process_alert
from noc.audit.cycle import Kind, Outcome, run
from noc.telemetry.ingest import store_signals
from noc.telemetry.models import Checkpoint, JobNeed, Tour
from noc.workforce.models import Person, Site
from tests.factories import Make

AT = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)

_number = itertools.count(1)


@dataclass
class Post:
    """A guard on duty at a site from 06:00 to 14:00, and what is heard of them."""

    make: Make
    person: Person
    site: Site

    def hear(self, *minutes_ago: float, kind: str = "heartbeat", **values: Any) -> None:
        """A signal of the phone, so many minutes before 09:00."""
        now = AT - min(0, *minutes_ago, 0) * MINUTE
        self.send([self.signal(minutes, kind, **values) for minutes in minutes_ago], now)

    def signal(self, minutes_ago: float, kind: str = "heartbeat", **values: Any) -> dict[str, Any]:
        """The signal as the phone would send it."""
        body = {
            "external_id": f"signal{next(_number)}",
            "kind": kind,
            "person_id": self.person.id,
            "occurred_at": (AT - minutes_ago * MINUTE).isoformat(),
        }
        return body | values

    def send(self, signals: list[dict[str, Any]], now: dt.datetime = AT) -> None:
        """Store the signals as they arrive."""
        result = store_signals(signals, tenant_id=self.make.tenant_id, now=now)
        assert not result.rejected

    def busy(self) -> None:
        """Two hours of ordinary work: every ten minutes the phone is used and moves a little."""
        for n in range(13):
            self.hear(n * 10, kind="phone_event", event_type="screen_on")
            lat = self.site.lat + (n % 2) * 8e-4
            self.hear(n * 10 + 1, kind="location", lat=lat, lon=self.site.lon, accuracy=5)

    def busy_in_place(self) -> None:
        """Two hours of work at a desk: the phone is used, and lies where it lies."""
        for n in range(13):
            self.hear(n * 10, kind="phone_event", event_type="screen_on")
            self.fixes(n * 10 + 1)

    def fixes(self, *minutes_ago: float, north: float = 0.0, accuracy: float = 10.0) -> None:
        """Fixes so many metres north of the site's centre."""
        lat = self.site.lat + north / 111_195
        self.hear(*minutes_ago, kind="location", lat=lat, lon=self.site.lon, accuracy=accuracy)

    def round(self, ends_minutes_ago: float, *, checkpoints: int = 3) -> tuple[JobNeed, list[int]]:
        """A round of 40 minutes with checkpoints to scan; its job, and the checkpoints' ids."""
        code = f"T{next(_number)}"
        tour = self.make.row(Tour, {"code": code, "name": "Perimeter", "site_id": self.site.id})
        ends = AT - ends_minutes_ago * MINUTE
        span = {"starts_at": ends - 40 * MINUTE, "expires_at": ends, "site_id": self.site.id}
        job = self.make.row(
            JobNeed, {"kind": "tour", "tour_id": tour.id, "person_id": self.person.id, **span}
        )
        ids = []
        for n in range(checkpoints):
            tag = {"code": f"{code}-{n}", "name": f"Tag {n}", "site_id": self.site.id}
            checkpoint = self.make.row(Checkpoint, tag | {"tour_id": tour.id, "position": n})
            self.make.row(
                JobNeed,
                {
                    "kind": "checkpoint",
                    "parent_id": job.id,
                    "checkpoint_id": checkpoint.id,
                    "person_id": self.person.id,
                    **span,
                },
            )
            ids.append(checkpoint.id)
        return job, ids

    def scan(self, checkpoint_id: int, minutes_ago: float) -> None:
        """A scan, sent at once."""
        self.hear(minutes_ago, kind="checkpoint_scan", checkpoint_id=checkpoint_id)

    def alert(self, minutes_ago: float = 0, **values: Any) -> int:
        """An alert about this guard's phone."""
        plain: dict[str, Any] = {
            "alert_type": "DEVICE_OFFLINE",
            "severity": "HIGH",
            "message": "The phone is gone.",
            "occurred_at": AT - minutes_ago * MINUTE,
            "dedup_key": f"offline:{next(_number)}",
            "site_id": self.site.id,
            "person_id": self.person.id,
        }
        return process_alert(AlertInput(**plain | values), now=AT).id


@pytest.fixture
def post(make: Make) -> Post:
    """A guard on duty since 06:00."""
    return on_post(make)


def on_post(make: Make, site: Site | None = None, *, since: dt.datetime | None = None) -> Post:
    """A guard on duty for eight hours, from 06:00, at a site with a supervisor."""
    if site is None:
        site = make.site(noc_supervisor_id=make.user("operator").id)
    person = make.person(site)
    starts = since or AT - 3 * HOUR
    make.shift(person, site, starts, hours=8)
    return Post(make, person, site)


def cycle(make: Make, kind: Kind = "heartbeat", at: dt.datetime = AT, **kwargs: Any) -> Outcome:
    """A cycle at 09:00, which is also now."""
    outcome = run(kind, at, tenant_id=make.tenant_id, now=kwargs.pop("now", at), **kwargs)
    session: Session = make.session
    session.flush()
    return outcome


def found(outcome: Outcome) -> list[str]:
    """The types of what it found."""
    return sorted(draft.finding_type for draft in outcome.drafts)
