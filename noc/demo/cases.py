"""One turn about to be falsified, and what several typologies do to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noc.demo.behaviour import Punches, colleague_before
from noc.demo.roster import Duties
from noc.demo.scale import Ints
from noc.demo.truth import Lookalike, Typology
from noc.demo.world import Company


@dataclass
class Case:
    """One turn about to be falsified: its row in ``duties`` and its rows in ``punches``."""

    company: Company
    rng: np.random.Generator
    duties: Duties
    punches: Punches
    duty: int
    rows: Ints
    dropped: list[int]

    @property
    def guard(self) -> int:
        """Who cheats."""
        return int(self.duties.guard[self.duty])

    def habit(self, purpose: str) -> np.random.Generator:
        """Random numbers that are the same for this guard on every day."""
        return self.company.rng(f"habit-{purpose}", self.guard)

    def of_kind(self, *kinds: int) -> Ints:
        """The turn's punches of these kinds."""
        return self.rows[np.isin(self.punches.kind[self.rows], kinds)]

    def mark(self, rows: Ints, typology: Typology) -> None:
        """These punches are fraud."""
        self.punches.truth[rows] = typology
        self.punches.alike[rows] = Lookalike.NONE

    def move(self, rows: Ints, site: int, x: float, y: float, spread: float) -> None:
        """The fixes are near a point ``x``, ``y`` metres from a site, each off by its accuracy."""
        error = spread + self.punches.accuracy[rows] / 1.51
        lat, lon = self.company.point(
            np.full(len(rows), site),
            x + self.rng.normal(0, 1, len(rows)) * error,
            y + self.rng.normal(0, 1, len(rows)) * error,
        )
        self.punches.lat[rows], self.punches.lon[rows] = lat, lon

    def stay_away(self) -> None:
        """The guard never comes."""
        self.duties.at_home[self.duty] = True


def punched_by_colleague(case: Case, row: int, shared: bool) -> None:
    """A colleague makes this punch moments after their own; ``shared``: on their own phone."""
    punches, rng = case.punches, case.rng
    punches.biometric[row] = somebody_elses_biometric(case)
    colleague = colleague_before(punches, row)
    if colleague is None:
        return
    punches.at[row] = punches.at[colleague] + rng.uniform(12, 160)
    near = rng.normal(0, 4e-5, 2)
    punches.lat[row] = punches.lat[colleague] + near[0]
    punches.lon[row] = punches.lon[colleague] + near[1]
    punches.accuracy[row] = punches.accuracy[colleague] * rng.uniform(0.85, 1.2)
    if shared:
        punches.device[row] = punches.device[colleague]
        punches.battery[row] = punches.battery[colleague]
        punches.signal[row] = punches.signal[colleague] + rng.normal(0, 1.5)


def somebody_elses_biometric(case: Case) -> float:
    """Low, or a held-up photo that scores the same each time, or waved through well enough."""
    means = case.rng.random()
    if means < 0.55:
        return float(case.rng.normal(0.50, 0.13))
    if means < 0.80:
        return round(float(case.habit("photo").uniform(0.66, 0.93)), 3)
    return float(case.rng.normal(0.76, 0.08))


def elsewhere(case: Case, here: int) -> int:
    """Another of the company's sites."""
    others = [site for site in range(len(case.company.places)) if site != here]
    return int(case.rng.choice(others))
