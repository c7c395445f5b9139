"""What a benchmark reports: figures beside their floor, as a ratio."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured quantity, what it must be, and the floor of the same run."""

    name: str
    value: float
    unit: str
    must: str = ""
    floor: float | None = None
    floor_name: str = ""

    @property
    def ratio(self) -> str:
        """The value as a multiple of its floor."""
        return f"{self.value / self.floor:.2f} x" if self.floor else ""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile, ``share`` in (0, 1]; ValueError without values."""
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latencies_ms(action: Callable[[int], object], times: int, *, warm_up: int = 5) -> list[float]:
    """Milliseconds of each of ``times`` calls of ``action(i)``, after some that do not count."""
    measured = []
    for i in range(-warm_up, times):
        started = time.perf_counter()
        action(i)
        if i >= 0:
            measured.append((time.perf_counter() - started) * 1000)
    return measured


def spread(name: str, values: Sequence[float], must_p99: str, floor: Figure) -> list[Figure]:
    """p50 and p99 of latencies in ms, beside the floor's p50."""
    beside = {"floor": floor.value, "floor_name": floor.name}
    return [
        Figure(f"{name} p50", percentile(values, 0.5), "ms", **beside),
        Figure(f"{name} p99", percentile(values, 0.99), "ms", must=must_p99, **beside),
    ]
