"""What happened around a punch, as whoever is to judge it reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from noc.attendance.models import AttendanceEvent
from noc.database.partitions import ensure_partitions
from noc.fraud.review.surroundings import surroundings
from noc.telemetry.models import Checkpoint, JobNeed, LocationUpdate, PhoneEvent
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site(timezone="Asia/Tokyo")


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def punch(make: Make, guard: Person, site: Site) -> AttendanceEvent:
    return make.punch(guard, site, device_id=make.device(person_id=guard.id).id)


def seen(make: Make, punch: AttendanceEvent, **kwargs: Any) -> dict[str, Any]:
    found = surroundings(punch.id, tenant_id=make.tenant_id, **kwargs)
    assert found is not None
    return found


def lanes(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(item["lane"], item["person_id"]) for item in found["story"]]


def test_others_on_the_phone_colleagues_rounds_and_shifts_are_told_by_time(
    make: Make, guard: Person, site: Site, punch: AttendanceEvent
) -> None:
    borrower, colleague, late = make.person(site), make.person(site), make.person(site)
    make.punch(borrower, site, device_id=punch.device_id, occurred_at=NOW - 90 * MINUTE)
    make.punch(colleague, site, occurred_at=NOW + MINUTE)
    make.punch(late, site, occurred_at=NOW + 10 * MINUTE)
    make.punch(guard, site, occurred_at=NOW - 200 * MINUTE, voided_at=NOW)
    make.punch(guard, site, occurred_at=NOW - 300 * MINUTE)
    make.shift(guard, site, NOW - 60 * MINUTE)
    gate = make.row(Checkpoint, {"code": "C1", "name": "Gate", "site_id": site.id})
    make.row(
        JobNeed,
        {
            "kind": "checkpoint", "checkpoint_id": gate.id, "person_id": guard.id,
            "site_id": site.id, "starts_at": NOW, "expires_at": NOW + 60 * MINUTE,
            "endtime": NOW + 30 * MINUTE, "external_id": "s1",
        },
    )  # fmt: skip

    assert lanes(seen(make, punch)) == [
        ("phone", borrower.id),
        ("shift", guard.id),
        ("guard", guard.id),
        ("site", colleague.id),
        ("scan", guard.id),
    ]


def test_the_phone_is_heard_in_five_minutes_and_its_fixes_come_in_order(
    make: Make, guard: Person, punch: AttendanceEvent
) -> None:
    ensure_partitions(make.session, [NOW])
    for name, apart in (("a", -30), ("b", -31), ("c", 40), ("far", -90)):
        make.row(
            LocationUpdate,
            {
                "person_id": guard.id, "external_id": name, "lat": 19.0, "lon": 72.0,
                "occurred_at": NOW + apart * MINUTE,
            },
        )  # fmt: skip
    make.row(
        PhoneEvent,
        {
            "person_id": guard.id, "external_id": "e", "event_type": "heartbeat",
            "occurred_at": NOW - 29 * MINUTE,
        },
    )  # fmt: skip

    found = seen(make, punch)

    assert [fix["occurred_at"] - NOW for fix in found["fixes"]] == [
        -31 * MINUTE, -30 * MINUTE, 40 * MINUTE,
    ]  # fmt: skip
    assert sum(bit["signals"] for bit in found["heard"]) == 5
    assert len(found["heard"]) == 4


def test_what_was_usual_is_of_the_days_before_alone(
    make: Make, guard: Person, site: Site, punch: AttendanceEvent
) -> None:
    elsewhere = make.site(timezone="Asia/Tokyo")
    for days in (1, 2, 3):
        at = NOW - dt.timedelta(days=days)
        make.punch(guard, site, occurred_at=at + 60 * MINUTE, battery_level=50.0)
        make.punch(guard, elsewhere, kind="out", occurred_at=at + 480 * MINUTE, battery_level=70.0)
    make.punch(guard, site, occurred_at=NOW - dt.timedelta(days=4, hours=12), battery_level=None)
    make.punch(guard, site, occurred_at=NOW + MINUTE, battery_level=1.0)

    before = seen(make, punch)["before"]

    assert (before["punches"], before["same_kind"], before["near"]) == (7, 4, 3)
    assert (before["here"], before["this_phone"]) == (4, 0)
    assert (before["battery_level"], before["battery_level_n"]) == (60.0, 6)


def test_the_clock_goes_round_at_midnight(make: Make) -> None:
    site = make.site(timezone="UTC")
    guard = make.person(site)
    midnight = NOW.replace(hour=0, minute=10, second=0, microsecond=0)
    make.punch(guard, site, occurred_at=midnight - dt.timedelta(days=1, minutes=30))
    late = make.punch(guard, site, occurred_at=midnight)

    assert seen(make, late)["before"]["near"] == 1


def test_a_punch_out_of_sight_is_not_there(make: Make, punch: AttendanceEvent) -> None:
    other = make.site()
    limited = frozenset({other.id})
    assert surroundings(punch.id, tenant_id=make.tenant_id, site_ids=limited) is None
    assert surroundings(punch.id + 1000, tenant_id=make.tenant_id) is None


def test_what_happened_at_sites_out_of_sight_is_not_told(
    make: Make, guard: Person, site: Site, punch: AttendanceEvent
) -> None:
    make.punch(guard, make.site(), occurred_at=NOW - 60 * MINUTE)
    found = seen(make, punch, site_ids=frozenset({site.id}))
    assert lanes(found) == [("guard", guard.id)]


def test_it_is_five_queries_however_much_happened(
    make: Make,
    guard: Person,
    site: Site,
    punch: AttendanceEvent,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    assert query_count(lambda: seen(make, punch)) == 5
    for minutes in range(1, 30):
        make.punch(guard, site, occurred_at=NOW - minutes * MINUTE)
    assert query_count(lambda: seen(make, punch)) == 5
