"""What is heard of people in a window, whatever the order in which it came in."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from noc.telemetry.collection import Signals, collect_signals
from noc.telemetry.ingest import store_signals
from noc.telemetry.models import Checkpoint
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def send(make: Make, guard: Person) -> Callable[..., None]:
    """Sends one signal of the guard, so many minutes before now."""

    def one(kind: str, minutes: float, **values: Any) -> None:
        moment = NOW - minutes * MINUTE
        item = {"kind": kind, "person_id": guard.id, "occurred_at": moment.isoformat()} | values
        result = store_signals([item], tenant_id=make.tenant_id, now=NOW)
        assert not result.rejected

    return one


def collected(make: Make, person: Person, minutes: float = 120) -> Signals:
    window = {"start": NOW - minutes * MINUTE, "end": NOW}
    return collect_signals([person.id], tenant_id=make.tenant_id, **window)[person.id]


def test_each_kind_is_counted(make: Make, site: Site, guard: Person, send: Any) -> None:
    gate = make.row(Checkpoint, {"code": "GATE", "name": "Gate", "site_id": site.id})
    for minutes in (1, 2, 3):
        send("phone_event", minutes, event_type="screen_on")
    send("sos", 4)
    send("heartbeat", 0.5)
    send("task_completed", 5)
    send("checkpoint_scan", 6, checkpoint_id=gate.id)
    send("location", 8, lat=19.0, lon=72.0)
    send("location", 7, lat=19.001, lon=72.0)
    signals = collected(make, guard)
    assert signals.as_dict() == {
        "phone_events_count": 4,
        "location_updates_count": 2,
        "movement_distance_meters": 110.69,
        "tasks_completed_count": 1,
        "tour_checkpoints_scanned": 1,
    }
    assert signals.last_signal_at == NOW - 0.5 * MINUTE


def test_a_phone_that_only_beats_shows_no_activity(make: Make, guard: Person, send: Any) -> None:
    send("heartbeat", 3)
    signals = collected(make, guard)
    assert signals.phone_events_count == 0
    assert signals.last_signal_at == NOW - 3 * MINUTE


def test_the_window_includes_both_of_its_ends_and_nothing_beyond(
    make: Make, guard: Person, send: Any
) -> None:
    for minutes in (-1, 0, 60, 60.001):
        send("phone_event", minutes)
    assert collected(make, guard, 60).phone_events_count == 2


def test_a_silent_person_has_zeros(make: Make, guard: Person) -> None:
    assert collected(make, guard) == Signals()


def test_people_are_kept_apart_and_cost_one_query(
    make: Make, site: Site, guard: Person, send: Any, query_count: Any
) -> None:
    send("location", 5, lat=1.0, lon=1.0)
    send("location", 4, lat=1.001, lon=1.0)
    others = [make.person(site) for _ in range(5)]
    store_signals(
        [
            {
                "kind": "phone_event",
                "person_id": others[0].id,
                "occurred_at": (NOW - MINUTE).isoformat(),
            }
        ],
        tenant_id=make.tenant_id,
        now=NOW,
    )
    people = [guard.id, *(other.id for other in others)]
    window = {"start": NOW - 120 * MINUTE, "end": NOW}
    found: dict[int, Signals] = {}

    def collect() -> None:
        found.update(collect_signals(people, tenant_id=make.tenant_id, **window))

    assert query_count(collect) == 1
    assert set(found) == set(people)
    assert found[guard.id].movement_distance_meters > 100
    assert found[others[0].id].phone_events_count == 1
    assert found[others[1].id] == Signals()
    assert collect_signals([], tenant_id=make.tenant_id, **window) == {}


FIXES = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.floats(-0.01, 0.01),
        st.floats(-0.01, 0.01),
        st.sampled_from([None, 0.0, 15.0, 300.0]),
    ),
    max_size=25,
)


@given(fixes=FIXES, cuts=st.lists(st.integers(0, 25), max_size=4), seed=st.integers(0, 999))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_distance_does_not_depend_on_arrival_order_or_batches(
    make: Make, session: Session, guard: Person, fixes: Any, cuts: list[int], seed: int
) -> None:
    items = [
        {
            "kind": "location",
            "external_id": f"fix-{n}",
            "person_id": guard.id,
            "occurred_at": (NOW - minutes * MINUTE).isoformat(),
            "lat": 19.0 + north,
            "lon": 72.0 + east,
            "accuracy": accuracy,
        }
        for n, (minutes, north, east, accuracy) in enumerate(fixes)
    ]
    shuffled = random.Random(seed).sample(items, len(items))
    borders = [0, *sorted(min(cut, len(items)) for cut in cuts), len(items)]
    batches = [shuffled[a:b] for a, b in itertools.pairwise(borders)]

    def after(arrivals: list[list[dict[str, Any]]]) -> Signals:
        savepoint = session.begin_nested()
        for batch in arrivals:
            store_signals(batch, tenant_id=make.tenant_id, now=NOW)
        signals = collected(make, guard)
        savepoint.rollback()
        return signals

    assert after(batches) == after([items])
