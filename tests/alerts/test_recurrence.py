"""When a window comes again, by the clocks of its place."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noc.alerts.suppression.recurrence import (
    LONGEST,
    LOOKED_AHEAD,
    Recurrence,
    checked_rule,
    fault,
)
from tests.factories import NOW

BERLIN = "Europe/Berlin"
DAY = dt.timedelta(days=1)


def recurrence(
    rule: str = "FREQ=DAILY",
    starts_on: str = "2026-11-16",
    at: str = "02:00",
    minutes: int = 60,
    zone: str = BERLIN,
) -> Recurrence:
    return Recurrence(
        checked_rule(rule),
        dt.date.fromisoformat(starts_on),
        dt.time.fromisoformat(at),
        dt.timedelta(minutes=minutes),
        zone,
    )


def told(one: Recurrence, after: str, days: int = 10) -> list[str]:
    begin = dt.datetime.fromisoformat(after).replace(tzinfo=dt.UTC)
    return [
        f"{span.starts_at:%m-%dT%H:%M}/{span.ends_at:%H:%M}"
        for span in one.spans(begin, begin + days * DAY)
    ]


def test_local_time_holds_while_the_offset_changes() -> None:
    """Europe/Berlin, last Sunday of March 2027: 02:00 is 01:00 UTC before, 00:00 UTC after."""
    one = recurrence("FREQ=DAILY", "2027-03-27", "04:00")
    assert told(one, "2027-03-27", 3) == [
        "03-27T03:00/04:00",
        "03-28T02:00/03:00",
        "03-29T02:00/03:00",
    ]


def test_a_time_that_the_clocks_skip_is_read_with_the_offset_from_before() -> None:
    one = recurrence("FREQ=DAILY", "2027-03-28", "02:30")
    # 02:30 does not exist: 02:30 of winter is 01:30 UTC, which the clocks call 03:30.
    assert told(one, "2027-03-28", 1) == ["03-28T01:30/02:30"]


def test_a_time_that_comes_twice_means_the_first() -> None:
    one = recurrence("FREQ=DAILY", "2026-10-25", "02:30")
    # 02:30 of summer is 00:30 UTC, that of winter 01:30.
    assert told(one, "2026-10-25", 1) == ["10-25T00:30/01:30"]


@pytest.mark.parametrize("day", ["2027-03-28", "2026-10-25"])
def test_a_duration_is_elapsed_time_on_days_of_23_and_25_hours(day: str) -> None:
    one = recurrence("FREQ=DAILY", day, "00:30", minutes=300)
    (span,) = one.spans(*_around(day))
    assert span.ends_at - span.starts_at == dt.timedelta(hours=5)


def _around(day: str) -> tuple[dt.datetime, dt.datetime]:
    noon = dt.datetime.fromisoformat(f"{day}T12:00+00:00")
    return noon - DAY / 2 - dt.timedelta(hours=1), noon


def test_every_fourth_sunday_is_counted_from_the_first_day() -> None:
    one = recurrence("FREQ=WEEKLY;INTERVAL=4;BYDAY=SU", "2026-11-01", zone="Asia/Kolkata")
    assert told(one, "2026-11-20", 60) == ["11-28T20:30/21:30", "12-26T20:30/21:30"]


def test_the_last_friday_of_the_month() -> None:
    one = recurrence("freq=monthly;byday=-1FR", "2026-11-01", zone="UTC")
    assert told(one, "2026-11-01", 62) == ["11-27T02:00/03:00", "12-25T02:00/03:00"]


def test_what_began_before_and_lasts_is_among_the_times() -> None:
    one = recurrence("FREQ=WEEKLY", "2026-11-16", "22:00", minutes=600, zone="UTC")
    assert told(one, "2026-11-17T03:00", 1) == ["11-16T22:00/08:00"]
    assert told(one, "2026-11-17T08:00", 1) == []


def test_a_count_is_kept_from_the_first_day_on() -> None:
    one = recurrence("FREQ=DAILY;COUNT=3", "2026-11-16", zone="UTC")
    assert told(one, "2026-11-17T12:00") == ["11-18T02:00/03:00"]


def test_the_last_day_counts() -> None:
    one = recurrence("FREQ=DAILY;UNTIL=20261117", "2026-11-16", "23:00", 30, "UTC")
    assert told(one, "2026-11-16") == ["11-16T23:00/23:30", "11-17T23:00/23:30"]
    one = recurrence("FREQ=DAILY;UNTIL=20261117T220000", "2026-11-16", "23:00", 30, "UTC")
    assert told(one, "2026-11-16") == ["11-16T23:00/23:30"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("FREQ=HOURLY", "DAILY, WEEKLY or MONTHLY"),
        ("FREQ=MINUTELY", "DAILY, WEEKLY or MONTHLY"),
        ("FREQ=SECONDLY", "DAILY, WEEKLY or MONTHLY"),
        ("FREQ=YEARLY", "DAILY, WEEKLY or MONTHLY"),
        ("FREQ=DAILY;BYHOUR=1,2", "must not have BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=1", "must not have BYMINUTE"),
        ("FREQ=DAILY;BYEASTER=1", "must not have BYEASTER"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0"),
        ("FREQ=DAILY;COUNT=99999", "COUNT=99999"),
        ("FREQ=DAILY;UNTIL=20261231T000000Z", "without Z"),
        ("FREQ=DAILY;UNTIL=20261331", "not a day of the calendar"),
        ("FREQ=WEEKLY;BYDAY=1SU", "FREQ=MONTHLY alone"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0"),
        ("FREQ=DAILY;INTERVAL=٣", "INTERVAL"),
        ("FREQ=MONTHLY;BYSETPOS=1", "to choose from"),
        ("FREQ=DAILY;FREQ=DAILY", "each name once"),
        ("FREQ=DAILY\nEXDATE=20261116", "FREQ is DAILY"),
        ("DTSTART:20261116\nRRULE:FREQ=DAILY", "must not have"),
        ("BYDAY=SU", "needs FREQ"),
        ("daily", "NAME=VALUE"),
        ("", "NAME=VALUE"),
        ("FREQ=DAILY;" + "BYMONTH=" + "1," * 150 + "1", "at most 200"),
    ],
)
def test_what_is_no_plain_rule_is_refused_with_the_reason(rule: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        checked_rule(rule)


_days = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
_rules = st.builds(
    lambda frequency, interval, day, month, more: (
        f"FREQ={frequency};INTERVAL={interval};BYDAY={day}{month}{more}"
    ),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    st.integers(1, 999),
    _days,
    st.sampled_from(["", ";BYMONTH=2", ";BYMONTHDAY=31;BYMONTH=2", ";BYMONTHDAY=-1"]),
    st.sampled_from(["", ";COUNT=3", ";UNTIL=20270101"]),
)


@settings(deadline=None)
@given(_rules, st.sampled_from([BERLIN, "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia"]))
def test_times_are_in_order_and_as_long_as_they_should_be(rule: str, zone: str) -> None:
    one = recurrence(rule, zone=zone)
    spans = list(one.spans(NOW, NOW + 400 * DAY))
    assert spans == sorted(spans, key=lambda span: span.starts_at)
    assert all(span.ends_at - span.starts_at == one.duration for span in spans)
    assert all(span.ends_at > NOW and span.starts_at < NOW + 400 * DAY for span in spans)


def test_a_rule_that_never_comes_costs_little_and_is_told() -> None:
    # Of this thread's own time: what else the machine does meanwhile is not counted.
    began = time.thread_time()
    one = recurrence("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=9")
    assert fault(one, NOW) == ("rrule", "has no time from now on")
    assert time.thread_time() - began < 2


def test_a_leap_day_is_found() -> None:
    one = recurrence("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29", "2028-03-01")
    assert fault(one, dt.datetime(2028, 3, 1, tzinfo=dt.UTC)) is None
    assert next(one.spans(NOW, NOW + 2 * LOOKED_AHEAD)).starts_at.year == 2032


def test_a_rule_that_is_over_is_told() -> None:
    one = recurrence("FREQ=DAILY;COUNT=2", "2026-11-01")
    assert fault(one, NOW) == ("rrule", "has no time from now on")


def test_times_that_run_into_each_other_for_good_are_told() -> None:
    assert fault(recurrence(minutes=24 * 60), NOW) == (
        "duration_minutes",
        "lets the times run into each other for more than 7 days",
    )
    weekend = recurrence("FREQ=WEEKLY;BYDAY=SA,SU", at="00:00", minutes=24 * 60)
    assert fault(weekend, NOW) is None
    assert fault(recurrence("FREQ=WEEKLY", minutes=int(LONGEST.total_seconds() / 60)), NOW)
