"""How far a training is, told while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable

STAGES = {
    "reading": 0.02,
    "choosing": 0.40,
    "measuring": 0.23,
    "folds": 0.20,
    "fitting": 0.13,
    "reporting": 0.02,
}
"""Stages in order, with the share of the whole that each takes."""


class Progress:
    """Tells ``listen(stage, share)``; what it raises goes through, which is how one cancels."""

    def __init__(self, listen: Callable[[str, float], None] | None) -> None:
        self.listen = listen
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", time.perf_counter()
        self._begin = self._width = self._told = 0.0
        self._steps, self._step = 1, -1

    def stage(self, name: str, steps: int = 1) -> None:
        """Enter a stage of about ``steps`` fits."""
        self._close()
        names = list(STAGES)
        self._begin = sum(STAGES[before] for before in names[: names.index(name)])
        self._width, self._stage = STAGES[name], name
        self._steps, self._step = max(steps, 1), -1
        self._tell(self._begin)

    def step(self) -> None:
        """The next fit of the stage begins."""
        self._step += 1
        self.within(0.0)

    def within(self, share: float) -> None:
        """``share`` of the current fit is done."""
        done = min((max(self._step, 0) + share) / self._steps, 1.0)
        self._tell(self._begin + self._width * done)

    def end(self) -> None:
        """Everything is done."""
        self._close()
        self._tell(1.0)

    def _tell(self, share: float) -> None:
        self._told = max(self._told, min(share, 1.0))
        if self.listen is not None:
            self.listen(self._stage, self._told)

    def _close(self) -> None:
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = round(now - self._since, 3)
        self._since = now
