"""Workers that run at once, die half-way, or come too late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, select, text

from jobs import notifications as jobs
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import db, queue, redis_client, session
from noc.notifications import deliveries, outbox, routes
from noc.notifications.deliveries import MOST_ATTEMPTS
from noc.notifications.models import NotificationDelivery
from noc.notifications.sending import Result
from tests.conftest import Services
from tests.crowd import PATIENCE_SECONDS, at_once, committed_tenant, until_somebody_waits
from tests.factories import Make
from tests.jobs.conftest import Start, start, stop, wait_for
from tests.notifications.conftest import Desk, Receiver

__all__ = ["start"]


@pytest.fixture
def company(app: APIFlask, services: Services, receiver: Receiver) -> Iterator[Make]:
    """A tenant whose rows every connection sees; webhooks may reach this machine."""
    config = app.config["NOC_SETTINGS"]
    app.config["NOC_SETTINGS"] = config.model_copy(update={"notification_private_targets": True})
    try:
        with committed_tenant(app, services) as make:
            redis_client().flushdb()
            yield make
            redis_client().flushdb()
    finally:
        app.config["NOC_SETTINGS"] = config


@pytest.fixture
def busy(company: Make, receiver: Receiver) -> tuple[Desk, int]:
    """Twelve pieces of news wait for a route to the receiver."""
    desk = Desk(company, session())
    route_id = desk.route(receiver.url).id
    for _ in range(12):
        desk.alert(commit=False)
    session().commit()
    return desk, route_id


def states(desk: Desk) -> list[str]:
    return [one.state for one in desk.deliveries()]


def test_workers_share_the_work_and_send_each_delivery_once(
    app: APIFlask, busy: tuple[Desk, int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = busy
    tenant_id, real = desk.make.tenant_id, deliveries.sending.attempt
    pair = threading.Barrier(2)

    def with_another(*args: Any, **more: Any) -> Result:
        pair.wait(PATIENCE_SECONDS)
        return real(*args, **more)

    monkeypatch.setattr(deliveries.sending, "attempt", with_another)

    def work() -> int:
        return jobs.deliver(tenant_id)

    assert sum(at_once(app, tenant_id, [work] * 4)) == 12
    told = [one.headers["x-noc-delivery"] for one in receiver.received]
    assert len(told) == len(set(told)) == 12
    assert states(desk) == ["sent"] * 12


def test_one_delivery_is_never_sent_by_two_at_the_same_moment(
    app: APIFlask, company: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(company, session())
    desk.route(receiver.url)
    desk.alert()
    tenant_id, real = company.tenant_id, deliveries.sending.attempt
    passed: list[int] = []
    all_passed = threading.Event()

    def slow(*args: Any, **more: Any) -> Result:
        assert all_passed.wait(PATIENCE_SECONDS), "nobody waits for the one who sends"
        return real(*args, **more)

    monkeypatch.setattr(deliveries.sending, "attempt", slow)

    def work() -> int:
        sent = jobs.deliver(tenant_id)
        passed.append(sent)
        if len(passed) == 3:
            all_passed.set()
        return sent

    assert sorted(at_once(app, tenant_id, [work] * 4)) == [0, 0, 0, 1]
    assert len(receiver.received) == 1


def lease_ends() -> None:
    """Time passes: what a worker took and did not finish is anybody's again."""
    session().execute(text("UPDATE notification_delivery SET next_attempt_at = now()"))
    session().commit()


def test_a_worker_that_dies_before_its_commit_leaves_it_to_the_next(
    busy: tuple[Desk, int], receiver: Receiver
) -> None:
    desk, route_id = busy
    with tenant_context(session(), desk.make.tenant_id):
        deliveries.send_next(route_id, tenant_id=desk.make.tenant_id, now=utcnow())
        session().rollback()
    assert states(desk) == ["pending"] * 12

    assert jobs.deliver(desk.make.tenant_id) == 11, "the others wait for nobody"
    lease_ends()
    assert jobs.deliver(desk.make.tenant_id) == 1
    told = [one.headers["x-noc-delivery"] for one in receiver.received]
    assert (len(told), len(set(told))) == (13, 12), "at least once, and told by its id"


def test_nothing_is_held_in_the_database_while_it_is_sent(
    busy: tuple[Desk, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = busy
    held: list[bool] = []

    def attempt(*_: Any, **__: Any) -> Result:
        held.append(session().in_transaction())
        return Result("sent")

    monkeypatch.setattr(deliveries.sending, "attempt", attempt)
    assert jobs.deliver(desk.make.tenant_id) == 12
    assert held == [False] * 12


def test_what_no_worker_comes_to_an_end_with_is_dead_at_last(
    busy: tuple[Desk, int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = busy

    def dies(*_: Any, **__: Any) -> Result:
        raise MemoryError

    with monkeypatch.context() as deadly:
        deadly.setattr(deliveries.sending, "attempt", dies)
        with pytest.raises(MemoryError):
            jobs.deliver(desk.make.tenant_id)
    session().rollback()
    assert sorted(one.attempts for one in desk.deliveries()) == [0] * 11 + [1]

    session().execute(
        text("UPDATE notification_delivery SET attempts = :most"), {"most": MOST_ATTEMPTS}
    )
    lease_ends()
    assert jobs.deliver(desk.make.tenant_id) == 12
    assert states(desk) == ["dead"] * 12
    assert receiver.received == []


def test_who_comes_back_late_does_not_undo_what_another_did(
    busy: tuple[Desk, int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = busy
    real = deliveries.sending.attempt

    def slow(*_: Any, **__: Any) -> Result:
        monkeypatch.setattr(deliveries.sending, "attempt", real)
        lease_ends()
        assert jobs.deliver(desk.make.tenant_id) == 12
        return Result("again", "too late")

    monkeypatch.setattr(deliveries.sending, "attempt", slow)
    jobs.deliver(desk.make.tenant_id)
    assert states(desk) == ["sent"] * 12
    assert [one.last_error for one in desk.deliveries()] == [None] * 12


def test_a_tenant_stands_in_the_queue_once_and_its_routes_take_turns(
    company: Make, receiver: Receiver
) -> None:
    desk = Desk(company, session())
    desk.route(f"{receiver.url}/a")
    for _ in range(3):
        desk.alert()
    desk.route(f"{receiver.url}/b")
    for _ in range(3):
        desk.alert()
    assert [job.args for job in queue("reports").jobs] == [[company.tenant_id]]
    assert jobs.deliver(company.tenant_id) == 9
    paths = [one.path for one in receiver.received]
    assert [set(paths[at : at + 2]) for at in (0, 2, 4)] == [{"/a", "/b"}] * 3


def test_a_turn_has_an_end_and_the_next_is_behind_what_others_asked_for(
    company: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "TURN_SECONDS", -1)
    desk = Desk(company, session())
    desk.route(receiver.url)
    desk.alert()
    desk.alert()
    assert outbox.request_sending(company.tenant_id + 1)
    queue("reports").pop_job_id()
    assert jobs.deliver(company.tenant_id) == 1
    waiting = [job.args for job in queue("reports").jobs]
    assert waiting == [[company.tenant_id + 1], [company.tenant_id]]
    assert jobs.deliver(company.tenant_id) == 1
    assert states(desk) == ["sent", "sent"]


def test_a_worker_in_a_process_of_its_own_sends_what_was_committed(
    busy: tuple[Desk, int], receiver: Receiver, start: Start
) -> None:
    desk, _ = busy
    worker = start("jobs.worker", "--queues", "reports", NOTIFICATION_PRIVATE_TARGETS="true")
    wait_for(lambda: len(receiver.received) == 12, "the sending")
    wait_for(lambda: states(desk) == ["sent"] * 12, "the end of it")
    desk.alert(message="one more")
    wait_for(lambda: len(receiver.received) == 13, "the next")
    log = stop(worker)

    for secret in session().scalars(text("SELECT signing_secret FROM notification_route")):
        assert secret not in log
    assert "jobs.notifications.deliver" in log


def test_what_a_killed_worker_was_sending_is_found_by_the_sweep(
    company: Make, receiver: Receiver, start: Start
) -> None:
    desk = Desk(company, session())
    desk.route(receiver.url)
    receiver.seconds = 30.0
    desk.alert()
    worker = start("jobs.worker", "--queues", "reports", NOTIFICATION_PRIVATE_TARGETS="true")
    wait_for(lambda: len(receiver.received) == 1, "the first attempt")
    worker.kill()
    worker.wait()
    receiver.seconds = 0.0
    redis_client().flushdb()
    assert jobs.sweep() == 0, "it may live"
    lease_ends()

    wait_for(lambda: jobs.sweep() == 1, "the sweep")
    (job,) = queue("reports").jobs

    def sent() -> bool:
        return jobs.deliver(*job.args) == 1

    wait_for(sent, "the release of the killed worker's lock")
    assert job.args == [company.tenant_id]
    assert states(desk) == ["sent"]


def test_a_route_that_is_deleted_meanwhile_takes_no_alert_down(
    app: APIFlask, company: Make, receiver: Receiver
) -> None:
    desk = Desk(company, session())
    kept, going = desk.route(receiver.url).id, desk.route(receiver.url).id
    tenant_id = company.tenant_id
    deleted = threading.Event()

    def remove() -> str:
        routes.remove(going, now=utcnow())
        deleted.set()
        until_somebody_waits()
        return "removed"

    def report() -> str:
        deleted.wait(20)
        Desk(Make(session(), tenant_id), session()).alert()
        return "reported"

    assert at_once(app, tenant_id, [remove, report]) == ["removed", "reported"]
    assert session().scalars(select(NotificationDelivery.route_id)).all() == [kept]
    db.session.remove()


def test_a_route_is_deleted_while_it_is_sending(
    app: APIFlask, busy: tuple[Desk, int], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, route_id = busy
    tenant_id, real = desk.make.tenant_id, deliveries.sending.attempt
    sending, gone = threading.Event(), threading.Event()

    def slow(*args: Any, **more: Any) -> Result:
        sending.set()
        assert gone.wait(PATIENCE_SECONDS), "whoever deletes waits for nobody who sends"
        return real(*args, **more)

    monkeypatch.setattr(deliveries.sending, "attempt", slow)

    def remove() -> int:
        assert sending.wait(PATIENCE_SECONDS)
        routes.remove(route_id, now=utcnow())
        session().commit()
        gone.set()
        return -1

    def work() -> int:
        return jobs.deliver(tenant_id)

    counts = at_once(app, tenant_id, [work, remove, work])
    assert counts[1] == -1
    assert counts[0] + counts[2] == len(receiver.received) in (1, 2)
    assert desk.deliveries() == []


def test_a_route_is_deleted_while_something_that_died_on_it_is_sent_anew(
    app: APIFlask, company: Make, receiver: Receiver
) -> None:
    desk = Desk(company, session())
    route_id = desk.route(receiver.url).id
    desk.alert()
    receiver.answers = [(404, {})]
    assert jobs.deliver(company.tenant_id) == 1
    (dead,) = desk.deliveries()
    delivery_id, locked = dead.id, threading.Event()
    session().commit()

    def remove() -> bool:
        routes.locked(route_id, deleting=True)
        locked.set()
        until_somebody_waits()
        routes.remove(route_id, now=utcnow())
        return True

    def replay() -> bool:
        locked.wait(20)
        return routes.replay_one(delivery_id, now=utcnow())

    assert at_once(app, company.tenant_id, [remove, replay]) == [True, False]
    assert desk.deliveries() == []


def test_what_many_wait_for_at_once_is_taken_from_the_index_one_by_one(
    company: Make, receiver: Receiver, services: Services
) -> None:
    route_id = Desk(company, session()).route(receiver.url).id
    values = {"tenant": company.tenant_id, "route": route_id, "now": utcnow()}
    session().execute(
        text(
            "INSERT INTO notification_delivery (tenant_id, id, route_id, event_id, kind, severity,"
            " payload, next_attempt_at) SELECT :tenant, gen_random_uuid(), :route,"
            " gen_random_uuid(), 'alert_opened', 'LOW', '{}', :now FROM generate_series(1, 3000)"
        ),
        values,
    )
    session().commit()
    owner = create_engine(services.admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("ANALYZE notification_delivery"))

    plan = session().scalars(text(f"EXPLAIN {deliveries._TAKE.text}"), values).all()
    assert any("ix_notification_delivery_due" in line for line in plan), "\n".join(plan)
    assert not [line for line in plan if "Sort" in line or "Seq Scan on notification_d" in line]
