"""A run is open once, begun once, and never lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.events.models import EventLog
from noc.extensions import session as current
from noc.runs import asking, following
from noc.runs.following import RunCancelled, RunLost
from noc.runs.models import JobRun
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)
NAME = "fraud_training"


def ask(make: Make, now: dt.datetime = NOW) -> tuple[JobRun, bool]:
    run, created = asking.request(
        NAME,
        tenant_id=make.tenant_id,
        trigger="manual",
        parameters={"days": 30},
        requested_by=None,
        now=now,
    )
    current().commit()
    return run, created


def begin(make: Make, run: JobRun, now: dt.datetime = NOW) -> JobRun | None:
    begun = following.begin(run.id, tenant_id=make.tenant_id, now=now)
    current().commit()
    return begun


def of(make: Make, now: dt.datetime = NOW, started_at: dt.datetime = NOW) -> dict[str, Any]:
    return {"tenant_id": make.tenant_id, "started_at": started_at, "now": now}


def test_its_life_is_told_on_the_feed(make: Make, session: Session) -> None:
    run, _ = ask(make)
    begin(make, run)
    following.beat(run.id, 0.4, "choosing", **of(make))
    session.commit()
    assert following.end(run.id, "succeeded", reason="v1 watches.", **of(make))
    session.commit()

    told = session.scalars(
        select(EventLog.payload).where(EventLog.event_type == "job_updated").order_by(EventLog.seq)
    ).all()
    assert [(event["state"], event["progress"]) for event in told] == [
        ("queued", 0),
        ("running", 0),
        ("running", 0.4),
        ("succeeded", 1),
    ]
    assert {event["name"] for event in told} == {NAME}
    assert told[-1]["reason"] == "v1 watches."


def test_whoever_asks_meanwhile_is_given_the_open_one(make: Make) -> None:
    first, created = ask(make)
    again, new = ask(make, NOW + MINUTE)
    assert (created, new, again.id) == (True, False, first.id)
    begin(make, first)
    assert ask(make)[0].id == first.id
    following.end(first.id, "refused", reason="Too few.", **of(make))
    assert ask(make)[1] is True


def test_another_name_is_another_run(make: Make) -> None:
    ask(make)
    _, created = asking.request(
        "export", tenant_id=make.tenant_id, trigger="manual", parameters={}, requested_by=None,
        now=NOW,
    )  # fmt: skip
    assert created


def test_it_is_begun_once_and_taken_up_when_its_process_is_silent(make: Make) -> None:
    run, _ = ask(make)
    assert begin(make, run) is not None
    assert begin(make, run, NOW + MINUTE) is None
    later = NOW + 3 * MINUTE
    assert begin(make, run, later) is not None
    # The first process is not dead, only slow: it hears that the run is another's.
    with pytest.raises(RunLost):
        following.beat(run.id, 0.5, "fitting", **of(make, later))
    assert not following.end(run.id, "succeeded", **of(make, later))


def test_one_that_ends_its_process_each_time_is_given_up(make: Make, session: Session) -> None:
    run, _ = ask(make)
    moments = [NOW + 3 * n * MINUTE for n in range(following.ATTEMPTS)]
    for moment in moments:
        assert following.give_up(NAME, tenant_id=make.tenant_id, now=moment) is None
        assert begin(make, run, moment) is not None
    later = moments[-1] + 3 * MINUTE
    assert begin(make, run, later) is None
    assert following.take_back(NAME, tenant_id=make.tenant_id, now=later) is None

    ended = following.give_up(NAME, tenant_id=make.tenant_id, now=later)

    assert ended is not None
    assert (ended.state, ended.attempts) == ("failed", 3)
    assert "begun 3 times" in str(ended.reason)
    assert ask(make, later)[1] is True


def test_being_put_back_is_no_attempt(make: Make) -> None:
    run, _ = ask(make)
    for _ in range(5):
        assert begin(make, run) is not None
        assert following.put_back(run.id, **of(make))


def test_the_feed_need_not_hear_of_each_sign_of_life(make: Make, session: Session) -> None:
    run, _ = ask(make)
    begin(make, run)
    following.beat(run.id, 0.4, "choosing", announce=False, **of(make))
    session.commit()

    told = session.scalar(select(func.count()).where(EventLog.event_type == "job_updated"))
    assert (told, run.progress, run.stage) == (2, 0.4, "choosing")


def test_progress_never_goes_back(make: Make, session: Session) -> None:
    run, _ = ask(make)
    begin(make, run)
    for share in (0.5, 0.2, 7.0):
        following.beat(run.id, share, "fitting", **of(make))
    assert session.scalar(select(JobRun.progress)) == 1


def test_cancelling_ends_one_that_waits_and_asks_one_under_way(make: Make) -> None:
    waiting, _ = ask(make)
    ended = asking.cancel(waiting.id, tenant_id=make.tenant_id, now=NOW)
    assert ended is not None
    assert ended.state == "cancelled"
    running, _ = ask(make)
    begin(make, running)
    asked = asking.cancel(running.id, tenant_id=make.tenant_id, now=NOW)
    assert asked is not None
    assert asked.state == "running"
    with pytest.raises(RunCancelled):
        following.beat(running.id, 0.1, "fitting", **of(make))
    assert asking.cancel(uuid.uuid4(), tenant_id=make.tenant_id, now=NOW) is None


def test_one_that_is_over_stays_as_it_ended(make: Make) -> None:
    run, _ = ask(make)
    begin(make, run)
    following.end(run.id, "failed", reason="Broke.", **of(make))
    again = asking.cancel(run.id, tenant_id=make.tenant_id, now=NOW)

    assert again is not None
    assert (again.state, again.reason) == ("failed", "Broke.")
    assert begin(make, run) is None


def test_one_left_alone_waits_anew_once_in_two_minutes(make: Make) -> None:
    run, _ = ask(make)

    def back(now: dt.datetime) -> uuid.UUID | None:
        return following.take_back(NAME, tenant_id=make.tenant_id, now=now)

    assert back(NOW + MINUTE) is None
    assert back(NOW + 3 * MINUTE) == run.id
    assert back(NOW + 4 * MINUTE) is None
    begin(make, run, NOW + 4 * MINUTE)
    assert back(NOW + 5 * MINUTE) is None
    assert back(NOW + 7 * MINUTE) == run.id
    assert run.state == "queued"


def test_a_process_that_stops_puts_it_back(make: Make) -> None:
    run, _ = ask(make)
    begin(make, run)
    assert following.put_back(run.id, **of(make))
    assert (run.state, run.progress) == ("queued", 0)
    assert not following.put_back(run.id, **of(make))


@pytest.fixture
def house(app: APIFlask, services: Services) -> Iterator[Make]:
    """A tenant that every connection sees."""
    with committed_tenant(app, services) as make:
        yield make


def test_of_sixteen_who_ask_at_once_one_makes_the_run_and_one_begins_it(
    app: APIFlask, house: Make
) -> None:
    current().commit()

    def work() -> tuple[bool, bool]:
        run, created = ask(house)
        run_id = run.id
        begun = following.begin(run_id, tenant_id=house.tenant_id, now=NOW)
        return created, begun is not None

    outcomes = at_once(app, house.tenant_id, [work] * 16)

    assert sum(created for created, _ in outcomes) == 1
    assert sum(begun for _, begun in outcomes) == 1
    assert current().scalar(select(func.count()).select_from(JobRun)) == 1
