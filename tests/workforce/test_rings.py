"""Which corners make an area, and what is said of those that do not."""

from __future__ import annotations

import math

import pytest

from noc.workforce.rings import Corner, fault

SQUARE = [(72.87, 19.07), (72.88, 19.07), (72.88, 19.08), (72.87, 19.08)]


def circle(corners: int, *, radius: float = 0.01) -> list[Corner]:
    steps = [2 * math.pi * n / corners for n in range(corners)]
    return [(72.87 + radius * math.cos(a), 19.07 + radius * math.sin(a)) for a in steps]


@pytest.mark.parametrize(
    "ring",
    [
        SQUARE,
        [*SQUARE, SQUARE[0]],
        SQUARE[::-1],
        SQUARE[:3],
        [SQUARE[0], SQUARE[0], *SQUARE[1:]],
        [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (1.0, 0.5), (0.0, 2.0)],
        [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 2.0)],
        circle(1000),
        circle(60, radius=0.00002),
        [(179.0, -90.0), (180.0, -90.0), (180.0, 90.0)],
    ],
    ids=["open", "closed", "other way", "three", "said twice", "notched", "corner on a side",
         "a thousand", "a kiosk", "the edge of the map"],
)  # fmt: skip
def test_a_ring_that_does_not_meet_itself_is_an_area(ring: list[Corner]) -> None:
    assert fault(ring) is None


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "corners 1 and 3"),
        ([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], "meet itself"),
        ([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)], "meet itself"),
        ([(0, 0), (4, 0), (4, 4), (4, 2)], "meet itself"),
        ([(0, 0), (2, 0), (1, 0), (1, 1)], "meet itself"),
        ([(1, 1)] * 4, "three different"),
        ([(1, 1), (2, 2), (1, 1), (2, 2)], "area"),
        ([(1, 1), (2, 2), (1, 1)], "three different"),
        ([(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)], "one line"),
        ([(72.1, 19.1), (72.2, 19.2), (72.3, 19.3), (72.7, 19.7)], "one line"),
        ([(0, 0), (1e-9, 0), (0, 1e-9)], "area"),
    ],
    ids=["bow tie", "touches a side", "touches a corner", "goes back", "overlaps", "a point",
         "to and fro", "a line", "a line but for rounding", "a longer one", "a dot"],
)  # fmt: skip
def test_a_ring_that_encloses_nothing_or_crosses_itself_says_so(
    ring: list[Corner], reason: str
) -> None:
    assert reason in (fault([(float(x), float(y)) for x, y in ring]) or "")
