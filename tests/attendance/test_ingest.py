"""Punches in: each once, each answered, nothing lost to a bad neighbour."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.attendance.ingest import store_punches
from noc.attendance.models import AttendanceEvent
from noc.attendance.signals import punches_stored
from noc.identity import tenants
from noc.monitoring import metrics
from noc.rest.batches import BatchResult
from noc.workforce.models import Device, Person, Site
from tests.factories import NOW, Make

QueryCount = Callable[[Callable[[], Any]], int]


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def punch(guard: Person, site: Site) -> Callable[..., dict[str, Any]]:
    """Makes a punch as a phone would send it."""

    def build(**values: Any) -> dict[str, Any]:
        return {
            "external_id": "p-1",
            "person_id": guard.id,
            "site_id": site.id,
            "kind": "in",
            "occurred_at": NOW.isoformat(),
            "lat": 19.07,
            "lon": 72.87,
            "gps_accuracy": 8,
            "biometric_quality_score": 0.9,
            "mock_location": False,
            "phone_signal_strength": -80,
            "battery_level": 64,
        } | values

    return build


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    """What ``punches_stored`` said."""
    heard: list[dict[str, Any]] = []

    def listen(_: str, **values: Any) -> list[dict[str, Any]] | None:
        heard.append(values)
        return [{"punch_id": key} for key in values["punch_ids"]] if values["score_now"] else None

    receivers = dict(punches_stored.receivers)
    punches_stored.receivers.clear()
    punches_stored.connect(listen)
    yield heard
    punches_stored.disconnect(listen)
    punches_stored.receivers.update(receivers)


def store(make: Make, *items: Any, **options: Any) -> BatchResult:
    return store_punches(items, tenant_id=make.tenant_id, now=NOW, **options)


def statuses(result: BatchResult) -> list[str]:
    return [item["status"] for item in result.items]


def rows(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AttendanceEvent)) or 0


@pytest.mark.usefixtures("announced")
class TestStoring:
    def test_a_punch_is_stored_as_the_phone_reported_it(
        self, make: Make, punch: Any, guard: Person, site: Site, session: Session
    ) -> None:
        result = store(make, punch())
        row = session.scalars(select(AttendanceEvent)).one()
        assert result.items == [{"index": 0, "id": row.id, "status": "stored"}]
        assert (row.person_id, row.site_id, row.kind) == (guard.id, site.id, "in")
        assert (row.occurred_at, row.received_at) == (NOW, NOW)
        assert (row.lat, row.lon, row.gps_accuracy) == (19.07, 72.87, 8)
        assert (row.phone_signal_strength, row.battery_level) == (-80, 64)
        assert (row.mock_location, row.source, row.scored_at) == (False, "api", None)

    def test_what_a_phone_did_not_report_stays_unknown(
        self, make: Make, guard: Person, site: Site, session: Session
    ) -> None:
        least = {
            "person_id": guard.id,
            "site_id": site.id,
            "kind": "presence",
            "occurred_at": "2026-11-16T14:30:00+05:30",
            "battery_level": None,
        }
        assert store(make, least).accepted == 1
        row = session.scalars(select(AttendanceEvent)).one()
        assert row.occurred_at == NOW
        assert row.lat is row.gps_accuracy is row.mock_location is row.battery_level is None

    def test_a_retry_finds_the_punch_there_with_the_same_id(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        first, again = store(make, punch()), store(make, punch())
        assert (again.accepted, again.duplicates) == (0, 1)
        assert again.items == [{"index": 0, "id": first.items[0]["id"], "status": "duplicate"}]
        assert rows(session) == 1

    def test_a_punch_without_external_id_can_be_retried(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        bare = punch(device_id="PHONE-9")
        del bare["external_id"]
        assert statuses(store(make, bare, bare)) == ["stored", "duplicate"]
        assert statuses(store(make, bare)) == ["duplicate"]
        assert statuses(store(make, bare | {"kind": "out"})) == ["stored"]
        assert rows(session) == 2

    def test_an_external_id_taken_by_another_content_says_what_differs(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        first = store(make, punch())
        other = store(make, punch(kind="out", occurred_at="2026-11-16T08:00:00Z"))
        assert other.items == [
            {
                "index": 0,
                "id": first.items[0]["id"],
                "status": "duplicate",
                "differs": ["kind", "occurred_at"],
            }
        ]
        within = store(make, punch(external_id="p-2"), punch(external_id="p-2", kind="out"))
        assert within.items[1]["differs"] == ["kind"]
        assert session.scalars(select(AttendanceEvent.kind)).all() == ["in", "in"]

    def test_a_rejected_punch_leaves_its_external_id_to_the_next(
        self, make: Make, punch: Any
    ) -> None:
        assert statuses(store(make, punch(kind="nap"), punch())) == ["rejected", "stored"]

    def test_one_bad_punch_never_loses_the_good_ones(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        result = store(
            make,
            punch(external_id="a"),
            punch(external_id="b", lat=91),
            "nonsense",
            punch(external_id="d", person_id=10**15),
            punch(external_id="e"),
        )
        assert statuses(result) == ["stored", "rejected", "rejected", "rejected", "stored"]
        assert [(one["index"], one["field"]) for one in result.rejected] == [
            (1, "lat"),
            (2, "item"),
            (3, "person_id"),
        ]
        assert (result.accepted, result.duplicates, rows(session)) == (2, 0, 2)

    def test_another_tenants_person_site_and_device_do_not_exist(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        from noc.database.tenancy import tenant_context

        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            theirs = Make(session, rival.id)
            site = theirs.site()
            person, device = theirs.person(site), theirs.device()
        result = store(
            make,
            punch(external_id="a", person_id=person.id),
            punch(external_id="b", site_id=site.id),
            punch(external_id="c", device_id=device.id),
        )
        assert [(one["field"], one["reason"]) for one in result.rejected] == [
            ("person_id", "there is no such person"),
            ("site_id", "there is no such site"),
            ("device_id", "there is no such device"),
        ]

    def test_fields_that_nobody_knows_are_ignored(self, make: Make, punch: Any) -> None:
        assert store(make, punch(firmware="9.1")).accepted == 1

    def test_an_import_may_bring_punches_of_any_age(self, make: Make, punch: Any) -> None:
        old = punch(occurred_at="2008-10-23T02:53:04Z")
        assert store(make, old).rejected[0]["reason"].startswith("is too old")
        assert store(make, old, limits=False).accepted == 1

    def test_not_even_an_import_may_come_from_the_future(self, make: Make, punch: Any) -> None:
        ahead = punch(occurred_at=(NOW + dt.timedelta(minutes=6)).isoformat())
        assert store(make, ahead, limits=False).rejected[0]["field"] == "occurred_at"
        skewed = punch(occurred_at=(NOW + dt.timedelta(minutes=5)).isoformat())
        assert store(make, skewed).accepted == 1

    def test_what_came_in_is_counted(self, make: Make, punch: Any) -> None:
        def counted(status: str) -> float:
            return metrics.INGESTED.labels("punch", status)._value.get()

        before = {name: counted(name) for name in ("stored", "duplicate", "rejected")}
        store(make, punch(), punch(), punch(kind="nap"))
        after = {name: counted(name) for name in before}
        assert {name: after[name] - before[name] for name in before} == {
            "stored": 1,
            "duplicate": 1,
            "rejected": 1,
        }


BAD = [
    ("person_id", None, "integer"),
    ("person_id", "7", "integer"),
    ("person_id", True, "integer"),
    ("person_id", 2**70, "less than or equal"),
    ("site_id", 1.5, "integer"),
    ("kind", "lunch", "'in', 'out' or 'presence'"),
    ("occurred_at", "2026-11-16T09:00:00", "zone"),
    ("occurred_at", "yesterday", "ISO 8601"),
    ("occurred_at", 1794823200, "as text"),
    ("occurred_at", "0001-01-01T00:00:00+14:00", "between 1970 and 2200"),
    ("occurred_at", "2026-11-16T09:06:00Z", "future"),
    ("occurred_at", "2025-01-01T00:00:00Z", "too old"),
    ("lat", 90.0001, "less than or equal to 90"),
    ("lon", -181, "greater than or equal to -180"),
    ("lat", math.nan, "finite"),
    ("lon", math.inf, "finite"),
    ("lat", "19.07", "number"),
    ("lon", None, "come together"),
    ("gps_accuracy", -1, "greater than or equal to 0"),
    ("biometric_quality_score", 1.01, "less than or equal to 1"),
    ("mock_location", "no", "boolean"),
    ("battery_level", 101, "less than or equal to 100"),
    ("phone_signal_strength", 99, "less than or equal to 50"),
    ("device_id", [], "id of a device"),
    ("device_id", "", "1 to 200"),
    ("device_id", 0, "not an id"),
    ("external_id", "", "at least 1 character"),
    ("external_id", "a\x00b", "one line"),
    ("external_id", "  ", "blank"),
    ("external_id", "a ", "begin nor end"),
    ("device_id", "\u202eIMEI", "one line"),
    ("external_id", "x" * 201, "at most 200"),
]


@pytest.mark.parametrize(("field", "value", "reason"), BAD)
def test_a_punch_that_cannot_be_is_refused_by_field_and_reason(
    make: Make, punch: Any, session: Session, field: str, value: Any, reason: str
) -> None:
    result = store(make, punch(**{field: value}))
    assert [one["field"] for one in result.rejected] == [field]
    assert reason in result.rejected[0]["reason"]
    assert rows(session) == 0


@pytest.mark.parametrize("field", ["person_id", "site_id", "kind", "occurred_at"])
def test_a_punch_without_its_essentials_is_refused(make: Make, punch: Any, field: str) -> None:
    item = punch()
    del item[field]
    assert store(make, item).rejected == [{"index": 0, "field": field, "reason": "Field required"}]


class TestDevices:
    def test_an_unknown_code_registers_the_phone_once(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        store(
            make,
            punch(external_id="a", device_id="PHONE-1"),
            punch(external_id="b", device_id="PHONE-1"),
        )
        store(make, punch(external_id="c", device_id="PHONE-1"))
        device = session.scalars(select(Device)).one()
        assert device.code == "PHONE-1"
        used = session.scalars(select(AttendanceEvent.device_id).distinct()).all()
        assert used == [device.id]

    def test_a_rejected_punch_registers_no_phone(
        self, make: Make, punch: Any, session: Session
    ) -> None:
        store(make, punch(person_id=10**15, device_id="PHONE-1"))
        assert session.scalars(select(Device)).all() == []

    def test_who_used_a_phone_last_only_moves_forward_in_time(
        self, make: Make, punch: Any, guard: Person, site: Site, session: Session
    ) -> None:
        other, device = make.person(site), make.device()
        early, late = NOW - dt.timedelta(hours=2), NOW - dt.timedelta(hours=1)
        store(
            make,
            punch(
                external_id="late",
                device_id=device.id,
                person_id=other.id,
                occurred_at=late.isoformat(),
            ),
            punch(external_id="early", device_id=device.id, occurred_at=early.isoformat()),
        )
        session.refresh(device)
        assert (device.last_person_id, device.last_used_at) == (other.id, late)
        store(make, punch(external_id="p-3", device_id=device.code, occurred_at=early.isoformat()))
        session.refresh(device)
        assert (device.last_person_id, device.last_used_at) == (other.id, late)


class TestAnnouncing:
    def test_only_new_punches_are_announced(
        self, make: Make, punch: Any, announced: list[dict[str, Any]]
    ) -> None:
        stored = store(make, punch(external_id="a"), punch(external_id="b"))
        store(make, punch(external_id="a"))
        assert announced == [
            {
                "tenant_id": make.tenant_id,
                "punch_ids": [item["id"] for item in stored.items],
                "score_now": False,
                "now": NOW,
            }
        ]

    def test_scores_asked_for_at_once_ride_back_on_a_retry_too(
        self, make: Make, punch: Any, announced: list[dict[str, Any]]
    ) -> None:
        first = store(make, punch(), score_now=True)
        again = store(make, punch(), punch(), score_now=True)
        assert first.scores == again.scores == [{"punch_id": first.items[0]["id"]}]

    def test_scores_are_left_out_where_nobody_asked(
        self, make: Make, punch: Any, announced: list[dict[str, Any]]
    ) -> None:
        assert "scores" not in store(make, punch()).body()
        assert store(make, punch(kind="nap"), score_now=True).body()["scores"] == []


@pytest.mark.usefixtures("announced")
def test_a_thousand_punches_cost_as_many_queries_as_ten(
    make: Make, punch: Any, query_count: QueryCount
) -> None:
    def batch(name: str, size: int) -> list[dict[str, Any]]:
        return [
            punch(external_id=f"{name}{n}", device_id=f"{name}{n}", kind="in" if n % 7 else "nap")
            for n in range(size)
        ]

    def repeated(name: str, size: int) -> int:
        items = batch(name, size)
        store(make, items[1])
        return query_count(lambda: store(make, *items))

    assert repeated("few", 10) == repeated("many", 1000) <= 6


def test_an_accuracy_beyond_any_phone_is_refused_by_field(make: Make) -> None:
    site = make.site()
    punch = {
        "person_id": make.person(site).id,
        "site_id": site.id,
        "kind": "in",
        "occurred_at": NOW.isoformat(),
        "gps_accuracy": 1e308,
    }
    result = store_punches([punch], tenant_id=make.tenant_id, now=NOW)
    assert result.accepted == 0
    assert [item["field"] for item in result.rejected] == ["gps_accuracy"]
