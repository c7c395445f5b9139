"""The log forgets from its beginning on, and nobody who writes waits for that."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text, update

from jobs import maintenance, stopping
from noc.database.base import utcnow
from noc.events import connections, log
from noc.events.models import EventLog
from noc.events.retention import forget_batch
from noc.extensions import session as current_session
from noc.identity.models import Tenant
from noc.identity.tenant_settings import override
from tests.crowd import at_once
from tests.events.conftest import WAIT_SECONDS, House, Server, numbers
from tests.feed_client import FeedClient

DAY = dt.timedelta(days=1)
SIX = 6

_LOCKED = text(
    """
    SELECT coalesce(c.relname, l.locktype) AS name, l.mode FROM pg_locks l
    LEFT JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relname LIKE '%noc\\_%'
      AND l.mode <> 'AccessShareLock'
    """
)


def age(house: House, first: int, last: int, days: float) -> None:
    """Have the events of these seqs logged so many days ago."""
    with house.working():
        current_session().execute(
            update(EventLog)
            .where(EventLog.tenant_id == house.tenant_id, EventLog.seq.between(first, last))
            .values(created_at=utcnow() - days * DAY)
        )
        current_session().commit()


def bounds(house: House) -> tuple[int, int]:
    with house.working():
        return log.bounds(house.tenant_id)


def seqs(house: House) -> list[int]:
    return [event.seq for event in house.events()]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[int], None]]]:
    """What is done after each batch of six, before its transaction ends; none at first."""
    after: list[Callable[[int], None]] = []

    def forget(tenant_id: int, before: dt.datetime) -> int:
        count = forget_batch(tenant_id, before, SIX)
        for work in after:
            work(count)
        return count

    monkeypatch.setattr(maintenance, "forget_batch", forget)
    monkeypatch.setattr("jobs.batches.PAUSE_SECONDS", 0)
    yield after
    stopping.forget_stop()


@pytest.fixture
def forget_events(house: House) -> Callable[[], int]:
    """The job, as a worker runs it."""

    def run() -> int:
        with house.app.app_context():
            return maintenance.forget_events()

    return run


def test_what_is_older_than_the_tenant_keeps_is_removed(
    new_house: Callable[[], House], forget_events: Callable[[], int]
) -> None:
    usual, brief = new_house(), new_house()
    with brief.working():
        override("event_retention_days", 2, site_id=None, now=utcnow())
        current_session().commit()
    for house in (usual, brief):
        house.emit(5)
        age(house, 1, 2, 30.1)
        age(house, 3, 4, 2.1)
    assert forget_events() == 6
    assert seqs(usual) == [3, 4, 5]
    assert seqs(brief) == [5]
    assert bounds(usual) == (3, 5)
    assert forget_events() == 0, "a second run finds nothing"
    age(brief, 5, 5, 3)
    assert forget_events() == 1
    assert bounds(brief) == (6, 5), "an empty log begins with what comes next"
    brief.emit(1)
    assert bounds(brief) == (6, 6)


def test_of_a_tenant_that_is_inactive_events_are_removed_too(
    new_house: Callable[[], House], forget_events: Callable[[], int]
) -> None:
    left = new_house()
    left.emit(3)
    age(left, 1, 2, 30.1)
    with left.working():
        current_session().execute(
            update(Tenant).where(Tenant.id == left.tenant_id).values(active=False)
        )
        current_session().commit()
    assert forget_events() == 2
    assert seqs(left) == [3]


def test_an_event_behind_a_younger_one_stays_so_that_there_is_no_hole(
    house: House, forget_events: Callable[[], int]
) -> None:
    house.emit(6)
    age(house, 1, 2, 31)
    age(house, 4, 6, 31)
    assert forget_events() == 2
    assert seqs(house) == [3, 4, 5, 6]


def test_a_writer_never_waits_for_a_batch_that_is_under_way(
    house: House, batches: list[Callable[[int], None]], forget_events: Callable[[], int]
) -> None:
    house.emit(25)
    age(house, 1, 20, 31)
    removed: list[int] = []
    locks: set[tuple[str, str]] = set()
    failures: list[Any] = []

    def write() -> None:
        try:
            with house.working():
                # Any wait for a lock, however short, is an error.
                current_session().execute(text("SET LOCAL lock_timeout = '1ms'"))
                log.emit("alert_created", {"n": 0}, tenant_id=house.tenant_id)
                current_session().commit()
            with house.working():
                current_session().execute(text("SET LOCAL lock_timeout = '1ms'"))
                newest = update(EventLog).where(EventLog.seq > 20).values(recipient_count=1)
                current_session().execute(newest)
                current_session().commit()
        except Exception as error:
            failures.append(error)

    def meanwhile(count: int) -> None:
        removed.append(count)
        locks.update((row.name, row.mode) for row in current_session().execute(_LOCKED))
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(WAIT_SECONDS)
        assert not writer.is_alive()

    batches.append(meanwhile)
    assert forget_events() == 20
    assert failures == []
    assert removed == [6, 6, 6, 2, 0], "each transaction removes a batch and no more"
    assert {mode for _, mode in locks} == {"RowExclusiveLock"}, "what INSERT takes as well"
    assert all("noc_event_log" in name for name, _ in locks), "the counter is not among it"
    assert seqs(house) == list(range(21, 31)), "and what was written meanwhile is there"
    assert bounds(house) == (21, 30)


def test_a_job_that_is_stopped_ends_after_its_batch_and_another_goes_on(
    house: House, batches: list[Callable[[int], None]], forget_events: Callable[[], int]
) -> None:
    house.emit(20)
    age(house, 1, 20, 31)
    batches.append(lambda _: stopping.request_stop())
    assert forget_events() == 6
    assert bounds(house) == (7, 20)
    batches.clear()
    stopping.forget_stop()
    assert forget_events() == 14


def test_a_job_that_dies_in_a_batch_loses_that_batch_alone(
    house: House, batches: list[Callable[[int], None]], forget_events: Callable[[], int]
) -> None:
    house.emit(20)
    age(house, 1, 20, 31)
    removed: list[int] = []

    def die(count: int) -> None:
        removed.append(count)
        if len(removed) == 3:
            raise KeyboardInterrupt

    batches.append(die)
    with pytest.raises(KeyboardInterrupt):
        forget_events()
    assert seqs(house) == list(range(13, 21))


def test_two_runs_at_once_remove_each_event_once(house: House) -> None:
    house.emit(40)
    age(house, 1, 30, 31)

    def run() -> int:
        removed = 0
        for _ in range(12):
            removed += forget_batch(house.tenant_id, utcnow() - 30 * DAY, SIX)
            current_session().commit()
        return removed

    assert sum(at_once(house.app, house.tenant_id, [run, run, run])) == 30
    assert seqs(house) == list(range(31, 41))


def test_a_replay_that_retention_overtakes_is_sent_back_and_told(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.emit(6)
    read_after = connections.read_after

    def read_late(*args: Any, **kwargs: Any) -> Any:
        current_session().execute(text("DELETE FROM noc_event_log WHERE seq <= 4"))
        current_session().commit()
        return read_after(*args, **kwargs)

    with monkeypatch.context() as late:
        late.setattr(connections, "read_after", read_late)
        client = FeedClient(server.url("?after=1"), house.token)
        assert client.closing_code(WAIT_SECONDS) == 1013
    assert [frame["type"] for frame in client.frames] == ["hello"], "and no event after a gap"
    resumed = server.connect(house.token, "?after=1")
    assert resumed.frames[0]["oldest_seq"] == 5
    assert numbers(resumed, 2) == [4, 5]
