"""Training as a run: asked for, carried out, ended with a reason, taken up again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from rq.timeouts import JobTimeoutException
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from jobs import stopping, training
from noc.database.base import utcnow
from noc.extensions import queue
from noc.fraud.registry import serving
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import pipeline, promotion, runs
from noc.fraud.retraining.signals import training_keeps_failing
from noc.identity import tenants
from noc.runs import asking, following
from noc.runs.models import JobRun
from tests.factories import Make
from tests.fraud.labelled import labelled

_NO_LABELS = text(
    "UPDATE fraud_prediction_log SET actual_fraud_detected = NULL, label_source = NULL, "
    "labelled_at = NULL"
)


@pytest.fixture(autouse=True)
def _nothing_left_over() -> Iterator[None]:
    serving.forget()
    yield
    stopping.forget_stop()


def ask(make: Make, **values: Any) -> JobRun:
    run, _ = runs.ask(tenant_id=make.tenant_id, trigger="manual", now=utcnow(), **values)
    make.session.commit()
    return run


def carry_out(make: Make) -> JobRun:
    run = ask(make)
    runs.carry_out(run.id, tenant_id=make.tenant_id, now=utcnow())
    make.session.refresh(run)
    return run


def test_it_is_queued_after_the_commit_and_a_worker_does_it(make: Make) -> None:
    labelled(make, 150, now=utcnow())
    run, _ = runs.ask(tenant_id=make.tenant_id, trigger="manual", now=utcnow(), days=90)
    assert queue("ml_queue").count == 0
    make.session.commit()

    (job,) = queue("ml_queue").jobs
    assert job.func_name == "jobs.training.run"
    assert training.run(*job.args) == "succeeded"
    make.session.refresh(run)
    assert (run.state, run.progress, run.parameters["days"]) == ("succeeded", 1, 90)
    assert run.result["version"] == "v1"
    assert "v1 watches" in str(run.reason)
    # Again, by a worker that has the same job: nothing happens.
    assert training.run(*job.args) is None
    assert make.session.scalar(select(func.count()).select_from(FraudModel)) == 1


def test_too_few_verdicts_are_a_reason(make: Make) -> None:
    run = carry_out(make)

    assert run.state == "refused"
    assert "0 punches have a verdict; a model needs 100" in str(run.reason)


def test_what_nobody_thought_of_is_a_reason_too(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(pipeline, "train", broken)

    run = carry_out(make)

    assert (run.state, run.reason) == ("failed", "ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (JobTimeoutException("3600 s"), "failed", "longer than the hour"),
        (DataError("SELECT a\n:b", {}, ValueError("out of range")), "failed", "DataError"),
        (MemoryError(), "failed", "MemoryError: no more is known"),
        (KeyboardInterrupt(), "cancelled", "the old model stays"),
    ],
)
def test_whatever_ends_it_it_ends(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    state: str,
    reason: str,
) -> None:
    def broken(**_: Any) -> None:
        raise error

    monkeypatch.setattr(pipeline, "train", broken)

    run = carry_out(make)

    assert run.state == state
    assert reason in str(run.reason)
    assert "SELECT" not in str(run.reason)


def test_one_that_kills_its_process_each_time_is_a_failure(make: Make) -> None:
    run = ask(make)
    for minutes in (9, 6, 3):
        begun = utcnow() - dt.timedelta(minutes=minutes)
        assert following.begin(run.id, tenant_id=make.tenant_id, now=begun) is not None
    make.session.commit()

    assert training.take_up() == 0
    make.session.refresh(run)
    assert run.state == "failed"
    assert training.take_up() == 0


def test_queued_again_while_it_waits_it_waits_once(make: Make) -> None:
    run = ask(make)
    assert runs.enqueue(run.id, tenant_id=make.tenant_id)
    assert queue("ml_queue").count == 1


def test_a_tenant_that_fails_keeps_no_other_from_its_turn(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants.create_tenant("second", "Second Guarding")
    make.session.commit()

    def broken(*, tenant_id: int, **_: Any) -> None:
        if tenant_id == make.tenant_id:
            raise LookupError("no such thing")

    monkeypatch.setattr(promotion, "judge_shadows", broken)

    assert training.daily() == 2


def test_cancelled_half_way_it_leaves_nothing(make: Make, session: Session) -> None:
    labelled(make, 150, now=utcnow())
    run = ask(make)

    def cancel(stage: str, share: float) -> None:
        if share > 0.2:
            asking.cancel(run.id, tenant_id=make.tenant_id, now=utcnow())

    state = runs.carry_out(run.id, tenant_id=make.tenant_id, now=utcnow(), also=cancel)

    assert state == "cancelled"
    assert session.scalar(select(func.count()).select_from(FraudModel)) == 0


def test_cancelled_in_the_last_moment_it_leaves_nothing_either(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(make, 600, now=utcnow())
    run = ask(make)
    trained = pipeline.train

    def then_cancelled(**values: Any) -> Any:
        made = trained(**values)
        asking.cancel(run.id, tenant_id=make.tenant_id, now=utcnow())
        return made

    monkeypatch.setattr(pipeline, "train", then_cancelled)

    # The wish is this very transaction's here, and goes with it: what counts is that nothing of
    # the version is committed.
    assert runs.carry_out(run.id, tenant_id=make.tenant_id, now=utcnow()) == "cancelled"
    assert session.scalar(select(func.count()).select_from(FraudModel)) == 0


def test_a_training_that_found_nothing_new_is_not_repeated_each_night(make: Make) -> None:
    labelled(make, 150, now=utcnow())
    carry_out(make)
    model = make.session.scalars(select(FraudModel)).one()
    model.created_at -= dt.timedelta(days=7)
    make.session.execute(update(JobRun).values(requested_at=utcnow() - dt.timedelta(days=7)))
    make.session.commit()
    assert runs.due(tenant_id=make.tenant_id, now=utcnow())
    assert "Nothing new to learn" in str(carry_out(make).reason)
    assert not runs.due(tenant_id=make.tenant_id, now=utcnow())


def test_a_worker_that_stops_leaves_it_to_another(make: Make) -> None:
    labelled(make, 150, now=utcnow())
    run = ask(make)
    queue("ml_queue").empty()
    stopping.request_stop()
    assert training.run(make.tenant_id, str(run.id)) == "queued"
    (job,) = queue("ml_queue").jobs
    stopping.forget_stop()

    assert training.run(*job.args) == "succeeded"


def test_one_that_another_process_took_up_keeps_its_hands_off(make: Make, session: Session) -> None:
    labelled(make, 150, now=utcnow())
    run = ask(make)
    later = utcnow() + dt.timedelta(minutes=5)

    def taken(stage: str, share: float) -> None:
        if share > 0.9:
            following.begin(run.id, tenant_id=make.tenant_id, now=later)

    state = runs.carry_out(run.id, tenant_id=make.tenant_id, now=utcnow(), also=taken)

    assert state is None
    assert session.scalar(select(func.count()).select_from(FraudModel)) == 0
    session.refresh(run)
    assert run.state == "running"


def test_without_redis_it_waits_and_the_sweep_queues_it(
    make: Make, unreachable_redis: AbstractContextManager[None]
) -> None:
    with unreachable_redis:
        run = ask(make)
    assert (run.state, queue("ml_queue").count) == ("queued", 0)
    run.requested_at = utcnow() - dt.timedelta(minutes=3)
    make.session.commit()

    assert training.take_up() == 1
    assert queue("ml_queue").count == 1
    assert training.take_up() == 0


def test_a_killed_process_is_noticed(make: Make) -> None:
    run = ask(make)
    queue("ml_queue").empty()
    following.begin(run.id, tenant_id=make.tenant_id, now=utcnow() - dt.timedelta(minutes=3))
    make.session.commit()

    assert training.take_up() == 1
    (job,) = queue("ml_queue").jobs
    assert training.run(*job.args) == "refused"


def test_daily_whose_model_is_a_week_old(make: Make) -> None:
    make.session.commit()
    assert training.daily() == 1
    assert training.daily() == 0
    (job,) = queue("ml_queue").jobs
    labelled(make, 150, now=utcnow())
    assert training.run(*job.args) == "succeeded"
    assert training.daily() == 0
    model = make.session.scalars(select(FraudModel)).one()
    model.created_at -= dt.timedelta(days=7)
    make.session.execute(update(JobRun).values(requested_at=utcnow() - dt.timedelta(days=7)))
    make.session.commit()
    assert training.daily() == 1
    assert make.session.scalars(select(JobRun.trigger).order_by(JobRun.requested_at)).all() == [
        "schedule",
        "schedule",
    ]


def test_two_failures_in_a_row_are_told_once(make: Make) -> None:
    told: list[list[str]] = []

    def listen(_: Any, *, reasons: list[str], **__: Any) -> None:
        told.append(reasons)

    with training_keeps_failing.connected_to(listen):
        carry_out(make)
        assert told == []
        carry_out(make)
        carry_out(make)
        assert len(told) == 1
        labelled(make, 600, now=utcnow())
        assert carry_out(make).result["passed"] is True
        serving.forget()
        make.session.execute(_NO_LABELS)
        make.session.commit()
        carry_out(make)
        assert len(told) == 1
        carry_out(make)
    assert [len(reasons) for reasons in told] == [2, 2]
    assert "have a verdict" in told[1][0]
