"""Workers that run at once, answers that come at the same moment, and processes that are killed."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, text

from jobs import on_call as jobs
from jobs.schedule import trigger
from noc.alerts import lifecycle
from noc.database.base import utcnow
from noc.extensions import queue, redis_client, session
from noc.notifications import addressed
from noc.oncall import escalation, policies, schedules
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant, until_somebody_waits
from tests.factories import NOW, Make
from tests.jobs.conftest import Start, start, stop, wait_for
from tests.notifications.conftest import Inbox, inbox, smtp
from tests.oncall.conftest import MINUTE, Room, at

__all__ = ["inbox", "smtp", "start"]


@pytest.fixture
def crowd(app: APIFlask, services: Services) -> Iterator[Room]:
    """A control room whose rows every connection sees."""
    with committed_tenant(app, services) as make:
        redis_client().flushdb()
        yield Room(make, session())
        redis_client().flushdb()


def somebody(room: Room) -> int:
    """A user, committed."""
    user = room.make.user("operator", email=f"crowd{room.make.tenant_id}@acme.example").id
    session().commit()
    return user


def test_sixteen_workers_tell_once(app: APIFlask, crowd: Room) -> None:
    crowd.policy({"after_minutes": 5, "schedules": [crowd.schedule(somebody(crowd))]})
    alert = crowd.alert()

    def work() -> int:
        return len([*iter(lambda: escalation.take_next(now=at(5)), None)])

    assert sum(at_once(app, crowd.make.tenant_id, [work] * 16)) == 1
    session().commit()
    assert len(crowd.told()) == len(crowd.history(alert)) == 1


def test_sixteen_workers_share_what_is_due(app: APIFlask, crowd: Room) -> None:
    crowd.policy({"after_minutes": 5, "users": [somebody(crowd)]})
    alerts = [crowd.alert() for _ in range(40)]
    tenant_id = crowd.make.tenant_id

    def work() -> int:
        return jobs._of_tenant(tenant_id, time.monotonic() + 60)

    assert sum(at_once(app, tenant_id, [work] * 16)) == 40
    session().commit()
    assert len(crowd.told()) == 40
    assert [len(crowd.history(alert)) for alert in alerts] == [1] * 40


@pytest.mark.parametrize("round_", range(8))
def test_an_answer_at_the_moment_of_the_job_comes_before_the_call_or_after_it(
    app: APIFlask, crowd: Room, round_: int
) -> None:
    user = somebody(crowd)
    crowd.policy({"after_minutes": 5, "users": [user]}, {"after_minutes": 5, "users": [user]})
    alerts = [crowd.alert() for _ in range(6)]

    def answer() -> int:
        for alert in alerts:
            lifecycle.acknowledge(alert, user_id=user, now=at(5))
            session().commit()
        return -1

    def work() -> int:
        taken = 0
        for _ in range(30):
            while escalation.take_next(now=at(5)):
                session().commit()
                taken += 1
            session().rollback()
        return taken

    at_once(app, crowd.make.tenant_id, [answer, work, work])
    session().commit()
    assert crowd.states() == ["answered"] * 6
    for alert in alerts:
        actions = list(
            session().scalars(
                text("SELECT action FROM noc_alert_change WHERE alert_id = :id ORDER BY id"),
                {"id": alert},
            )
        )
        assert actions in (
            ["created", "acknowledge"],
            ["created", "escalated", "acknowledge"],
        ), "nobody is called after the answer"
    before = len(crowd.told())
    assert crowd.work(60) == []
    assert len(crowd.told()) == before


def test_whoever_answers_while_a_step_is_taken_waits_for_it_and_then_ends_it(
    app: APIFlask, crowd: Room
) -> None:
    user = somebody(crowd)
    crowd.policy({"after_minutes": 5, "users": [user]})
    alert = crowd.alert()
    taken, asked = threading.Event(), threading.Event()

    def work() -> str:
        done = escalation.take_next(now=at(5))
        taken.set()
        asked.wait(20)
        return done.outcome if done else ""

    def answer() -> str:
        taken.wait(20)
        asked.set()
        lifecycle.acknowledge(alert, user_id=user, now=at(5))
        return "answered"

    assert at_once(app, crowd.make.tenant_id, [work, answer]) == ["told", "answered"]
    session().commit()
    assert crowd.states() == ["answered"]


def test_while_somebody_answers_the_job_waits_for_nobody_and_calls_nobody(
    app: APIFlask, crowd: Room
) -> None:
    user = somebody(crowd)
    crowd.policy({"after_minutes": 5, "users": [user]})
    alert, other = crowd.alert(), crowd.alert()
    answering, worked = threading.Event(), threading.Event()

    def answer() -> list[str]:
        lifecycle.acknowledge(alert, user_id=user, now=at(5))
        answering.set()
        assert worked.wait(20)
        return []

    def work() -> list[str]:
        answering.wait(20)
        outcomes = []
        while done := escalation.take_next(now=at(5)):
            outcomes.append(done.outcome)
        worked.set()
        return outcomes

    assert at_once(app, crowd.make.tenant_id, [answer, work])[1] == ["told"]
    session().commit()
    assert (len(crowd.history(alert)), len(crowd.history(other))) == (0, 1)


def test_many_who_need_the_way_to_a_person_for_the_first_time_make_one(
    app: APIFlask, crowd: Room
) -> None:
    user = somebody(crowd)
    found = at_once(app, crowd.make.tenant_id, [lambda: addressed.ways_to([user])] * 16)
    assert len({tuple(one[user]) for one in found}) == 1


def test_a_policy_that_is_removed_meanwhile_takes_no_alert_down(app: APIFlask, crowd: Room) -> None:
    key = crowd.policy({"after_minutes": 5, "users": [somebody(crowd)]})
    tenant_id = crowd.make.tenant_id
    removed = threading.Event()

    def remove() -> str:
        policies.remove(key, now=NOW)
        removed.set()
        until_somebody_waits()
        return "removed"

    def report() -> str:
        removed.wait(20)
        Room(Make(session(), tenant_id), session()).alert()
        return "reported"

    assert at_once(app, tenant_id, [remove, report]) == ["removed", "reported"]
    session().commit()
    assert crowd.runs() == []


def test_a_policy_is_removed_while_a_group_ends_one_escalation_and_begins_another(
    app: APIFlask, crowd: Room
) -> None:
    key = crowd.policy({"after_minutes": 5, "users": [somebody(crowd)]})
    over, tenant_id = crowd.alert(), crowd.make.tenant_id
    ended = threading.Event()

    def take_group() -> str:
        lifecycle.resolve(over, resolution="FIXED", user_id=None, now=NOW)
        ended.set()
        until_somebody_waits()
        Room(Make(session(), tenant_id), session()).alert()
        return "taken"

    def remove() -> str:
        ended.wait(20)
        policies.remove(key, now=NOW)
        return "removed"

    assert at_once(app, tenant_id, [take_group, remove]) == ["taken", "removed"]
    session().commit()
    assert [run.reason for run in crowd.runs()] == ["resolve", "policy_removed"]


def test_a_schedule_is_not_deleted_from_under_a_policy_that_is_being_made(
    app: APIFlask, crowd: Room
) -> None:
    watch = crowd.schedule(somebody(crowd))
    made = threading.Event()

    def make_policy() -> str:
        body = policies.PolicyIn(
            name="x", position=1, min_severity="INFO",
            steps=[{"after_minutes": 1, "schedules": [watch]}],
        )  # fmt: skip
        policies.create(body, now=NOW)
        made.set()
        until_somebody_waits()
        return "made"

    def remove() -> str:
        made.wait(20)
        try:
            schedules.remove(watch)
        except schedules.Problem as problem:
            session().rollback()
            return str(problem.status)
        return "removed"

    assert at_once(app, crowd.make.tenant_id, [make_policy, remove]) == ["made", "409"]


def test_a_worker_that_dies_before_its_commit_leaves_it_to_the_next(crowd: Room) -> None:
    crowd.policy({"after_minutes": 5, "users": [somebody(crowd)]})
    alert = crowd.alert()
    assert escalation.take_next(now=at(5)) is not None
    session().rollback()
    assert (crowd.told(), crowd.history(alert), queue("reports").count) == ([], [], 0)
    assert crowd.work(5) == ["told"]
    assert len(crowd.told()) == 1


def test_from_the_minutes_trigger_to_the_mail(
    crowd: Room, start: Start, inbox: Inbox, smtp: str
) -> None:
    user = somebody(crowd)
    crowd.policy({"after_minutes": 1, "schedules": [crowd.schedule(user)]})
    now = utcnow()
    alert = crowd.alert(minute=(now - dt.timedelta(minutes=1) - NOW) / MINUTE)
    worker = start("jobs.worker", "--queues", "escalation,reports", SMTP_URL=smtp)
    assert trigger("on_call", now)
    assert not trigger("on_call", now), "once a minute"
    wait_for(lambda: inbox.taken, "the mail")
    stop(worker)
    ((recipients, mail),) = inbox.taken
    assert recipients == [f"crowd{crowd.make.tenant_id}@acme.example"]
    assert "CRITICAL alert waits for an answer" in str(mail["Subject"])
    session().rollback()
    assert len(crowd.history(alert)) == 1


def test_a_killed_worker_has_told_each_once_or_not_at_all(
    crowd: Room, start: Start, services: Services
) -> None:
    crowd.policy({"after_minutes": 0, "users": [somebody(crowd)]})
    due = utcnow() - dt.timedelta(minutes=1)
    alerts = [crowd.alert(minute=(due - NOW) / MINUTE) for _ in range(300)]

    def enqueue() -> None:
        queue("escalation").enqueue("jobs.on_call.escalate", job_timeout=60)

    def told() -> int:
        session().rollback()
        return len(crowd.told())

    enqueue()
    # Somebody is at work on half of them: however fast the worker is, it is killed before the end.
    with create_engine(services.admin_url, poolclass=NullPool).begin() as owner:
        owner.execute(
            text("SELECT FROM noc_alert_event WHERE id = ANY(:held) FOR NO KEY UPDATE"),
            {"held": alerts[150:]},
        )
        worker = start("jobs.worker", "--queues", "escalation")
        wait_for(lambda: told() > 5, "the first steps")
        worker.kill()
        worker.wait()
    assert told() <= 150
    redis_client().flushdb()

    enqueue()
    worker = start("jobs.worker", "--queues", "escalation")
    wait_for(lambda: told() == 300, "the rest")
    stop(worker)
    assert {len(crowd.history(alert)) for alert in alerts} == {1}
    assert told() == 300
