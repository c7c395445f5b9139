"""Punches that are stored get their score: at once, soon, or by the sweep."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.attendance.ingest import store_punches
from noc.attendance.models import AttendanceEvent
from noc.attendance.voiding import void_punch
from noc.extensions import queue
from noc.fraud.listening import request_scoring, scoring_begins
from noc.fraud.models import PredictionLog
from noc.fraud.scoring import score_punches
from noc.monitoring import metrics
from tests.factories import NOW, Make
from tests.fraud import stories
from tests.fraud.stories import Guard, newcomer


def item(guard: Guard, number: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "external_id": f"item{number}",
        "person_id": guard.person.id,
        "site_id": guard.site.id,
        "kind": "in",
        "occurred_at": (NOW - dt.timedelta(minutes=number)).isoformat(),
    } | values


def store(make: Make, items: list[dict[str, Any]], **kwargs: Any) -> Any:
    return store_punches(items, tenant_id=make.tenant_id, now=NOW, **kwargs)


def test_with_score_now_the_scores_ride_back(make: Make, session: Session) -> None:
    guard = newcomer(make)

    result = store(make, [item(guard, mock_location=True)], score_now=True)

    assert result.scores[0]["risk_level"] == "HIGH"
    assert result.scores[0]["reasons"][0]["rule"] == "GPS_SPOOFING"
    assert session.scalar(select(func.count()).select_from(PredictionLog)) == 1
    session.commit()
    assert queue("scoring").count == 0


def test_a_retry_with_score_now_gets_the_same_scores(make: Make) -> None:
    items = [item(newcomer(make), mock_location=True)]

    first = store(make, items, score_now=True)
    second = store(make, items, score_now=True)

    assert second.scores == first.scores


def test_what_cannot_be_scored_is_stored_and_the_others_are_answered(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = newcomer(make)
    (first,) = store(make, [item(guard, 0)]).items
    stories.refuse(monkeypatch, first["id"])

    result = store(make, [item(guard, n) for n in range(4)], score_now=True)

    assert (result.accepted, result.duplicates, result.rejected) == (3, 1, [])
    others = {one["id"] for one in result.items} - {first["id"]}
    assert {score["punch_id"] for score in result.scores} == others
    faulty = session.get_one(AttendanceEvent, (make.tenant_id, first["id"]))
    assert faulty.scored_at is None
    assert faulty.scoring_failures == 1
    assert faulty.score_again_at == NOW + dt.timedelta(hours=1)


def test_a_fault_that_stays_is_tried_ever_more_seldom(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (punch,) = store(make, [item(newcomer(make))]).items
    stories.refuse(monkeypatch, punch["id"])
    waits = []
    for _ in range(20):
        score_punches([punch["id"]], tenant_id=make.tenant_id, now=NOW)
        row = session.get_one(AttendanceEvent, (make.tenant_id, punch["id"]))
        session.refresh(row)
        assert row.score_again_at is not None
        waits.append((row.score_again_at - NOW) / dt.timedelta(hours=1))

    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 168


def test_a_voided_punch_sent_again_has_no_score(make: Make) -> None:
    items = [item(newcomer(make), mock_location=True)]
    (punch,) = store(make, items, score_now=True).items
    void_punch(punch["id"], reason="Wrong guard", user_id=None, now=NOW)

    assert store(make, items, score_now=True).scores == []


def test_a_burst_of_batches_makes_one_job_after_the_commit(make: Make, session: Session) -> None:
    guard = newcomer(make)
    for number in range(5):
        store(make, [item(guard, number)])
        assert queue("scoring").count == (1 if number else 0)
        session.commit()

    assert queue("scoring").count == 1
    job = queue("scoring").jobs[0]
    assert job.func_name == "jobs.scoring.score_tenant"
    assert job.args == [make.tenant_id]


def test_what_is_rolled_back_asks_for_no_job(make: Make, session: Session) -> None:
    guard = newcomer(make)
    session.commit()
    store(make, [item(guard)])
    session.rollback()

    assert queue("scoring").count == 0


def test_once_the_job_has_begun_new_punches_ask_for_another(make: Make) -> None:
    assert request_scoring(make.tenant_id) is True
    assert request_scoring(make.tenant_id) is False

    scoring_begins(make.tenant_id)

    assert request_scoring(make.tenant_id) is True
    assert request_scoring(make.tenant_id + 1) is True
    assert queue("scoring").count == 3


def test_without_redis_the_punch_is_stored_and_the_failure_counted(
    make: Make, session: Session, unreachable_redis: AbstractContextManager[None]
) -> None:
    guard = newcomer(make)
    session.commit()
    failures = metrics.FAILURES.labels("scoring_enqueue")
    before = failures._value.get()

    with unreachable_redis:
        store(make, [item(guard)])
        session.commit()

    assert session.scalars(select(AttendanceEvent.scored_at)).all() == [None]
    assert failures._value.get() == before + 1
