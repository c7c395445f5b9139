"""The queues behind the pages: how deep they are, who works, what comes next, and what failed.

Queues are shared by all tenants: of them only numbers are told. A failed job is told to, and sent
again by, the tenant whose id is its first argument; those of no tenant are the platform's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple, cast

from rq import Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job

from noc.extensions import QUEUES, PlainJob, queue, redis_client
from noc.identity.trail import Target, record
from noc.monitoring.queues import SCHEDULED_JOBS
from noc.rest.problems import not_found

LOOKED_AT = 200
"""Failed jobs of a queue that are looked through, the latest."""

_SCHEDULE = "schedule-"


class Depth(NamedTuple):
    """A queue: jobs that wait, are under way, and failed in the last week."""

    name: str
    waiting: int
    started: int
    failed: int


class Entry(NamedTuple):
    """Something that is done again and again: its times (cron, UTC), and the next of them."""

    name: str
    cron: str
    next_at: dt.datetime


class Failed(NamedTuple):
    """A job that failed: what it was to do, when it ended, and the last line of the trouble."""

    id: str
    queue: str
    job: str
    ended_at: dt.datetime | None
    reason: str
    ours: bool


def depths() -> list[Depth]:
    """Every queue. RedisError where Redis is away."""
    return [
        Depth(
            name,
            queue(name).count,
            queue(name).started_job_registry.get_job_count(cleanup=False),
            queue(name).failed_job_registry.get_job_count(cleanup=False),
        )
        for name in QUEUES
    ]


def workers() -> dict[str, int]:
    """How many workers are in each state: ``idle``, ``busy``, ``suspended``."""
    states: dict[str, int] = {}
    for worker in Worker.all(connection=redis_client()):
        state = str(worker.get_state())
        states[state] = states.get(state, 0) + 1
    return states


def schedule() -> list[Entry]:
    """What is done again and again, the next first. Read from where the scheduler keeps it."""
    found = cast(
        "list[tuple[bytes, float]]",
        redis_client().zrange(SCHEDULED_JOBS, 0, -1, withscores=True),
    )
    times = {key.decode(): at for key, at in found}
    entries = []
    for job in _fetched([key for key in times if key.startswith(_SCHEDULE)]):
        next_at = dt.datetime.fromtimestamp(times[job.id], dt.UTC)
        cron = str(job.meta.get("cron_string", ""))
        entries.append(Entry(job.id.removeprefix(_SCHEDULE), cron, next_at))
    return sorted(entries, key=lambda entry: (entry.next_at, entry.name))


def failed(*, tenant_id: int, platform: bool) -> list[Failed]:
    """Failed jobs of the tenant, with ``platform`` those of no tenant too, the latest first."""
    found = []
    for name in QUEUES:
        ids = queue(name).failed_job_registry.get_job_ids(-LOOKED_AT, -1, cleanup=False)
        for job in _fetched(ids):
            ours = _belongs(job, tenant_id)
            if ours or (platform and _nobodys(job)):
                found.append(_shown(job, name, ours))
    oldest = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda one: one.ended_at or oldest, reverse=True)


def retry(job_id: str, *, tenant_id: int, platform: bool, now: dt.datetime) -> None:
    """Queue a failed job again; 404 where there is none, or it is another tenant's.

    What is queued twice does its work once: jobs are made so. The caller commits the record of it.
    """
    for name in QUEUES:
        registry = queue(name).failed_job_registry
        for job in _fetched([job_id] if job_id in registry else []):
            if _belongs(job, tenant_id) or (platform and _nobodys(job)):
                record("job.retried", Target("job", job.id, _name(job)), {"queue": name}, now=now)
                try:
                    registry.requeue(job)
                except (InvalidJobOperation, NoSuchJobError) as error:
                    # Somebody else was quicker.
                    raise not_found("failed job") from error
                return
    raise not_found("failed job")


def _fetched(ids: Collection[str]) -> list[Job]:
    if not ids:
        return []
    found = PlainJob.fetch_many(list(ids), connection=redis_client())
    return [job for job in found if job is not None]


def _belongs(job: Job, tenant_id: int) -> bool:
    return bool(job.args) and type(job.args[0]) is int and job.args[0] == tenant_id


def _nobodys(job: Job) -> bool:
    return not job.args


def _name(job: Job) -> str:
    return str(job.func_name)


def _shown(job: Job, queue_name: str, ours: bool) -> Failed:
    result = job.latest_result()
    trouble = (result.exc_string if result else "") or ""
    last = next((line for line in reversed(trouble.splitlines()) if line.strip()), "")
    # A statement and what it was given are for the log: the kind of trouble is enough here.
    reason = last.partition(":")[0].rpartition(".")[2][:100] or "unknown"
    ended = job.ended_at
    if ended is not None and ended.tzinfo is None:
        ended = ended.replace(tzinfo=dt.UTC)
    return Failed(job.id, queue_name, _name(job), ended, reason, ours)
