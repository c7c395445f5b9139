"""Phone signals in: every kind in its place, each once, nothing lost to a bad neighbour."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.identity import tenants
from noc.monitoring import metrics
from noc.rest.batches import BatchResult
from noc.telemetry.announcements import sos_received
from noc.telemetry.ingest import store_signals
from noc.telemetry.models import (
    Checkpoint,
    JobNeed,
    LocationUpdate,
    PhoneEvent,
    TaskCompletion,
)
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make

QueryCount = Callable[[Callable[[], Any]], int]
TABLES = (PhoneEvent, LocationUpdate, TaskCompletion, JobNeed)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def checkpoint(make: Make, site: Site) -> Checkpoint:
    return make.row(Checkpoint, {"code": "GATE", "name": "Gate", "site_id": site.id})


@pytest.fixture
def signal(guard: Person) -> Callable[..., dict[str, Any]]:
    """Makes a signal as a phone would send it; a location unless told otherwise."""

    def build(kind: str = "location", **values: Any) -> dict[str, Any]:
        place = {"lat": 19.07, "lon": 72.87, "accuracy": 8.5} if kind == "location" else {}
        common = {"external_id": "s-1", "person_id": guard.id, "occurred_at": NOW.isoformat()}
        return {"kind": kind} | common | place | values

    return build


@pytest.fixture(autouse=True)
def calls_for_help() -> Iterator[list[dict[str, Any]]]:
    """What ``sos_received`` said."""
    heard: list[dict[str, Any]] = []

    def listen(_: str, events: list[dict[str, Any]], **__: Any) -> None:
        heard.extend(events)

    kept = dict(sos_received.receivers)
    sos_received.receivers.clear()
    sos_received.connect(listen)
    yield heard
    sos_received.disconnect(listen)
    sos_received.receivers.update(kept)


def store(make: Make, *items: Any, **options: Any) -> BatchResult:
    return store_signals(items, tenant_id=make.tenant_id, now=NOW, **options)


def statuses(result: BatchResult) -> list[str]:
    return [item["status"] for item in result.items]


def rows(session: Session) -> int:
    return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES)


def test_each_kind_has_its_place(
    make: Make, signal: Any, session: Session, checkpoint: Checkpoint
) -> None:
    result = store(
        make,
        signal("phone_event", event_type="screen_on", detail={"app": "radio"}),
        signal("location"),
        signal("task_completed", task="Check doors", detail={"doors": 4}),
        signal("checkpoint_scan", checkpoint_id=checkpoint.id),
        signal("heartbeat", external_id="h-1", battery_level=40, phone_signal_strength=-90),
        signal("sos", external_id="h-2", lat=19.0, lon=72.0, detail={"button": "long"}),
    )
    assert statuses(result) == ["stored"] * 6
    events = session.scalars(select(PhoneEvent).order_by(PhoneEvent.external_id)).all()
    assert [(event.event_type, event.detail) for event in events] == [
        ("heartbeat", {"battery_level": 40, "phone_signal_strength": -90}),
        ("sos", {"lat": 19.0, "lon": 72.0, "button": "long"}),
        ("screen_on", {"app": "radio"}),
    ]
    fix = session.scalars(select(LocationUpdate)).one()
    assert (fix.lat, fix.lon, fix.accuracy, fix.received_at) == (19.07, 72.87, 8.5, NOW)
    task = session.scalars(select(TaskCompletion)).one()
    assert (task.task, task.detail) == ("Check doors", {"doors": 4})
    scan = session.scalars(select(JobNeed)).one()
    assert (scan.checkpoint_id, scan.endtime) == (checkpoint.id, NOW)
    assert {item["id"] for item in result.items} >= {fix.id, task.id, scan.id}


def test_a_signal_sent_again_is_there_with_the_same_id(
    make: Make, signal: Any, session: Session, checkpoint: Checkpoint
) -> None:
    batch = [
        signal("location"),
        signal("phone_event"),
        signal("task_completed"),
        signal("checkpoint_scan", checkpoint_id=checkpoint.id),
    ]
    first = store(make, *batch)
    again = store(make, *reversed(batch))
    assert statuses(again) == ["duplicate"] * 4
    ids = [item["id"] for item in first.items]
    assert [item["id"] for item in again.items] == ids[::-1]
    assert rows(session) == 4


def test_repeats_within_a_batch_are_duplicates_of_the_first(
    make: Make, signal: Any, session: Session
) -> None:
    result = store(make, signal(), signal(), signal(external_id="s-2"))
    assert statuses(result) == ["stored", "duplicate", "stored"]
    assert result.items[0]["id"] == result.items[1]["id"]
    assert rows(session) == 2


def test_a_signal_without_external_id_can_be_retried(
    make: Make, signal: Any, session: Session
) -> None:
    bare = signal()
    del bare["external_id"]
    moved = bare | {"lat": 19.08}
    assert statuses(store(make, bare, bare, moved)) == ["stored", "duplicate", "stored"]
    assert statuses(store(make, bare, moved)) == ["duplicate", "duplicate"]
    assert rows(session) == 2


def test_one_bad_signal_never_loses_the_good_ones(
    make: Make, signal: Any, session: Session
) -> None:
    result = store(
        make,
        signal(external_id="a"),
        signal(external_id="b", lat=-90.1),
        [],
        signal("dream", external_id="c"),
        {"person_id": 1},
        signal("checkpoint_scan", external_id="d", checkpoint_id=10**12),
        signal("phone_event", external_id="e"),
    )
    assert statuses(result) == ["stored", *["rejected"] * 5, "stored"]
    assert [(one["index"], one["field"]) for one in result.rejected] == [
        (1, "lat"),
        (2, "item"),
        (3, "kind"),
        (4, "kind"),
        (5, "checkpoint_id"),
    ]
    assert rows(session) == 2


@pytest.mark.parametrize(
    ("kind", "field", "value", "reason"),
    [
        ("location", "lat", None, "number"),
        ("location", "lat", math.nan, "finite"),
        ("location", "lon", 180.5, "less than or equal to 180"),
        ("location", "accuracy", -1, "greater than or equal to 0"),
        ("location", "occurred_at", "2026-11-16T09:00:00", "zone"),
        ("location", "occurred_at", "2026-11-16T09:06:00Z", "future"),
        ("location", "occurred_at", "2024-11-16T09:06:00Z", "too old"),
        ("location", "person_id", 10**12, "no such person"),
        ("location", "person_id", "1", "integer"),
        ("location", "external_id", "\x00", "one line"),
        ("location", "external_id", " a", "begin nor end"),
        ("phone_event", "detail", "text", "JSON object"),
        ("phone_event", "detail", {"x": math.inf}, "JSON compliant"),
        ("phone_event", "detail", {"x": "a\x00"}, "NUL"),
        ("phone_event", "detail", {"x": "a" * 17_000}, "16384 bytes"),
        ("task_completed", "task", "", "at least 1 character"),
        ("checkpoint_scan", "checkpoint_id", None, "integer"),
        ("heartbeat", "battery_level", 120, "less than or equal to 100"),
        ("sos", "lon", 7.0, "come together"),
    ],
)
def test_a_signal_that_cannot_be_is_refused_by_field_and_reason(
    make: Make, signal: Any, session: Session, kind: str, field: str, value: Any, reason: str
) -> None:
    result = store(make, signal(kind, **{field: value}))
    assert [one["field"] for one in result.rejected] == [field]
    assert reason in result.rejected[0]["reason"]
    assert rows(session) == 0


def test_detail_may_speak_of_escapes_without_holding_a_nul(make: Make, signal: Any) -> None:
    assert store(make, signal("phone_event", detail={"x": "\\u0000"})).accepted == 1


def test_another_tenants_person_and_checkpoint_do_not_exist(
    make: Make, signal: Any, session: Session
) -> None:
    rival = tenants.create_tenant("rival", "Rival")
    with tenant_context(session, rival.id):
        theirs = Make(session, rival.id)
        place = theirs.site()
        person = theirs.person(place)
        tag = theirs.row(Checkpoint, {"code": "X", "name": "X", "site_id": place.id})
    result = store(
        make,
        signal(person_id=person.id),
        signal("checkpoint_scan", checkpoint_id=tag.id),
    )
    assert [one["field"] for one in result.rejected] == ["person_id", "checkpoint_id"]
    assert rows(session) == 0


def test_an_old_track_finds_its_month_ready(make: Make, signal: Any, session: Session) -> None:
    old = signal(occurred_at="2008-10-23T02:53:04Z")
    older = signal(occurred_at="2007-04-01T00:00:00Z")
    assert store(make, old, older, limits=False).accepted == 2
    assert rows(session) == 2


def test_a_call_for_help_is_announced_once(
    make: Make, signal: Any, guard: Person, calls_for_help: list[dict[str, Any]]
) -> None:
    call = signal("sos", lat=19.0, lon=72.0)
    store(make, call, call, signal("heartbeat", external_id="h"))
    store(make, call)
    assert calls_for_help == [
        {
            "person_id": guard.id,
            "occurred_at": NOW,
            "external_id": "s-1",
            "lat": 19.0,
            "lon": 72.0,
        }
    ]


def test_what_came_in_is_counted_by_kind(make: Make, signal: Any) -> None:
    def counted(kind: str, status: str) -> float:
        return metrics.INGESTED.labels(kind, status)._value.get()

    names = [
        ("location", "stored"),
        ("location", "duplicate"),
        ("location", "rejected"),
        ("unknown", "rejected"),
    ]
    before = [counted(*name) for name in names]
    store(make, signal(), signal(), signal(lat=99), signal("dream"))
    after = [counted(*name) for name in names]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1, 1]


def test_a_thousand_signals_cost_as_many_queries_as_ten(
    make: Make, signal: Any, checkpoint: Checkpoint, query_count: QueryCount
) -> None:
    def batch(name: str, size: int) -> list[dict[str, Any]]:
        kinds = ("location", "phone_event", "task_completed", "checkpoint_scan", "nonsense")
        return [
            signal(kinds[n % 5], external_id=f"{name}{n}", checkpoint_id=checkpoint.id)
            for n in range(size)
        ]

    def mixed(name: str, size: int) -> int:
        items = batch(name, size)
        store(make, *items[:4])
        return query_count(lambda: store(make, *items))

    mixed("warm", 10)
    assert mixed("few", 10) == mixed("many", 1000) <= 10


def test_the_order_of_arrival_does_not_matter(make: Make, signal: Any, session: Session) -> None:
    late_first = [
        signal(external_id=f"s-{n}", occurred_at=(NOW - dt.timedelta(minutes=n)).isoformat())
        for n in range(5)
    ]
    store(make, *late_first)
    kept = session.scalars(select(LocationUpdate.occurred_at).order_by(LocationUpdate.id)).all()
    assert list(kept) == sorted(kept)
