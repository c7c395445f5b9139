"""A scanned checkpoint finds its place in the tour, late, offline or unasked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.telemetry.ingest import store_signals
from noc.telemetry.models import Checkpoint, JobNeed, Tour
from noc.telemetry.scans import EARLY, LATE
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def gate(make: Make, site: Site) -> Checkpoint:
    return make.row(Checkpoint, {"code": "GATE", "name": "Gate", "site_id": site.id})


@pytest.fixture
def rostered(make: Make, site: Site, guard: Person, gate: Checkpoint) -> Callable[..., JobNeed]:
    """Puts a tour with the gate on the guard's roster; gives the checkpoint's row."""

    def build(starts_at: dt.datetime, person: Person = guard) -> JobNeed:
        window = {
            "person_id": person.id,
            "site_id": site.id,
            "starts_at": starts_at,
            "expires_at": starts_at + HOUR,
        }
        code = f"T{starts_at:%H}-{person.id}"
        tour = make.row(Tour, {"code": code, "name": "Round", "site_id": site.id})
        parent = make.row(JobNeed, {"kind": "tour", "tour_id": tour.id} | window)
        child = {"kind": "checkpoint", "parent_id": parent.id, "checkpoint_id": gate.id}
        return make.row(JobNeed, child | window)

    return build


@pytest.fixture
def scan(make: Make, guard: Person, gate: Checkpoint, session: Session) -> Callable[..., JobNeed]:
    """Sends one scan of the gate; gives the row that holds it."""

    def send(at: dt.datetime, external_id: str = "scan-1") -> JobNeed:
        result = send_all(make, guard, gate, [(external_id, at)])
        session.expire_all()
        row = session.get(JobNeed, (make.tenant_id, result[0]["id"]))
        assert row is not None
        return row

    return send


def send_all(
    make: Make, guard: Person, gate: Checkpoint, sent: list[tuple[str, dt.datetime]]
) -> list[dict[str, Any]]:
    items = [
        {
            "kind": "checkpoint_scan",
            "external_id": external_id,
            "person_id": guard.id,
            "checkpoint_id": gate.id,
            "occurred_at": at.isoformat(),
        }
        for external_id, at in sent
    ]
    return store_signals(items, tenant_id=make.tenant_id, now=NOW).items


def test_a_scan_in_its_window_completes_the_rostered_checkpoint(rostered: Any, scan: Any) -> None:
    asked = rostered(NOW - HOUR)
    row = scan(NOW - dt.timedelta(minutes=20))
    assert row.id == asked.id
    assert row.endtime == NOW - dt.timedelta(minutes=20)
    assert row.received_at == NOW


def test_the_round_with_the_nearest_window_gets_the_scan(rostered: Any, scan: Any) -> None:
    rostered(NOW - 6 * HOUR)
    near = rostered(NOW - 3 * HOUR)
    late = scan(NOW - 2 * HOUR + dt.timedelta(minutes=40))
    assert late.id == near.id


def test_an_offline_scan_counts_when_it_happened_not_when_it_came(rostered: Any, scan: Any) -> None:
    earlier, later = rostered(NOW - 4 * HOUR), rostered(NOW - HOUR)
    assert scan(NOW - dt.timedelta(minutes=10), "second").id == later.id
    assert scan(NOW - 3.5 * HOUR, "first").id == earlier.id


def test_a_tag_scanned_twice_does_not_tick_off_the_next_round(
    rostered: Any, scan: Any, session: Session
) -> None:
    current, following = rostered(NOW - HOUR), rostered(NOW + dt.timedelta(minutes=5))
    assert scan(NOW - dt.timedelta(minutes=30), "first").id == current.id
    second = scan(NOW - dt.timedelta(minutes=25), "second")
    assert second.parent_id is None
    session.refresh(following)
    assert following.endtime is None


def test_scans_of_one_batch_each_go_to_their_own_round(
    make: Make, guard: Person, gate: Checkpoint, rostered: Any
) -> None:
    rounds = [rostered(NOW - n * HOUR) for n in (3, 2, 1)]
    sent = [(f"s{n}", row.starts_at + dt.timedelta(minutes=30)) for n, row in enumerate(rounds)]
    extra = ("again", rounds[0].starts_at + dt.timedelta(minutes=35))
    items = send_all(make, guard, gate, [*sent, extra])
    assert [item["id"] for item in items[:3]] == [row.id for row in rounds]
    assert items[3]["id"] not in {row.id for row in rounds}


@pytest.mark.parametrize(
    ("moment", "belongs"),
    [
        (NOW - 3 * HOUR - EARLY, True),
        (NOW - 3 * HOUR - EARLY - dt.timedelta(seconds=1), False),
        (NOW - 2 * HOUR + LATE, True),
        (NOW - 2 * HOUR + LATE + dt.timedelta(seconds=1), False),
    ],
)
def test_a_scan_far_from_every_window_is_nobodys_round(
    make: Make, guard: Person, gate: Checkpoint, rostered: Any, moment: dt.datetime, belongs: bool
) -> None:
    asked = rostered(NOW - 3 * HOUR)
    item = {
        "kind": "checkpoint_scan",
        "person_id": guard.id,
        "checkpoint_id": gate.id,
        "occurred_at": moment.isoformat(),
    }
    result = store_signals([item], tenant_id=make.tenant_id, now=NOW + 5 * HOUR)
    assert (result.items[0]["id"] == asked.id) is belongs


def test_a_scan_nobody_asked_for_is_a_row_of_its_own(
    scan: Any, site: Site, guard: Person, gate: Checkpoint
) -> None:
    row = scan(NOW)
    assert (row.kind, row.parent_id, row.tour_id) == ("checkpoint", None, None)
    assert (row.person_id, row.site_id, row.checkpoint_id) == (guard.id, site.id, gate.id)
    assert row.starts_at == row.expires_at == row.endtime == NOW


def test_another_guards_round_is_not_completed(
    make: Make, site: Site, rostered: Any, scan: Any
) -> None:
    rostered(NOW - HOUR, make.person(site))
    assert scan(NOW - dt.timedelta(minutes=20)).parent_id is None


def test_a_retried_scan_changes_nothing(rostered: Any, scan: Any, session: Session) -> None:
    rostered(NOW - 2 * HOUR), rostered(NOW - HOUR)
    first = scan(NOW - dt.timedelta(minutes=20)).id
    assert scan(NOW - dt.timedelta(minutes=20)).id == first
    assert scan(NOW - dt.timedelta(minutes=90)).id == first, "whatever else the retry says"
    done = session.scalars(
        select(JobNeed).where(JobNeed.kind == "checkpoint", JobNeed.endtime.is_not(None))
    ).all()
    assert [row.id for row in done] == [first]
