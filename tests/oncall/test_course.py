"""Which step comes when."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from noc.oncall.course import SHORTEST_PAUSE, Course, Step
from tests.factories import NOW


def minutes(course: Course) -> list[tuple[int, int, float]]:
    return [(turn, n, (at - NOW).total_seconds() / 60) for turn, n, at in course.moments(NOW)]


def test_steps_come_one_after_the_other_and_all_of_them_again() -> None:
    course = Course((Step(5), Step(10), Step(15)), repeats=1)
    assert minutes(course) == [
        (1, 1, 5), (1, 2, 15), (1, 3, 30), (2, 1, 35), (2, 2, 45), (2, 3, 60),
    ]  # fmt: skip
    assert course.exhausted_at(NOW) == NOW + dt.timedelta(minutes=65)


def test_one_that_begins_at_once_leaves_time_to_answer_before_it_is_repeated() -> None:
    course = Course((Step(0),), repeats=2)
    assert minutes(course) == [(1, 1, 0), (2, 1, 5), (3, 1, 10)]
    assert course.exhausted_at(NOW) == NOW + dt.timedelta(minutes=15)


@given(st.lists(st.integers(1, 1440), max_size=9), st.integers(0, 1440), st.integers(0, 5))
def test_nobody_is_told_twice_at_once_and_it_ends(
    waits: list[int], first: int, repeats: int
) -> None:
    course = Course((Step(first), *(Step(wait) for wait in waits)), repeats)
    told = [at for _, _, at in course.moments(NOW)]
    assert len(told) == (repeats + 1) * (len(waits) + 1)
    assert told == sorted(set(told))
    pause = course.exhausted_at(NOW) - told[-1]
    assert pause >= dt.timedelta(minutes=max(SHORTEST_PAUSE, first))
