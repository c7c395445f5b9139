"""How large a simulated world is, and the random numbers everything in it is drawn from."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a world, and when it is. ``days`` of history end at ``now``."""

    now: dt.datetime
    days: int = 45
    guards: int = 600
    sites: int = 30
    random_seed: int = 2026

    @property
    def today(self) -> int:
        """The UTC day of ``now`` as a proleptic ordinal."""
        return self.now.astimezone(dt.UTC).date().toordinal()

    @property
    def first_day(self) -> int:
        """The day history begins with."""
        return self.today - self.days


def stream_of(scale: Scale, index: int, purpose: str, *numbers: int) -> np.random.Generator:
    """A stream of random numbers of its own for a company, a purpose and further numbers."""
    return np.random.default_rng(
        [scale.random_seed, index, zlib.crc32(purpose.encode()), *(n % 2**32 for n in numbers)]
    )
