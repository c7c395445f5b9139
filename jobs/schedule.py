"""What runs when, as data, and a scheduler that keeps to it.

The one module that knows rq-scheduler. All times are UTC: the process's zone must be, since the
library reads cron strings in the local one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq_scheduler import Scheduler

from noc.database.base import utcnow
from noc.extensions import queue

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """``job`` (a dotted path) runs on ``queue`` at the times of ``cron`` (UTC)."""

    name: str
    cron: str
    job: str
    queue: str = "maintenance"
    timeout: int = 600

    @property
    def id(self) -> str:
        """The id of the entry's trigger in Redis."""
        return f"schedule-{self.name}"

    @property
    def fingerprint(self) -> str:
        """Changes with anything that the trigger was registered with."""
        return hashlib.sha256(f"{self.cron}|{self.queue}".encode()).hexdigest()[:16]


SCHEDULE = (
    Entry("sweep", "* * * * *", "jobs.maintenance.sweep", timeout=120),
    Entry("heartbeat", "*/5 * * * *", "jobs.audit.heartbeat", queue="escalation"),
    Entry("audit", "5 * * * *", "jobs.audit.comprehensive", queue="escalation", timeout=1800),
    Entry("baselines", "0 3 * * 0", "jobs.audit.tune_baselines", timeout=1800),
    Entry("training", "0 2 * * *", "jobs.training.daily", queue="ml_queue"),
    Entry("stranded", "* * * * *", "jobs.training.take_up", timeout=120),
    Entry("audits", "20 0 * * *", "jobs.review.draw_audits"),
    Entry("drift", "30 1 * * 1", "jobs.watching.watch_models", timeout=1800),
    Entry("shelf", "*/5 * * * *", "jobs.alerts.unshelve"),
    Entry("mutes", "* * * * *", "jobs.alerts.unmute", timeout=120),
    Entry("acknowledgements", "* * * * *", "jobs.alerts.lapse", timeout=120),
    Entry("expiry", "*/5 * * * *", "jobs.alerts.expire"),
    Entry("lateness", "* * * * *", "jobs.tickets.mark_overdue", timeout=120),
    Entry("on_call", "* * * * *", "jobs.on_call.escalate", queue="escalation", timeout=120),
    Entry("outbox", "* * * * *", "jobs.notifications.sweep", queue="reports", timeout=120),
    Entry("deliveries", "40 0 * * *", "jobs.notifications.tidy"),
    Entry("profiles", "0 1 * * *", "jobs.maintenance.refresh_profiles", timeout=3600),
    Entry("retention", "40 * * * *", "jobs.maintenance.forget_events", timeout=3000),
    Entry("score_days", "*/10 * * * *", "jobs.maintenance.pack_score_days"),
    Entry("partitions", "0 1 * * *", "jobs.maintenance.prepare_partitions"),
)

TRIGGER = "jobs.schedule.trigger"
_TRIGGER_TIMEOUT = 60
_FAILURE_SECONDS = 7 * 86_400


def trigger(name: str, now: dt.datetime | None = None) -> bool:
    """Enqueue the work of an entry, once a minute at most; whether this call did.

    The scheduled job itself has the same id each time and piles up while no worker is there:
    that is why it only triggers, and the work's id names the minute. KeyError for no such entry.
    """
    entry = {entry.name: entry for entry in SCHEDULE}[name]
    moment = now or utcnow()
    try:
        queue(entry.queue).enqueue(
            entry.job,
            job_id=f"{entry.name}-{moment:%Y%m%dT%H%M}",
            unique=True,
            job_timeout=entry.timeout,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
        )
    except DuplicateJobError:
        return False
    return True


class NocScheduler(Scheduler):  # type: ignore[misc]
    """Re-asserts SCHEDULE on every pass, under the scheduler's own lock.

    So an entry lost in a crash comes back, a changed one is registered anew, and one that is no
    longer declared goes. Several schedulers may run: the lock lets one of them work.
    """

    def enqueue_jobs(self) -> Any:
        """Bring Redis in line with SCHEDULE, then enqueue what is due."""
        registered = {job.id: job for job in self.get_jobs()}
        for entry in SCHEDULE:
            job = registered.pop(entry.id, None)
            if job is None or job.meta.get("fingerprint") != entry.fingerprint:
                self.cron(
                    entry.cron,
                    TRIGGER,
                    args=[entry.name],
                    id=entry.id,
                    queue_name=entry.queue,
                    timeout=_TRIGGER_TIMEOUT,
                    result_ttl=-1,
                    meta={"fingerprint": entry.fingerprint},
                )
                log.info("schedule_registered", entry=entry.name, cron=entry.cron)
        for job in registered.values():
            if "fingerprint" in job.meta:
                self.cancel(job)
                log.info("schedule_removed", entry=job.id)
        return super().enqueue_jobs()

    def enqueue_job(self, job: Job) -> None:
        """Enqueue ``job`` and note its next time."""
        with _utc_understood():
            super().enqueue_job(job)

    def cron(self, cron_string: str, *args: Any, **kwargs: Any) -> Job:
        """Register a job for the times of ``cron_string``."""
        with _utc_understood():
            job: Job = super().cron(cron_string, *args, **kwargs)
        return job


@contextmanager
def _utc_understood() -> Iterator[None]:
    """Silence the warning that cron strings will once be read in UTC: here they are already."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Version 0\.22\.0\+ of crontab", FutureWarning)
        yield
