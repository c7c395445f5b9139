"""Who is on call at which moment, worked out from the rotation and its overrides alone.

A handover is by the clock on the wall: where the clocks change, a turn is an hour shorter or
longer. A time that the clocks leave out is taken as if they had not been changed yet (02:30 is
then 03:30), of one that comes twice the first is meant (PEP 495, ``fold=0``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["daily", "weekly"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Rotation:
    """The members' turns, in their order, from ``starts_on`` on.

    The first member's turn begins on ``starts_on`` at the handover's time, and of a weekly rotation
    lasts until the next ``weekday`` (0 is Monday). ``members`` are users' ids, at least one.
    """

    timezone: str
    period: Period
    handover: dt.time
    starts_on: dt.date
    members: tuple[int, ...]
    weekday: int = 0

    @property
    def days(self) -> int:
        """Length of a turn by the calendar."""
        return 7 if self.period == "weekly" else 1

    def begins_at(self) -> dt.datetime:
        """When the first turn begins; before, nobody is on call."""
        return self._local(self.starts_on)

    def handover_at(self, turn: int) -> dt.datetime:
        """When the turn of this number begins, counted from 0; UTC."""
        return max(
            self._local(self._anchor() + dt.timedelta(days=turn * self.days)), self.begins_at()
        )

    def turn_at(self, moment: dt.datetime) -> int | None:
        """The number of the turn that ``moment`` is in; None before the first."""
        if moment < self.begins_at():
            return None
        today = moment.astimezone(ZoneInfo(self.timezone)).date()
        turn = max((today - self._anchor()).days // self.days, 0)
        # The day's handover may be yet to come; where a zone left out a whole day, two coincide.
        while turn > 0 and self.handover_at(turn) > moment:
            turn -= 1
        while self.handover_at(turn + 1) <= moment:
            turn += 1
        return turn

    def _anchor(self) -> dt.date:
        if self.period == "daily":
            return self.starts_on
        return self.starts_on - dt.timedelta(days=(self.starts_on.weekday() - self.weekday) % 7)

    def _local(self, day: dt.date) -> dt.datetime:
        local = dt.datetime.combine(day, self.handover, ZoneInfo(self.timezone))
        return local.astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call from ``starts_at`` until before ``ends_at``."""

    id: int
    user_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime

    def holds_at(self, moment: dt.datetime) -> bool:
        """Whether the moment lies in it."""
        return self.starts_at <= moment < self.ends_at


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rotation and what takes its place for a time; of two overrides the later made holds."""

    rotation: Rotation
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """``user_id`` (None: nobody can be) is on call from ``starts_at`` until before ``ends_at``."""

    user_id: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    override_id: int | None = None


def who(schedule: Schedule, moment: dt.datetime, able: Collection[int] | None = None) -> int | None:
    """Who is on call at the moment.

    ``able``: who can be (None: everybody); whoever cannot is passed over, and the next member in
    the order is on call in their stead. None before the rotation begins, or where nobody can be.
    """
    return _duty(schedule, moment, able)[0]


def shifts(
    schedule: Schedule,
    since: dt.datetime,
    until: dt.datetime,
    able: Collection[int] | None = None,
) -> Iterator[Shift]:
    """Who is on call when between the two moments, without a gap, in order."""
    cuts = _cuts(schedule, since, until)
    for starts_at, ends_at in pairwise(cuts):
        user_id, override_id = _duty(schedule, starts_at, able)
        yield Shift(user_id, starts_at, ends_at, override_id)


def ends_after(schedule: Schedule, moment: dt.datetime) -> dt.datetime:
    """The next moment at which somebody else may be on call."""
    turn = schedule.rotation.turn_at(moment)
    following = 0 if turn is None else turn + 1
    edges = [schedule.rotation.handover_at(following)]
    edges += [edge for one in schedule.overrides for edge in (one.starts_at, one.ends_at)]
    return min(edge for edge in edges if edge > moment)


def _duty(
    schedule: Schedule, moment: dt.datetime, able: Collection[int] | None
) -> tuple[int | None, int | None]:
    """The user, and the override that made it so."""
    for override in sorted(schedule.overrides, key=lambda one: -one.id):
        if override.holds_at(moment) and (able is None or override.user_id in able):
            return override.user_id, override.id
    turn = schedule.rotation.turn_at(moment)
    if turn is None:
        return None, None
    return _first_able(schedule.rotation.members, turn, able), None


def _first_able(members: Sequence[int], turn: int, able: Collection[int] | None) -> int | None:
    for offset in range(len(members)):
        member = members[(turn + offset) % len(members)]
        if able is None or member in able:
            return member
    return None


def _cuts(schedule: Schedule, since: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    cuts = {since, until}
    turn = schedule.rotation.turn_at(since)
    following = 0 if turn is None else turn + 1
    while (edge := schedule.rotation.handover_at(following)) < until:
        cuts.add(edge)
        following += 1
    for one in schedule.overrides:
        cuts |= {edge for edge in (one.starts_at, one.ends_at) if since < edge < until}
    return sorted(cuts)
