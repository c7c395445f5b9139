"""Who is on call: one at every moment, in order, handed over by the clock on the wall."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noc.oncall.rotation import Override, Rotation, Schedule, ends_after, shifts, who

ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
         "Pacific/Chatham", "America/Sao_Paulo", "Africa/Casablanca")  # fmt: skip
DAY = dt.timedelta(days=1)


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    """Any rotation, with members 1, 2, 3 ..."""
    period = draw(st.sampled_from(["daily", "weekly"]))
    return Rotation(
        draw(st.sampled_from(ZONES)),
        period,
        dt.time(draw(st.integers(0, 23)), draw(st.integers(0, 59))),
        draw(st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1))),
        tuple(range(1, draw(st.integers(1, 6)) + 1)),
        draw(st.integers(0, 6)) if period == "weekly" else 0,
    )


later = st.timedeltas(dt.timedelta(0), dt.timedelta(days=1500))


@given(rotations(), later)
def test_exactly_one_is_on_call_at_every_moment_after_the_beginning(
    rotation: Rotation, after: dt.timedelta
) -> None:
    moment = rotation.begins_at() + after
    turn = rotation.turn_at(moment)
    assert turn is not None
    assert rotation.handover_at(turn) <= moment < rotation.handover_at(turn + 1)
    assert who(Schedule(rotation), moment) == rotation.members[turn % len(rotation.members)]


@given(rotations(), st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=400)))
def test_before_the_beginning_nobody_is(rotation: Rotation, before: dt.timedelta) -> None:
    assert who(Schedule(rotation), rotation.begins_at() - before) is None
    assert who(Schedule(rotation), rotation.begins_at()) == 1


@given(rotations(), later)
def test_the_order_is_kept_and_each_handover_is_at_the_local_time(
    rotation: Rotation, after: dt.timedelta
) -> None:
    zone = ZoneInfo(rotation.timezone)
    since = rotation.begins_at() + after
    found = list(shifts(Schedule(rotation), since, since + 40 * DAY))
    assert (found[0].starts_at, found[-1].ends_at) == (since, since + 40 * DAY)
    size = len(rotation.members)
    for one, other in pairwise(found):
        assert one.ends_at == other.starts_at
        assert one.user_id is not None
        assert other.user_id == one.user_id % size + 1
        local = other.starts_at.astimezone(zone)
        # Where the clocks leave the time out, it comes as much later as they are put forward.
        missing = dt.datetime.combine(local.date(), rotation.handover, zone)
        exists = missing.astimezone(dt.UTC).astimezone(zone).time() == rotation.handover
        if exists:
            assert local.time() == rotation.handover
        else:
            assert (
                dt.timedelta(0)
                < local.replace(tzinfo=None) - missing.replace(tzinfo=None)
                <= (dt.timedelta(hours=1))
            )
        if rotation.period == "weekly":
            assert local.weekday() == rotation.weekday


@given(rotations(), later, st.sets(st.integers(1, 6)))
def test_whoever_cannot_be_is_passed_over_and_the_next_takes_their_place(
    rotation: Rotation, after: dt.timedelta, able: set[int]
) -> None:
    moment = rotation.begins_at() + after
    turn = rotation.turn_at(moment) or 0
    size = len(rotation.members)
    order = [rotation.members[(turn + n) % size] for n in range(size)]
    assert who(Schedule(rotation), moment, able) == next((m for m in order if m in able), None)


@given(rotations(), later, st.lists(st.tuples(later, later, st.integers(10, 12)), max_size=5))
def test_shifts_say_what_who_says(
    rotation: Rotation, after: dt.timedelta, spans: list[tuple[dt.timedelta, dt.timedelta, int]]
) -> None:
    begin = rotation.begins_at()
    overrides = tuple(
        Override(number, user, begin + min(a, b), begin + max(a, b) + DAY)
        for number, (a, b, user) in enumerate(spans, 1)
    )
    schedule = Schedule(rotation, overrides)
    since = begin + after
    found = list(shifts(schedule, since, since + 20 * DAY))
    assert [one.starts_at for one in found[1:]] == [one.ends_at for one in found[:-1]]
    for one in found:
        middle = one.starts_at + (one.ends_at - one.starts_at) / 2
        last = one.ends_at - dt.timedelta(microseconds=1)
        assert {who(schedule, at) for at in (one.starts_at, middle, last)} == {one.user_id}
        assert one.ends_at <= ends_after(schedule, one.starts_at) or one is found[-1]


BERLIN = Rotation("Europe/Berlin", "daily", dt.time(2, 30), dt.date(2026, 3, 27), (1, 2, 3))


def test_a_time_that_the_clocks_leave_out_comes_when_they_would_have_shown_it() -> None:
    # On 29 March 2026 02:00 is followed by 03:00: 02:30 by the winter's clock is 01:30 UTC.
    assert BERLIN.handover_at(2) == dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
    assert BERLIN.handover_at(3) == dt.datetime(2026, 3, 30, 0, 30, tzinfo=dt.UTC)
    assert BERLIN.handover_at(3) - BERLIN.handover_at(2) == dt.timedelta(hours=23)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    autumn = Rotation("Europe/Berlin", "daily", dt.time(2, 30), dt.date(2026, 10, 24), (1, 2))
    assert autumn.handover_at(1) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    assert autumn.handover_at(2) - autumn.handover_at(1) == dt.timedelta(hours=25)


def test_a_day_that_a_zone_left_out_hands_over_twice_at_once() -> None:
    samoa = Rotation("Pacific/Apia", "daily", dt.time(0), dt.date(2011, 12, 28), (1, 2, 3, 4))
    assert samoa.handover_at(2) == samoa.handover_at(3)
    before, after = samoa.handover_at(2) - dt.timedelta(hours=1), samoa.handover_at(2)
    assert (who(Schedule(samoa), before), who(Schedule(samoa), after)) == (2, 4)


@pytest.mark.parametrize(("weekday", "days"), [(0, 7), (3, 3), (6, 6), (1, 1)])
def test_a_weekly_rotation_begins_on_its_day_and_is_handed_over_on_its_weekday(
    weekday: int, days: int
) -> None:
    monday = dt.date(2026, 11, 16)
    weekly = Rotation("Asia/Kolkata", "weekly", dt.time(8), monday, (1, 2), weekday)
    schedule, begin = Schedule(weekly), weekly.begins_at()
    assert begin == dt.datetime(2026, 11, 16, 2, 30, tzinfo=dt.UTC)
    assert who(schedule, begin + days * DAY - dt.timedelta(seconds=1)) == 1
    assert who(schedule, begin + days * DAY) == 2
    assert who(schedule, begin + (days + 7) * DAY) == 1


def test_of_two_overrides_the_later_made_holds_and_one_who_cannot_be_is_none() -> None:
    begin = BERLIN.begins_at()
    schedule = Schedule(
        BERLIN, (Override(1, 8, begin, begin + DAY), Override(2, 9, begin, begin + DAY / 2))
    )
    assert [who(schedule, begin + part * DAY) for part in (0, 0.5, 1)] == [9, 8, 2]
    assert who(schedule, begin, {8, 1}) == 8
    assert who(schedule, begin, {1, 2}) == 1
    assert who(schedule, begin, set()) is None
