"""What is removed in bulk is removed a small batch at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from jobs.stopping import stop_requested
from noc.extensions import session

PAUSE_SECONDS = 0.05
"""Between two batches: vacuum, replicas and others have their turn."""

MAX_BATCHES = 500
"""Of one tenant in one run, a million rows: a long backlog of one keeps nobody else waiting."""


def in_batches(remove: Callable[[], int]) -> int:
    """Have it ``remove`` a batch after another until nothing is left; how many rows it were.

    A batch is a transaction of its own, and there is a pause after each: the job can be stopped or
    die anywhere, and another run goes on from there.
    """
    removed = 0
    for _ in range(MAX_BATCHES):
        count = remove()
        session().commit()
        removed += count
        if not count or stop_requested():
            break
        time.sleep(PAUSE_SECONDS)
    return removed
