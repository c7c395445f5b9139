"""``python -m jobs.worker --queues scoring,maintenance``: runs jobs in this very process.

Forking for each job would load the libraries anew: 0.4 jobs a second instead of 350. The worker
keeps them, the application and its connections; each job has an application context, log lines
with its id, and a clean session.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

import structlog
from flask import Flask
from prometheus_client import multiprocess
from rq import Queue, SimpleWorker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs import stopping
from noc import create_app
from noc.database.base import new_uuid
from noc.database.tenancy import name_tenant
from noc.extensions import QUEUES, PlainJob, connect_redis, rq_queue, session, settings

log = structlog.get_logger(__name__)


class NocWorker(SimpleWorker):
    """Runs jobs one after another within the application."""

    app: Flask

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Run ``job`` in an application context; whatever it left open is rolled back."""
        started = time.perf_counter()
        context = {"job_id": job.id, "request_id": job.meta.get("request_id")}
        with (
            structlog.contextvars.bound_contextvars(**{k: v for k, v in context.items() if v}),
            self.app.app_context(),
        ):
            # No job inherits a tenant; leaving the context ends the session with what is open.
            name_tenant(session(), None)
            succeeded = super().perform_job(job, queue)
            log.info(
                "job_done" if succeeded else "job_failed",
                job=_name_of(job),
                queue=queue.name,
                seconds=round(time.perf_counter() - started, 4),
            )
        return succeeded

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the running job, which is asked to end at its next pause."""
        stopping.request_stop()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def _name_of(job: Job) -> str:
    """What the job calls; RQ has failed one that cannot be decoded, and the worker lives on."""
    try:
        return job.func_name or "unnamed"
    except DeserializationError:
        return "undecodable"


def main(queues: Sequence[str]) -> None:
    """Work on ``queues``, the most urgent first, until SIGTERM or SIGINT.

    A job under way ends first: scoring between two batches, so within a second or so.
    SystemExit for a queue that does not exist.
    """
    unknown = [name for name in queues if name not in QUEUES]
    if unknown or not queues:
        raise SystemExit(
            f"no queue {', '.join(unknown) or 'named'}; choose from {', '.join(QUEUES)}"
        )
    stopping.forget_stop()
    app = create_app()
    # A line for each job is ours to write; RQ's own are about trouble only.
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    with app.app_context():
        # A connection pool of its own: RQ waits for jobs longer than our calls may take.
        connection = connect_redis(settings().redis_url)
    worker = NocWorker(
        [rq_queue(name, connection) for name in queues],
        name=f"{'-'.join(queues)}-{os.getpid()}-{new_uuid().hex[-6:]}",
        connection=connection,
        job_class=PlainJob,
        serializer=JSONSerializer,
    )
    worker.app = app
    log.info("worker_started", queues=list(queues), pid=os.getpid())
    try:
        worker.work()
    finally:
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]
        log.info("worker_stopped", pid=os.getpid())


def _arguments() -> list[str]:
    parser = argparse.ArgumentParser(prog="jobs.worker", description="Run jobs.")
    parser.add_argument("--queues", default=",".join(QUEUES), help="queues, the most urgent first")
    named: str = parser.parse_args().queues
    return [name.strip() for name in named.split(",") if name.strip()]


if __name__ == "__main__":
    # Until the worker has its own handlers, a signal simply ends it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main(_arguments())
