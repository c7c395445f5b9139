"""Each punch's window holds what came before it, and nothing else, whatever the input."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from noc.fraud.windows import windows_before

Happenings = list[tuple[int, int]]

happenings = st.lists(st.tuples(st.integers(0, 4), st.integers(-50, 50)), max_size=30)


def arrays(pairs: Happenings) -> tuple[np.ndarray, np.ndarray]:
    people, times = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(people, dtype=np.int64), np.array(times, dtype=np.int64)


@given(happenings, happenings, st.integers(0, 60), st.none() | st.integers(1, 5))
def test_windows_are_what_a_plain_search_finds(
    punches: Happenings, events: Happenings, back: int, most: int | None
) -> None:
    windows = windows_before(*arrays(punches), *arrays(events), back=back, most=most)

    for number, (person, time) in enumerate(punches):
        plain = sorted(when for who, when in events if who == person and time - back <= when < time)
        found = [events[event][1] for event in windows.events(number)]
        assert found == (plain if most is None else plain[-most:])
        assert {events[event][0] for event in windows.events(number)} <= {person}


@given(happenings, happenings)
def test_pairs_and_the_last_event_agree_with_the_windows(
    punches: Happenings, events: Happenings
) -> None:
    windows = windows_before(*arrays(punches), *arrays(events), back=1000)
    punch, event = windows.pairs()

    for number in range(len(punches)):
        mine = windows.events(number).tolist()
        assert event[punch == number].tolist() == mine
        assert windows.last()[number] == (mine[-1] if mine else -1)
