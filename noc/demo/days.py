"""A day of a simulated company, put together: what the seed stores and the stream lives."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from noc.demo import behaviour, roster, typologies
from noc.demo.behaviour import Punches
from noc.demo.roster import Duties, Shifts
from noc.demo.world import Company


@dataclass
class Day:
    """The shifts that begin on a day by their site's clock; punches in the order they happen."""

    day: int
    shifts: Shifts
    duties: Duties
    punches: Punches
    keys: list[uuid.UUID]
    """An external id for each punch."""


def simulate(company: Company, day: int) -> Day:
    """The whole day; the same each time it is asked for."""
    rng = company.rng("day", day)
    shifts, duties = roster.plan(company, day)
    behaviour.turn_up(company, rng, duties)
    punches = behaviour.punch(company, rng, day, duties)
    punches = typologies.commit(company, rng, day, duties, punches)
    behaviour.report(rng, punches)
    punches = punches.select(np.argsort(punches.at, kind="stable"))
    return Day(day, shifts, duties, punches, keys(company, "punch", day, len(punches)))


def keys(company: Company, purpose: str, day: int, count: int) -> list[uuid.UUID]:
    """Ids that tell nothing of what they name."""
    drawn = company.rng(f"keys-{purpose}", day).bytes(16 * count)
    return [uuid.UUID(bytes=drawn[16 * n : 16 * (n + 1)], version=4) for n in range(count)]
