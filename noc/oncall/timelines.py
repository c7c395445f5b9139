"""Who is on call over whole days, of every schedule at once, as a page shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from noc.oncall import duty, people, rotation
from noc.oncall.duty import Stored
from noc.oncall.rotation import Shift


@dataclass(frozen=True, slots=True)
class Turn:
    """One person on call without a break.

    ``user_id`` None: nobody can be on call, or the rotation has not begun. ``override_id`` None:
    by rotation; else ``instead_of`` are those whose turns it takes, in their order.
    """

    user_id: int | None
    user_name: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    override_id: int | None = None
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A schedule's turns from ``since`` to ``until``, without a gap, and the midnights between.

    The period is of whole days by the schedule's clock; ``begins_at`` is when its rotation begins.
    """

    schedule_id: int
    name: str
    timezone: str
    rotation: str
    since: dt.datetime
    until: dt.datetime
    begins_at: dt.datetime
    days: tuple[dt.datetime, ...]
    turns: tuple[Turn, ...]

    def at(self, moment: dt.datetime) -> int:
        """Which of the turns the moment lies in."""
        return next(i for i, turn in enumerate(self.turns) if moment < turn.ends_at)


def timelines(now: dt.datetime, days: int) -> list[Timeline]:
    """Today and the days after it, ``days`` in all, of each schedule by name. Three queries."""
    # No zone's day begins or ends further from now than this.
    margin = dt.timedelta(days=2)
    found = duty.load(None, now - margin, now + dt.timedelta(days=days) + margin)
    able = people.able(duty.everybody(found.values()))
    lines = [_timeline(stored, now, days, able) for stored in found.values()]
    return sorted(lines, key=lambda line: (line.name.casefold(), line.schedule_id))


def _timeline(stored: Stored, now: dt.datetime, days: int, able: dict[int, str]) -> Timeline:
    row = stored.row
    zone = ZoneInfo(row.timezone)
    today = now.astimezone(zone).date()
    edges = tuple(_midnight(today + dt.timedelta(days=day), zone) for day in range(days + 1))
    shifts = rotation.shifts(stored.schedule, edges[0], edges[-1], able)
    return Timeline(
        row.id,
        row.name,
        row.timezone,
        row.rotation,
        edges[0],
        edges[-1],
        stored.schedule.rotation.begins_at(),
        edges[:-1],
        tuple(_turns(stored, shifts, able)),
    )


def _turns(stored: Stored, shifts: Iterator[Shift], able: dict[int, str]) -> Iterator[Turn]:
    """Shifts of the same person by the same right, made one."""
    held: Turn | None = None
    for shift in shifts:
        turn = _turn(stored, shift, able)
        if held is not None and _same(held, turn):
            held = Turn(
                held.user_id, held.user_name, held.starts_at, turn.ends_at,
                held.override_id, tuple(dict.fromkeys(held.instead_of + turn.instead_of)),
            )  # fmt: skip
            continue
        if held is not None:
            yield held
        held = turn
    if held is not None:
        yield held


def _turn(stored: Stored, shift: Shift, able: dict[int, str]) -> Turn:
    instead: tuple[str, ...] = ()
    if shift.override_id is not None:
        usual = rotation.Schedule(stored.schedule.rotation)
        whose = rotation.who(usual, shift.starts_at, able)
        if whose is not None and whose != shift.user_id:
            instead = (able[whose],)
    return Turn(
        shift.user_id,
        able.get(shift.user_id or 0),
        shift.starts_at,
        shift.ends_at,
        shift.override_id,
        instead,
    )


def _same(one: Turn, other: Turn) -> bool:
    return (one.user_id, one.override_id) == (other.user_id, other.override_id)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
