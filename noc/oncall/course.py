"""The course of an escalation: which step comes when. Nothing here asks the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHORTEST_PAUSE = 5
"""Minutes that pass at least after the last step, before the list is gone through again or ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to tell, so many minutes after the step before; ids of each kind."""

    after_minutes: int
    users: tuple[int, ...] = ()
    schedules: tuple[int, ...] = ()
    routes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """The steps of a policy and how often all of them are ``repeats``-ed."""

    steps: tuple[Step, ...]
    repeats: int = 0

    @property
    def pause(self) -> int:
        """Minutes after the last step: the first step's, at least :data:`SHORTEST_PAUSE`."""
        return max(self.steps[0].after_minutes, SHORTEST_PAUSE)

    def wait_after(self, taken: int) -> dt.timedelta:
        """How long nobody is told after ``taken`` steps of a round (0: before its first)."""
        minutes = self.steps[taken].after_minutes if taken < len(self.steps) else self.pause
        return dt.timedelta(minutes=minutes)

    def moments(self, begun_at: dt.datetime) -> list[tuple[int, int, dt.datetime]]:
        """(round, step, when) of all of it, each from 1, if nobody answers and none is skipped."""
        at, told = begun_at, []
        for turn in range(1, self.repeats + 2):
            for number in range(len(self.steps)):
                # A later round's first step comes after the pause alone.
                if number or turn == 1:
                    at += self.wait_after(number)
                told.append((turn, number + 1, at))
            at += self.wait_after(len(self.steps))
        return told

    def exhausted_at(self, begun_at: dt.datetime) -> dt.datetime:
        """When it has come to nothing."""
        return self.moments(begun_at)[-1][2] + self.wait_after(len(self.steps))


def course_of(steps: Sequence[Mapping[str, Any]], repeats: int) -> Course:
    """The course of a policy as it is stored."""
    return Course(
        tuple(
            Step(
                one["after_minutes"],
                tuple(one["users"]),
                tuple(one["schedules"]),
                tuple(one["routes"]),
            )
            for one in steps
        ),
        repeats,
    )
