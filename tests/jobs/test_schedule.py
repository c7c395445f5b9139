"""The schedule is registered as declared, however often and whatever happened to it."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from rq.utils import import_attribute
from sqlalchemy.orm import Session

from jobs import schedule
from jobs.schedule import SCHEDULE, Entry, NocScheduler, trigger
from noc.extensions import QUEUES, PlainJob, queue, redis_client
from tests.factories import NOW
from tests.jobs.conftest import Start, stop, wait_for


@pytest.fixture
def scheduler(session: Session) -> NocScheduler:
    return NocScheduler(
        queue_name="maintenance", connection=redis_client(), interval=5, job_class=PlainJob
    )


def due(scheduler: NocScheduler) -> dict[str, dt.datetime]:
    return {job.id: moment for job, moment in scheduler.get_jobs(with_times=True)}


@pytest.mark.parametrize("entry", SCHEDULE, ids=lambda entry: entry.name)
def test_what_is_declared_exists(entry: Entry) -> None:
    assert callable(import_attribute(entry.job))
    assert callable(import_attribute(schedule.TRIGGER))
    assert entry.queue in QUEUES


def test_the_table_of_the_documents_is_the_schedule() -> None:
    rows = (Path(__file__).parents[2] / "docs" / "operations.md").read_text().splitlines()
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    names = {entry.name for entry in SCHEDULE}
    written = {row[0]: row[1] for row in cells if len(row) == 3 and row[0] in names}

    assert written == {entry.name: entry.cron for entry in SCHEDULE}


def test_registering_again_and_again_moves_nothing(scheduler: NocScheduler) -> None:
    scheduler.enqueue_jobs()
    first = due(scheduler)
    for _ in range(3):
        scheduler.enqueue_jobs()

    assert set(first) == {entry.id for entry in SCHEDULE}
    assert due(scheduler) == first


def test_times_are_utc(scheduler: NocScheduler) -> None:
    scheduler.enqueue_jobs()

    assert due(scheduler)["schedule-profiles"].time() == dt.time(1, 0)


def test_a_lost_entry_and_a_lost_job_come_back(scheduler: NocScheduler) -> None:
    scheduler.enqueue_jobs()
    redis_client().zrem(scheduler.scheduled_jobs_key, "schedule-sweep")
    PlainJob.fetch("schedule-profiles", connection=redis_client()).delete()

    scheduler.enqueue_jobs()

    assert set(due(scheduler)) == {entry.id for entry in SCHEDULE}


def test_a_changed_entry_is_registered_anew_and_a_removed_one_goes(
    scheduler: NocScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.enqueue_jobs()
    changed = Entry("profiles", "30 4 * * *", "jobs.maintenance.refresh_profiles")
    monkeypatch.setattr(schedule, "SCHEDULE", (changed,))

    scheduler.enqueue_jobs()

    assert set(due(scheduler)) == {"schedule-profiles"}
    assert due(scheduler)["schedule-profiles"].time() == dt.time(4, 30)


def test_what_is_due_is_enqueued_and_scheduled_again(scheduler: NocScheduler) -> None:
    scheduler.enqueue_jobs()
    redis_client().zadd(scheduler.scheduled_jobs_key, {"schedule-sweep": 1})

    scheduler.enqueue_jobs()

    assert queue("maintenance").job_ids == ["schedule-sweep"]
    assert due(scheduler)["schedule-sweep"] > dt.datetime.now(dt.UTC).replace(tzinfo=None)


def test_a_trigger_enqueues_its_work_once_a_minute(session: Session) -> None:
    triggered = [
        trigger("sweep", NOW),
        trigger("sweep", NOW + dt.timedelta(seconds=59)),
        trigger("sweep", NOW + dt.timedelta(seconds=60)),
    ]

    assert triggered == [True, False, True]
    assert [job.func_name for job in queue("maintenance").jobs] == ["jobs.maintenance.sweep"] * 2


def test_an_entry_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError):
        trigger("gossip", NOW)


def test_a_scheduler_in_another_zone_registers_the_same_and_gives_its_lock_back(
    session: Session, start: Start
) -> None:
    process = start("jobs.scheduler", TZ="America/New_York")
    client = redis_client()
    wait_for(lambda: client.zcard("rq:scheduler:scheduled_jobs") == len(SCHEDULE), "registering")
    wait_for(lambda: not client.exists("rq:scheduler_lock"), "the end of a pass")

    log = stop(process)

    assert process.returncode == 0
    assert "scheduler_stopped" in log
    assert next_run(client, "schedule-profiles").time() == dt.time(1, 0)
    assert not client.exists("rq:scheduler_lock")


def test_the_trigger_and_its_work_run_in_a_worker(session: Session, start: Start) -> None:
    asked = queue("maintenance").enqueue(schedule.TRIGGER, "partitions")

    worker = start("jobs.worker", "--queues", "maintenance")
    wait_for(lambda: asked.get_status() == "finished", "the trigger")
    log = [json.loads(line) for line in stop(worker).splitlines() if line.startswith("{")]

    assert "jobs.schedule.trigger" in jobs_done(log)


def jobs_done(log: list[dict[str, Any]]) -> list[str]:
    return [line["job"] for line in log if line["event"] == "job_done"]


def next_run(client: Redis, job_id: str) -> dt.datetime:
    score: Any = client.zscore("rq:scheduler:scheduled_jobs", job_id)
    return dt.datetime.fromtimestamp(score, dt.UTC)


def test_jobs_are_kept_as_json_and_never_as_pickle(session: Session) -> None:
    job = queue("maintenance").enqueue("jobs.maintenance.sweep", args=[1], kwargs={"now": None})
    kept = zlib.decompress(cast(bytes, redis_client().hget(job.key, "data")))
    assert json.loads(kept) == ["jobs.maintenance.sweep", None, [1], {"now": None}]
