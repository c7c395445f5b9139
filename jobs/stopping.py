"""Whether this worker was asked to stop: long jobs look between two pieces of work."""

from __future__ import annotations

import threading

_requested = threading.Event()


def request_stop() -> None:
    """Ask the running job to end at its next pause."""
    _requested.set()


def stop_requested() -> bool:
    """Whether the job should end now; what it leaves undone another run takes up."""
    return _requested.is_set()


def forget_stop() -> None:
    """Take the request back: a worker that starts was not asked to stop."""
    _requested.clear()
