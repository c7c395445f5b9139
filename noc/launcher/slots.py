"""The places of supervised processes, and when an empty one is filled again."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from noc.launcher.output import ChildLog
from noc.launcher.process import Child, ProcessSpec


@dataclass(frozen=True)
class Backoff:
    """Seconds before a restart: ``first``, doubling to ``most``; ``settled`` s up begin anew."""

    first: float = 1.0
    most: float = 30.0
    settled: float = 60.0

    def after(self, delay: float, uptime: float) -> float:
        """The delay that follows ``delay``."""
        if not delay or uptime >= self.settled:
            return self.first
        return min(delay * 2, self.most)


class Slot:
    """The place of one spec: its present child, and when the next one is due."""

    def __init__(self, spec: ProcessSpec, log: ChildLog, *, once: bool) -> None:
        """``once``: not restarted."""
        self.spec = spec
        self.log = log
        self.once = once
        self.child: Child | None = None
        self.output: int | None = None
        self.status: int | None = None
        self.started = 0.0
        self.delay = 0.0
        self.due: float | None = None


def ending(status: int | None) -> str:
    """How a process ended, in words."""
    if status is None:
        return "has not ended"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
