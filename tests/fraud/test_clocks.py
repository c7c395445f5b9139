"""Hours of the week and days on a clock on the wall, and when that was."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from noc.fraud import clocks


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_a_zone_that_never_changes_has_one_stretch() -> None:
    start, end = utc("2026-03-01T05:00"), utc("2026-11-21T13:00:07")
    (only,) = clocks.stretches("Asia/Kolkata", start, end)
    assert (only.start, only.end) == (start, end)
    assert only.shift == dt.timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    ("zone", "change", "before", "after"),
    [
        # New York goes back at 06:00 UTC, Lord Howe by half an hour at 15:30 UTC.
        ("America/New_York", "2026-11-01T06:00", -4, -5),
        ("Australia/Lord_Howe", "2026-10-03T15:30", 10.5, 11),
    ],
)
def test_a_change_of_the_clocks_begins_another_at_the_second(
    zone: str, change: str, before: float, after: float
) -> None:
    at = utc(change)
    for back in (0.4, 7, 30.2):
        start, end = at - dt.timedelta(days=back), at + dt.timedelta(days=back, minutes=7)
        first, second = clocks.stretches(zone, start, end)
        assert (first.start, first.end, second.start, second.end) == (start, at, at, end)
        assert first.shift == dt.timedelta(hours=before)
        assert second.shift == dt.timedelta(hours=after)


def test_an_hour_of_the_week_is_cut_by_the_period_and_comes_each_week() -> None:
    # Tuesday 02:00 in Kolkata is Monday 20:30 UTC.
    spans = clocks.of_hour(26, "Asia/Kolkata", utc("2026-11-02T20:45"), utc("2026-11-16T21:00"))
    assert spans == [
        (utc("2026-11-02T20:45"), utc("2026-11-02T21:30")),
        (utc("2026-11-09T20:30"), utc("2026-11-09T21:30")),
        (utc("2026-11-16T20:30"), utc("2026-11-16T21:00")),
    ]


def test_the_hour_that_comes_twice_has_both() -> None:
    # Sunday 01:00 in New York, 1 November 2026: at 05:00 and again at 06:00 UTC.
    hour = 6 * 24 + 1
    spans = clocks.of_hour(
        hour, "America/New_York", utc("2026-11-01T00:00"), utc("2026-11-02T00:00")
    )
    assert spans == [
        (utc("2026-11-01T05:00"), utc("2026-11-01T06:00")),
        (utc("2026-11-01T06:00"), utc("2026-11-01T07:00")),
    ]


def test_the_hours_of_a_week_are_all_of_it() -> None:
    start, end = utc("2026-10-29T11:17"), utc("2026-11-05T11:17")
    spans = sorted(
        span for hour in range(168) for span in clocks.of_hour(hour, "America/New_York", start, end)
    )
    assert spans[0][0] == start
    assert spans[-1][1] == end
    assert all(one[1] == two[0] for one, two in itertools.pairwise(spans))


def test_a_day_has_the_hours_that_its_clock_gives_it() -> None:
    start, end = clocks.of_day(dt.date(2026, 11, 1), "America/New_York")
    assert (start, end - start) == (utc("2026-11-01T04:00"), dt.timedelta(hours=25))
    assert clocks.days_until(utc("2026-11-01T20:00"), 2, "Asia/Tokyo") == [
        dt.date(2026, 11, 1),
        dt.date(2026, 11, 2),
    ]
