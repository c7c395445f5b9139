"""Distances agree with Karney's geodesics, and bad fixes do not count."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from noc.telemetry.movement import MAX_SPEED, distance_travelled, distances

Fix = tuple[float, float, float, float]
"""lat, lon, accuracy, seconds."""


def karney(one: Fix, other: Fix) -> float:
    return float(Geodesic.WGS84.Inverse(one[0], one[1], other[0], other[1])["s12"])


def by_the_book(fixes: Sequence[Fix]) -> float:
    """The rule, said as plainly as possible, with another library's geodesics."""
    travelled, anchor = 0.0, None
    for fix in fixes:
        if anchor is None:
            anchor = fix
            continue
        step = karney(anchor, fix)
        standing_still = step < anchor[2] + fix[2]
        bad_fix = step > MAX_SPEED * (fix[3] - anchor[3])
        if not standing_still and not bad_fix:
            travelled += step
            anchor = fix
    return travelled


def travelled(fixes: Sequence[Fix]) -> float:
    return distance_travelled(*np.array(fixes, dtype=float).reshape(-1, 4).T)


@pytest.mark.parametrize(
    ("kilometres", "error"), [(0.01, 1e-8), (1, 1e-8), (10, 1e-8), (500, 1e-5), (8000, 2e-3)]
)
def test_a_step_is_as_long_as_the_geodesic(kilometres: float, error: float) -> None:
    for lat, azimuth in itertools.product(range(-80, 81, 20), range(0, 360, 30)):
        end = Geodesic.WGS84.Direct(lat, 179.9, azimuth, kilometres * 1000)
        length = distances(lat, 179.9, end["lat2"], end["lon2"])
        assert float(length) == pytest.approx(kilometres * 1000, rel=error)


def test_nobody_moves_on_fewer_than_two_fixes() -> None:
    assert travelled([]) == 0
    assert travelled([(19.0, 72.0, 0, 0)]) == 0


def test_nearer_than_both_accuracies_together_is_standing_still() -> None:
    north = Geodesic.WGS84.Direct(19.0, 72.0, 0, 30)["lat2"]
    assert travelled([(19.0, 72.0, 16, 0), (north, 72.0, 15, 60)]) == 0
    assert travelled([(19.0, 72.0, 15, 0), (north, 72.0, 14, 60)]) == pytest.approx(30)


def test_a_step_is_measured_from_the_last_fix_that_counted() -> None:
    metres = [0, 12, 24, 36]
    fixes = [
        (Geodesic.WGS84.Direct(19.0, 72.0, 0, far)["lat2"], 72.0, 10.0, 60.0 * n)
        for n, far in enumerate(metres)
    ]
    assert travelled(fixes) == pytest.approx(24), "slow creeping is seen once it leaves the noise"


def test_faster_than_250_km_an_hour_is_a_bad_fix() -> None:
    jump = Geodesic.WGS84.Direct(19.0, 72.0, 90, 3000)
    back = Geodesic.WGS84.Direct(19.0, 72.0, 90, 40)
    fixes = [
        (19.0, 72.0, 0.0, 0.0),
        (jump["lat2"], jump["lon2"], 0.0, 10.0),
        (back["lat2"], back["lon2"], 0.0, 20.0),
    ]
    assert travelled(fixes) == pytest.approx(40)
    slow = [(lat, lon, acc, seconds * 5) for lat, lon, acc, seconds in fixes]
    assert travelled(slow) == pytest.approx(3000 + 2960, rel=1e-6)


def test_two_places_at_one_moment_cannot_both_count() -> None:
    fixes = [(19.0, 72.0, 0.0, 0.0), (19.001, 72.0, 0.0, 0.0), (19.0, 72.0, 0.0, 60.0)]
    assert travelled(fixes) == 0


WALKS = st.lists(
    st.tuples(
        st.floats(-3e-3, 3e-3),
        st.floats(-3e-3, 3e-3),
        st.sampled_from([0.0, 0.0, 5.0, 40.0, 200.0]),
        st.sampled_from([0.0, 1.0, 5.0, 30.0]),
    ),
    max_size=60,
)


@given(WALKS)
@settings(max_examples=200, deadline=None)
def test_any_walk_is_as_long_as_by_the_book(steps: list[Fix]) -> None:
    fixes = []
    lat, lon, seconds = 39.9, 116.4, 0.0
    for north, east, accuracy, wait in steps:
        lat, lon, seconds = lat + north, lon + east, seconds + wait
        fixes.append((lat, lon, accuracy, seconds))
    assert travelled(fixes) == pytest.approx(by_the_book(fixes), rel=1e-7, abs=1e-6)
