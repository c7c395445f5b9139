"""A real worker in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rq
from sqlalchemy import func, select, text, update

from jobs import maintenance
from jobs.scoring import score_tenant
from noc.alerts.models import Alert
from noc.attendance.models import AttendanceEvent
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import queue, redis_client, session
from noc.fraud.listening import request_scoring
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.monitoring import metrics
from tests.factories import Make
from tests.fraud.stories import newcomer, refuse
from tests.jobs.conftest import Start, stop, wait_for


def waiting_punches(company: Make, count: int = 3, **values: Any) -> list[int]:
    """Committed punches of one guard that nobody scored, one in fifty suspicious."""
    guard = newcomer(company)
    received = utcnow() - dt.timedelta(minutes=2)
    times = [received - dt.timedelta(minutes=n) for n in range(count)]
    plain = {"source": "import"} | values
    punches = [
        guard.row(moment, **plain, mock_location=n % 50 == 0) for n, moment in enumerate(times)
    ]
    session().add_all(punches)
    session().flush()
    ids = [punch.id for punch in punches]
    session().execute(text("UPDATE attendance_event SET received_at = :at"), {"at": received})
    session().commit()
    return ids


def unscored() -> int:
    session().rollback()
    query = select(func.count()).where(AttendanceEvent.scored_at.is_(None))
    return session().scalar(query.select_from(AttendanceEvent)) or 0


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def scored_once(ids: list[int]) -> bool:
    """Whether each of these, and nothing else, has one prediction; and each anomaly one alert."""
    session().rollback()
    predictions = session().scalars(select(PredictionLog.attendance_event_id)).all()
    alerts = session().scalars(select(AnomalyLog.alert_id)).all()
    assert alerts
    assert len(set(alerts)) == len(alerts) == session().scalar(select(func.count(Alert.id)))
    return sorted(predictions) == sorted(ids)


def test_it_scores_what_was_asked_for_and_stops_when_told(company: Make, start: Start) -> None:
    ids = waiting_punches(company)
    request_scoring(company.tenant_id)

    worker = start("jobs.worker", "--queues", "scoring,maintenance")
    wait_for(lambda: unscored() == 0, "scoring")
    log = lines(stop(worker))

    assert worker.returncode == 0
    assert scored_once(ids)
    done = next(line for line in log if line["event"] == "job_done")
    assert done["job"] == "jobs.scoring.score_tenant"
    assert done["job_id"].startswith(f"score-t{company.tenant_id}-")
    assert queue("scoring").count == 0
    assert queue("scoring").failed_job_registry.count == 0


def test_it_tells_the_request_that_led_to_the_job(company: Make, start: Start) -> None:
    waiting_punches(company, 1)
    queue("scoring").enqueue(
        "jobs.scoring.score_tenant", company.tenant_id, meta={"request_id": "r-42"}
    )

    worker = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() == 0, "scoring")

    done = [line for line in lines(stop(worker)) if line["event"] == "job_done"]
    assert [line["request_id"] for line in done] == ["r-42"]


def test_a_job_that_fails_does_not_stop_the_next(company: Make, start: Start) -> None:
    ids = waiting_punches(company)
    queue("scoring").enqueue("jobs.scoring.score_tenant", "no tenant", failure_ttl=60)
    request_scoring(company.tenant_id)

    worker = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() == 0, "scoring")

    assert scored_once(ids)
    assert "job_failed" in stop(worker)
    assert queue("scoring").failed_job_registry.count == 1


def test_a_job_that_would_have_to_be_unpickled_is_refused_and_the_next_is_done(
    company: Make, start: Start, tmp_path: Path
) -> None:
    ids = waiting_punches(company)
    trap = tmp_path / "unpickled"
    rq.Queue("scoring", connection=redis_client()).enqueue(os.mkdir, str(trap))
    request_scoring(company.tenant_id)

    worker = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() == 0, "scoring")

    log = lines(stop(worker))
    assert worker.returncode == 0
    assert scored_once(ids)
    assert [line["job"] for line in log if line["event"] == "job_failed"] == ["undecodable"]
    assert not trap.exists()


def test_killed_half_way_nothing_is_lost_or_doubled(company: Make, start: Start) -> None:
    ids = waiting_punches(company, 4_000)
    request_scoring(company.tenant_id)

    worker = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() < 4_000, "the first batch")
    worker.kill()
    worker.communicate()
    assert unscored() > 0
    redis_client().flushdb()

    with tenant_context(session(), None):
        session().rollback()
        assert maintenance.sweep() == 1
    second = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() == 0, "the sweep's job", 60)

    stop(second)
    assert scored_once(ids)


def test_told_to_stop_amid_a_backlog_it_ends_soon_and_leaves_a_job(
    company: Make, start: Start
) -> None:
    waiting_punches(company, 6_000)
    request_scoring(company.tenant_id)

    worker = start("jobs.worker", "--queues", "scoring")
    wait_for(lambda: unscored() < 6_000, "the first batch")
    stop(worker)

    assert worker.returncode == 0
    assert 0 < unscored() < 6_000
    assert queue("scoring").count == 1


def test_a_queue_that_does_not_exist_is_refused(start: Start) -> None:
    worker = start("jobs.worker", "--queues", "scoring,gossip")
    _, log = worker.communicate(timeout=30)

    assert worker.returncode == 1
    assert "no queue gossip" in log


class TestFaultyPunches:
    def test_one_that_cannot_be_scored_holds_up_no_other(
        self, company: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = waiting_punches(company, 5)
        refuse(monkeypatch, ids[2])

        assert score_tenant(company.tenant_id) == 4

        assert scored_once([punch for punch in ids if punch != ids[2]])
        assert unscored() == 1

    def test_it_is_left_alone_until_its_time_comes(
        self, company: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = waiting_punches(company, 3)
        failures = metrics.FAILURES.labels("fraud_scoring")
        before = failures._value.get()
        refuse(monkeypatch, ids[0])
        score_tenant(company.tenant_id)

        with tenant_context(session(), None):
            session().rollback()
            assert maintenance.sweep() == 0
        assert score_tenant(company.tenant_id) == 0
        assert failures._value.get() == before + 1

    def test_it_is_scored_once_the_fault_is_mended_and_its_time_has_come(
        self, company: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = waiting_punches(company, 3)
        with monkeypatch.context() as broken:
            refuse(broken, ids[0])
            score_tenant(company.tenant_id)
        with tenant_context(session(), company.tenant_id):
            hour_ago = utcnow() - dt.timedelta(hours=1)
            session().execute(
                update(AttendanceEvent)
                .where(AttendanceEvent.id == ids[0])
                .values(score_again_at=AttendanceEvent.score_again_at - (utcnow() - hour_ago))
            )
            session().commit()

        assert score_tenant(company.tenant_id) == 1
        assert scored_once(ids)


def test_a_worker_begins_without_what_only_pages_and_training_need() -> None:
    heavy = ("dash", "plotly", "pandas", "sklearn", "xgboost", "scipy")
    command = (
        "import sys, jobs.worker, jobs.scheduler, jobs.scoring, noc.cli; noc.cli.build(); "
        f"print(sorted(sys.modules.keys() & set({heavy})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_worker_opens_no_connection() -> None:
    command = "import jobs.worker, jobs.scheduler, jobs.scoring, jobs.maintenance"
    subprocess.run([sys.executable, "-c", command], check=True, timeout=60)
