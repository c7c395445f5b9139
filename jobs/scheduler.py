"""``python -m jobs.scheduler``: enqueues the jobs whose time has come."""

from __future__ import annotations

import logging
import os
import sys
import time

import redis
import structlog

from jobs.schedule import NocScheduler, trigger
from noc import create_app
from noc.extensions import PlainJob, connect_redis, settings

log = structlog.get_logger(__name__)

PASS_SECONDS = 5
"""Between two looks at the schedule; a second scheduler takes over within three of them."""


def main() -> None:
    """Run until SIGTERM or SIGINT, then give the lock back. Exits 1 when Redis goes away."""
    # The library reads cron strings in the zone of the process.
    os.environ["TZ"] = "UTC"
    time.tzset()
    with create_app().app_context():
        # It warns at every pass of a second scheduler that the first has the lock: as intended.
        logging.getLogger("rq_scheduler").setLevel(logging.ERROR)
        scheduler = NocScheduler(
            queue_name="maintenance",
            connection=connect_redis(settings().redis_url),
            interval=PASS_SECONDS,
            job_class=PlainJob,
        )
        log.info("scheduler_started", pid=os.getpid())
        try:
            # Whatever happened while nobody kept the time is looked at now, not in five minutes.
            trigger("heartbeat")
            scheduler.run()
        except redis.RedisError as error:
            log.error("scheduler_lost_redis", error=str(error))
            sys.exit(1)
        finally:
            log.info("scheduler_stopped", pid=os.getpid())


if __name__ == "__main__":
    main()
