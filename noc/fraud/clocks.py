"""Cells of time on a clock on the wall: hours of the week and calendar days, as spans of UTC.

A clock is an IANA time zone. Between two changes of the clocks it is off UTC by the same length:
a :class:`Stretch`. What SQL adds up by stretch, and what is read behind a cell, use the same
ones, so that a cell always has the punches that it counted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

HOURS = 168
"""Hours of a week, the first Monday 00:00 to 01:00."""

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

_MONDAY = dt.datetime(1970, 1, 5, tzinfo=dt.UTC)
"""A Monday, 00:00: with the shift of a clock added, hours of the week count from here."""

_SECOND = dt.timedelta(seconds=1)

Span = tuple[dt.datetime, dt.datetime]
"""From the first moment (UTC) to before the second."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to before ``end`` the clock shows UTC plus ``shift``."""

    start: dt.datetime
    end: dt.datetime
    shift: dt.timedelta


def stretches(zone: str, start: dt.datetime, end: dt.datetime) -> list[Stretch]:
    """The stretches of the zone's clock from ``start`` to before ``end`` (UTC), in order.

    One, or one more for each change of the clocks in between. None for an empty span.
    """
    clock = ZoneInfo(zone)
    found: list[Stretch] = []
    at = start
    while at < end:
        shift = _shift(clock, at)
        until = min(at + DAY, end)
        while until < end and _shift(clock, until) == shift:
            until = min(until + DAY, end)
        if _shift(clock, until - _SECOND) != shift:
            until = _change(clock, max(at, until - DAY), until)
        found.append(Stretch(at, until, shift))
        at = until
    return found


def of_hour(hour: int, zone: str, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """The spans from ``start`` to before ``end`` in which the clock shows that hour of the week.

    ``hour`` from 0 (Monday 00:00) to 167. Where clocks go back an hour comes twice, and has both.
    """
    spans = []
    for part in stretches(zone, start, end):
        first = _MONDAY + hour * HOUR - part.shift
        weeks = (part.start - first) // (7 * DAY)
        at = first + weeks * 7 * DAY
        while at < part.end:
            if at + HOUR > part.start:
                spans.append((max(at, part.start), min(at + HOUR, part.end)))
            at += 7 * DAY
    return spans


def of_day(day: dt.date, zone: str) -> Span:
    """The calendar day on the zone's clock: 23 to 25 hours."""
    return _midnight(day, zone), _midnight(day + DAY, zone)


def days_until(now: dt.datetime, days: int, zone: str) -> list[dt.date]:
    """The last ``days`` calendar days on the zone's clock, today the last."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today - n * DAY for n in range(days - 1, -1, -1)]


def _midnight(day: dt.date, zone: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def _shift(clock: ZoneInfo, at: dt.datetime) -> dt.timedelta:
    return at.astimezone(clock).utcoffset() or dt.timedelta()


def _change(clock: ZoneInfo, low: dt.datetime, high: dt.datetime) -> dt.datetime:
    """The second of a change of the clock between ``low`` and ``high``, by halving."""
    before = _shift(clock, low)
    while high - low > _SECOND:
        middle = low + (high - low) / 2
        if _shift(clock, middle) == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
