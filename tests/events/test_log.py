"""The event log: what is emitted stands in it, gapless and in commit order, or not at all."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.events import log
from noc.events.doorbell import DOORBELL
from noc.extensions import db, redis_client
from noc.identity import tenants
from noc.monitoring import metrics
from noc.workforce.models import Site
from tests.events.conftest import House
from tests.factories import Make


def emit(make: Make, n: int, **ids: Any) -> uuid.UUID:
    return log.emit("alert_created", {"n": n}, tenant_id=make.tenant_id, **ids)


def logged(make: Make) -> list[tuple[int, int]]:
    """(seq, n) of every event of the tenant."""
    return [(e.seq, e.payload["n"]) for e in log.read_after(make.tenant_id, 0, 10_000)]


def test_events_are_numbered_in_the_order_they_were_emitted(session: Session, make: Make) -> None:
    for n in (7, 8, 9):
        emit(make, n)
    session.commit()
    emit(make, 10)
    session.commit()
    assert logged(make) == [(1, 7), (2, 8), (3, 9), (4, 10)]


def test_an_event_is_not_in_the_log_before_the_commit(session: Session, make: Make) -> None:
    emit(make, 1)
    session.flush()
    assert logged(make) == []


def test_a_rolled_back_transaction_leaves_neither_event_nor_hole(
    session: Session, make: Make
) -> None:
    session.commit()
    emit(make, 1)
    session.rollback()
    emit(make, 2)
    session.commit()
    assert logged(make) == [(1, 2)]


def test_a_transaction_that_fails_at_its_commit_leaves_neither_event_nor_hole(
    session: Session, make: Make
) -> None:
    site = make.site()
    session.commit()
    emit(make, 1)
    twin = Site(
        tenant_id=make.tenant_id, code=site.code, name="Twin", timezone="UTC", lat=0.0, lon=0.0
    )
    session.add(twin)
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
    emit(make, 2)
    session.commit()
    assert logged(make) == [(1, 2)]


def test_a_session_closed_without_a_commit_forgets_its_events(session: Session, make: Make) -> None:
    session.commit()
    emit(make, 1)
    session.close()
    tenancy.name_tenant(session, make.tenant_id)
    emit(make, 2)
    session.commit()
    assert logged(make) == [(1, 2)]


def test_what_a_rolled_back_savepoint_emitted_is_not_logged(session: Session, make: Make) -> None:
    emit(make, 1)
    savepoint = session.begin_nested()
    emit(make, 2)
    savepoint.rollback()
    emit(make, 3)
    session.commit()
    assert logged(make) == [(1, 1), (2, 3)]


def test_what_a_released_savepoint_emitted_is_logged_in_its_place(
    session: Session, make: Make
) -> None:
    emit(make, 1)
    with session.begin_nested():
        emit(make, 2)
    emit(make, 3)
    session.commit()
    assert [n for _, n in logged(make)] == [1, 2, 3]


def test_a_savepoint_rolled_back_takes_those_released_inside_it_along(
    session: Session, make: Make
) -> None:
    outer = session.begin_nested()
    emit(make, 1)
    with session.begin_nested():
        emit(make, 2)
    outer.rollback()
    with session.begin_nested():
        inner = session.begin_nested()
        emit(make, 3)
        inner.rollback()
        emit(make, 4)
    session.commit()
    assert [n for _, n in logged(make)] == [4]


def test_a_batch_larger_than_one_statement_is_still_gapless(session: Session, make: Make) -> None:
    for n in range(2_500):
        emit(make, n)
    session.commit()
    assert logged(make) == [(n + 1, n) for n in range(2_500)]


def test_a_hundred_events_cost_one_statement(
    session: Session, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    session.commit()
    for n in range(100):
        emit(make, n)
    assert query_count(session.commit) == 1


def test_events_are_counted_once_they_are_committed(session: Session, make: Make) -> None:
    logged_alerts = metrics.EVENTS_LOGGED.labels("alert_created")._value
    before = logged_alerts.get()
    emit(make, 1)
    emit(make, 2)
    assert logged_alerts.get() == before
    session.commit()
    assert logged_alerts.get() == before + 2


def test_an_event_keeps_the_payload_as_it_was_when_emitted(session: Session, make: Make) -> None:
    moment = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
    incident = uuid.uuid4()
    payload: dict[str, Any] = {"at": moment, "incident": incident, "tags": ["a"]}
    event_id = log.emit("incident_updated", payload, tenant_id=make.tenant_id, incident_id=incident)
    payload["tags"].append("b")
    session.commit()
    (event,) = log.read_after(make.tenant_id, 0, 10)
    assert event.event_id == event_id
    assert event.payload == {"at": moment.isoformat(), "incident": str(incident), "tags": ["a"]}


@pytest.mark.parametrize(
    ("event_type", "payload", "error", "names"),
    [
        ("alert_exploded", {}, ValueError, "alert_exploded"),
        ("alert_created", {"score": float("nan")}, ValueError, "JSON"),
        ("alert_created", {"who": object()}, TypeError, "object"),
    ],
)
def test_an_event_that_cannot_be_told_is_refused_at_once(
    session: Session,
    make: Make,
    event_type: str,
    payload: dict[str, Any],
    error: type[Exception],
    names: str,
) -> None:
    with pytest.raises(error, match=names):
        log.emit(event_type, payload, tenant_id=make.tenant_id)
    session.commit()
    assert log.bounds(make.tenant_id) == (1, 0)


def test_work_for_one_tenant_cannot_log_for_another(make: Make) -> None:
    other = tenants.create_tenant("rival", "Rival")
    with pytest.raises(ValueError, match=f"tenant {make.tenant_id}"):
        log.emit("alert_created", {}, tenant_id=other.id)


def test_one_transaction_cannot_hold_events_of_two_tenants(session: Session, make: Make) -> None:
    other = tenants.create_tenant("rival", "Rival")
    emit(make, 1)
    tenancy.name_tenant(session, other.id)
    with pytest.raises(ValueError, match="one transaction, one tenant"):
        log.emit("alert_created", {}, tenant_id=other.id)


def test_events_are_logged_though_the_tenant_is_no_longer_named_at_the_commit(
    session: Session, make: Make
) -> None:
    emit(make, 1)
    tenancy.name_tenant(session, None)
    session.commit()
    tenancy.name_tenant(session, make.tenant_id)
    assert logged(make) == [(1, 1)]


def test_a_tenant_without_a_counter_is_an_error_not_a_silence(session: Session, make: Make) -> None:
    session.execute(text("DELETE FROM noc_event_counter"))
    emit(make, 1)
    with pytest.raises(LookupError, match="no event counter"):
        session.commit()
    session.rollback()


def test_another_tenants_events_cannot_be_read(session: Session, make: Make) -> None:
    emit(make, 1)
    session.commit()
    other = tenants.create_tenant("rival", "Rival")
    with tenancy.tenant_context(session, other.id):
        assert log.read_after(make.tenant_id, 0, 10) == []


def test_reading_keeps_to_sites_types_and_an_end(session: Session, make: Make) -> None:
    here, there = make.site(name="Here"), make.site()
    for site in (here, there, None, here):
        emit(make, 1, site_id=site.id if site else None)
    log.emit("job_updated", {"n": 5}, tenant_id=make.tenant_id, site_id=here.id)
    session.commit()

    def seqs(**filters: Any) -> list[int]:
        return [event.seq for event in log.read_after(make.tenant_id, 0, 10, **filters)]

    assert seqs(site_ids=[here.id]) == [1, 4, 5]
    assert seqs(site_ids=[here.id], types=["alert_created"]) == [1, 4]
    assert seqs(until=3) == [1, 2, 3]
    assert seqs(site_ids=[]) == []
    assert log.read_after(make.tenant_id, 0, 1)[0].site_name == "Here"


def test_bounds_tell_what_retention_has_left(session: Session, make: Make) -> None:
    assert log.bounds(make.tenant_id) == (1, 0)
    for n in range(3):
        emit(make, n)
    session.commit()
    assert log.bounds(make.tenant_id) == (1, 3)
    session.execute(text("DELETE FROM noc_event_log WHERE seq < 3"))
    assert log.bounds(make.tenant_id) == (3, 3)
    session.execute(text("DELETE FROM noc_event_log"))
    assert log.bounds(make.tenant_id) == (4, 3)


def test_the_doorbell_rings_once_after_the_commit_with_the_last_seq(house: House) -> None:
    with house.app.app_context():
        bell = redis_client().pubsub(ignore_subscribe_messages=True)
        bell.subscribe(DOORBELL)
        bell.get_message(timeout=1)
        house.emit_together([{"n": 1}, {"n": 2}])
        message = bell.get_message(timeout=5)
        assert message is not None
        assert json.loads(message["data"]) == {"tenant": house.tenant_id, "seq": 2}
        assert bell.get_message(timeout=0.2) is None
        bell.close()


def test_a_doorbell_that_does_not_ring_costs_nothing_but_a_count(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise redis.ConnectionError("no Redis here")

    failures = metrics.FAILURES.labels("doorbell")._value
    before = failures.get()
    monkeypatch.setattr(redis.Redis, "publish", refuse)
    monkeypatch.delitem(house.app.extensions, "noc_doorbell", raising=False)
    house.emit(3)
    assert [event.seq for event in house.events()] == [1, 2, 3]
    assert failures.get() == before + 3
    del house.app.extensions["noc_doorbell"]


def write_at_random(house: House, writer: int) -> list[int]:
    """25 transactions of one to three events, one in four rolled back; which were committed."""
    dice, committed = random.Random(writer), []
    with house.working():
        for n in range(25):
            for _ in range(dice.randint(1, 3)):
                payload = {"writer": writer, "n": n}
                log.emit("alert_created", payload, tenant_id=house.tenant_id)
            if dice.random() < 0.25:
                db.session.rollback()
            else:
                db.session.commit()
                committed.append(n)
    return committed


def poll_for_holes(house: House, done: threading.Event) -> list[str]:
    """What a reader that follows the log sees arriving out of turn."""
    position, holes = 0, []
    with house.working():
        while not done.is_set():
            for event in log.read_after(house.tenant_id, position, 500):
                if event.seq != position + 1:
                    holes.append(f"{event.seq} came after {position}")
                position = event.seq
            db.session.rollback()
    return holes


def test_concurrent_writers_leave_no_hole_that_a_reader_could_see(house: House) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(9) as pool:
        poller = pool.submit(poll_for_holes, house, done)
        writers = [pool.submit(write_at_random, house, number) for number in range(8)]
        committed = [writer.result(60) for writer in writers]
        done.set()
        assert poller.result(10) == []

    events = house.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for number in range(8):
        own = [event.payload["n"] for event in events if event.payload["writer"] == number]
        assert sorted(set(own)) == committed[number], "what was committed, and nothing else"
        assert own == sorted(own), "in commit order"
