"""Queue depth, workers and growth of the log, read at each scrape."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

import redis
import structlog
from flask import Flask
from prometheus_client.core import GaugeMetricFamily, Metric
from rq import Worker

from noc.extensions import QUEUES, queue, redis_client

log = structlog.get_logger(__name__)

SCHEDULED_JOBS = "rq:scheduler:scheduled_jobs"
"""Where rq-scheduler keeps its jobs, scored by the time they are due."""


class QueueCollector:
    """RQ as Prometheus sees it. Without Redis it yields nothing; ``noc_redis_up`` says so."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """The gauges of this moment."""
        up = GaugeMetricFamily("noc_redis_up", "Whether Redis answered this scrape")
        with self._app.app_context():
            try:
                yield from self._queues()
                up.add_metric([], 1)
            except redis.RedisError as error:
                log.warning("queue_metrics_unavailable", error=str(error))
                up.add_metric([], 0)
        yield up

    def _queues(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("noc_queue_depth", "Jobs waiting", labels=["queue"])
        jobs = GaugeMetricFamily("noc_queue_jobs", "Jobs by state", labels=["queue", "state"])
        for name in QUEUES:
            rq_queue = queue(name)
            depth.add_metric([name], rq_queue.count)
            for state, registry in (
                ("started", rq_queue.started_job_registry),
                ("failed", rq_queue.failed_job_registry),
                ("scheduled", rq_queue.scheduled_job_registry),
            ):
                jobs.add_metric([name, state], registry.get_job_count(cleanup=False))
        workers = GaugeMetricFamily("noc_workers", "Workers by state", labels=["state"])
        states: dict[str, int] = {}
        for worker in Worker.all(connection=redis_client()):
            state = str(worker.get_state())
            states[state] = states.get(state, 0) + 1
        for state, count in sorted(states.items()):
            workers.add_metric([state], count)
        lag = GaugeMetricFamily(
            "noc_schedule_lag_seconds", "How long the most overdue scheduled job has been due"
        )
        lag.add_metric([], _schedule_lag())
        yield from (depth, jobs, workers, lag)


def _schedule_lag() -> float:
    """Seconds; 0 where nothing is overdue. A scheduler that runs enqueues within five."""
    first = cast(
        "list[tuple[bytes, float]]",
        redis_client().zrange(SCHEDULED_JOBS, 0, 0, withscores=True),
    )
    return max(0.0, time.time() - first[0][1]) if first else 0.0
