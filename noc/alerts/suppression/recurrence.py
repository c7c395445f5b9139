"""Rules of recurrence: which are taken, and when their times are.

A rule is RFC 5545's RRULE, read by python-dateutil, counted by the clocks of a place. A time that
a change of the clocks skips is read with the offset from before it (02:30 becomes 03:30), one that
comes twice means the first: both as RFC 5545, section 3.3.5, says. A duration is elapsed time.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

LONGEST = dt.timedelta(days=7)
"""Of one time of a recurring window; a longer maintenance is a window of its own."""

MAX_RULE = 200
"""Characters of a rule."""

LOOKED_AHEAD = dt.timedelta(days=5 * 366)
"""A rule has a time within so long of its first day, or it is taken for a slip.

Two leap years lie within, so that a rule about 29 February has one.
"""

_TRIED = dt.timedelta(days=2 * 366)
"""How far ahead the times are looked through for running into each other."""

_CYCLES = 19 * 400

_DAY = r"(?:MO|TU|WE|TH|FR|SA|SU)"
_DAYS_OF_MONTH = r"-?(?:[1-9]|[12]\d|3[01])"
_WORDS: Mapping[str, str] = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY",
    "INTERVAL": r"[1-9]\d{0,2}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(?:T\d{6})?",
    "BYDAY": rf"(?:[+-]?[1-5])?{_DAY}(?:,(?:[+-]?[1-5])?{_DAY})*",
    "BYMONTHDAY": rf"{_DAYS_OF_MONTH}(?:,{_DAYS_OF_MONTH})*",
    "BYMONTH": r"(?:[1-9]|1[0-2])(?:,(?:[1-9]|1[0-2]))*",
    "BYSETPOS": rf"{_DAYS_OF_MONTH}(?:,{_DAYS_OF_MONTH})*",
    "WKST": _DAY,
}
"""The parts a rule may have, and what each may say."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``starts_at`` to ``ends_at``, the end excluded; in UTC."""

    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    """``rule`` counted from ``starts_on``, at ``start_time`` by the clocks of ``timezone``."""

    rule: str
    starts_on: dt.date
    start_time: dt.time
    duration: dt.timedelta
    timezone: str

    def spans(self, after: dt.datetime, before: dt.datetime) -> Iterator[Span]:
        """The times that end after ``after`` and begin before ``before``, in order.

        Costs what the times since ``starts_on`` do, also those that ended: a rule may count them.
        """
        zone = ZoneInfo(self.timezone)
        for local in self._locals(before.astimezone(zone).replace(tzinfo=None)):
            starts_at = local.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
            span = Span(starts_at, starts_at + self.duration)
            if span.starts_at >= before:
                return
            if span.ends_at > after:
                yield span

    def _locals(self, before: dt.datetime) -> Iterator[dt.datetime]:
        # An end is given to every rule, since the library goes on for ever; it refuses to be given
        # a count as well.
        parts = split(self.rule)
        count = parts.pop("COUNT", None)
        last = before + dt.timedelta(days=1)
        if until := parts.get("UNTIL"):
            last = min(last, _last_moment(until))
        parts["UNTIL"] = f"{_late(last):%Y%m%dT%H%M%S}"
        text = ";".join(f"{name}={value}" for name, value in parts.items())
        first = dt.datetime.combine(self.starts_on, self.start_time)
        times = rrulestr(text, dtstart=_late(first))
        counted = islice(times, None if count is None else int(count))
        return (moment.replace(year=moment.year - _CYCLES) for moment in counted)


def _late(moment: dt.datetime) -> dt.datetime:
    """The same day of the calendar, late in what the library knows.

    It looks for what never comes, such as 31 February, up to the year 9999: so it gives up
    twenty times sooner. Every 400 years the calendar begins anew, on the same day of the week.
    """
    return moment.replace(year=moment.year + _CYCLES)


def checked_rule(rule: str) -> str:
    """``rule`` in capitals, without ``RRULE:``; ValueError naming what is not taken."""
    written = rule.strip().upper().removeprefix("RRULE:")
    if len(written) > MAX_RULE:
        raise ValueError(f"must have at most {MAX_RULE} characters")
    parts = split(written)
    for name, value in parts.items():
        if name not in _WORDS:
            raise ValueError(f"must not have {name}: {', '.join(_WORDS)} are taken")
        if not re.fullmatch(_WORDS[name], value, re.ASCII):
            raise ValueError(f"cannot be read: {_REASONS.get(name, f'{name}={value}')}")
    if "FREQ" not in parts:
        raise ValueError("needs FREQ, as in FREQ=WEEKLY;BYDAY=SU")
    if parts["FREQ"] != "MONTHLY" and re.search(r"\d", parts.get("BYDAY", "")):
        raise ValueError("may number a day, as in BYDAY=1SU, with FREQ=MONTHLY alone")
    if "BYSETPOS" in parts and parts.keys().isdisjoint({"BYDAY", "BYMONTHDAY", "BYMONTH"}):
        raise ValueError("needs a BYDAY, BYMONTHDAY or BYMONTH for BYSETPOS to choose from")
    if "UNTIL" in parts:
        _last_moment(parts["UNTIL"])
    return written


_REASONS = {
    "FREQ": "FREQ is DAILY, WEEKLY or MONTHLY",
    "UNTIL": "UNTIL is a day or a local time, as in 20261231 or 20261231T180000, without Z",
}


def split(rule: str) -> dict[str, str]:
    """The parts of a rule by name; ValueError where it has none, or one twice."""
    parts: dict[str, str] = {}
    for pair in rule.rstrip(";").split(";"):
        name, equals, value = pair.partition("=")
        if not equals or name in parts:
            raise ValueError("must be NAME=VALUE;NAME=VALUE, each name once")
        parts[name] = value
    return parts


def _last_moment(until: str) -> dt.datetime:
    # A day alone is meant to be the last that counts, though RFC 5545 would end it at midnight.
    try:
        return dt.datetime.strptime(  # noqa: DTZ007 (local time of the window's place)
            until if "T" in until else f"{until}T235959", "%Y%m%dT%H%M%S"
        )
    except ValueError:
        raise ValueError(f"cannot be read: {until} is not a day of the calendar") from None


def fault(recurrence: Recurrence, now: dt.datetime) -> tuple[str, str] | None:
    """Why the times are not taken, as (field, reason); None where they are.

    A window that never comes again is a slip, and one whose times run into each other for more
    than :data:`LONGEST` would mute without end.
    """
    first_day = dt.datetime.combine(recurrence.starts_on, dt.time(), tzinfo=dt.UTC)
    begin = max(now, first_day)
    if next(recurrence.spans(now, begin + LOOKED_AHEAD), None) is None:
        return "rrule", "has no time from now on"
    since: dt.datetime | None = None
    until = begin
    for span in recurrence.spans(now, begin + _TRIED):
        if since is None or span.starts_at > until:
            since = span.starts_at
        until = max(until, span.ends_at)
        if until - since > LONGEST:
            return (
                "duration_minutes",
                f"lets the times run into each other for more than {LONGEST.days} days",
            )
    return None
