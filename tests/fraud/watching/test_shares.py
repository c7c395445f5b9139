"""Distances between distributions and intervals of shares, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noc.fraud.intervals import wilson
from noc.fraud.watching.shares import (
    binned,
    deciles,
    estimate,
    level,
    psi,
    with_common,
)


def test_the_index_is_what_the_formula_gives() -> None:
    # (.3 - .5) ln(.3/.5) + (.7 - .5) ln(.7/.5) = .102165 + .067294
    assert psi([0.5, 0.5], [0.3, 0.7]) == pytest.approx(0.169459, abs=1e-6)
    # three bins: -.1 ln(.1/.2) + 0 + .1 ln(.4/.3) = .069315 + .028768
    assert psi([0.2, 0.5, 0.3], [0.1, 0.5, 0.4]) == pytest.approx(0.098083, abs=1e-6)
    assert psi([0.2, 0.8], [0.2, 0.8]) == 0


def test_an_empty_bin_counts_as_a_ten_thousandth_and_shares_add_up_again() -> None:
    a, b = 1 / 1.0001, 0.0001 / 1.0001
    by_hand = (0.5 - a) * math.log(0.5 / a) + (0.5 - b) * math.log(0.5 / b)
    assert psi([1.0, 0.0], [0.5, 0.5]) == pytest.approx(by_hand, abs=1e-12)
    assert by_hand == pytest.approx(4.6047, abs=1e-3)


@pytest.mark.parametrize(("one", "other"), [([], []), ([1.0], [0.5, 0.5])])
def test_other_bins_cannot_be_compared(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="same bins"):
        psi(one, other)


counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


@given(counts, counts)
def test_the_index_is_never_negative_and_the_same_both_ways(one: list[int], two: list[int]) -> None:
    size = min(len(one), len(two))
    first = [n / max(sum(one[:size]), 1) for n in one[:size]]
    second = [n / max(sum(two[:size]), 1) for n in two[:size]]
    assert psi(first, second) >= 0
    assert psi(first, second) == pytest.approx(psi(second, first))


def test_values_fall_into_the_bin_above_their_edge_and_missing_ones_into_the_last() -> None:
    values = np.array([0.0, 1.0, 1.5, 2.0, 9.0, np.nan, np.nan, np.nan])
    assert binned(values, [1.0, 2.0]) == [1 / 8, 2 / 8, 2 / 8, 3 / 8]
    assert binned(values[:0], [1.0]) == [0, 0, 0]
    assert binned(values, []) == [5 / 8, 3 / 8]


def test_deciles_are_fewer_where_values_repeat() -> None:
    assert deciles(np.arange(101.0)) == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert deciles(np.array([0.0] * 95 + [1.0] * 5)) == [0.0]
    assert deciles(np.array([np.nan])) == []


def test_a_common_value_is_a_bin_of_its_own() -> None:
    mostly_none = np.array([0.0] * 95 + [1.0] * 5)
    edges = with_common([0.0], mostly_none)
    assert binned(mostly_none, edges) == [0, 0.95, 0.05, 0]
    assert with_common([50.0], np.arange(101.0)) == [50.0]


def test_nothing_alarms_below_five_hundred_on_either_side() -> None:
    assert level(0.9, 499, 10_000) == level(0.9, 10_000, 499) == "too few"
    assert level(0.9, 500, 500) == level(0.25, 500, 500) == "alarm"
    assert level(0.2499, 500, 500) == level(0.10, 500, 500) == "watch"
    assert level(0.0999, 500, 500) == "steady"
    assert level(None, 500, 500) == "too few"


def test_the_interval_is_wilsons() -> None:
    # 8 of 10 at 90 %: (0.8 + 2.7055/20 -+ 1.6449 sqrt(.016 + 2.7055/400)) / 1.27055
    low, high = wilson(0.8, 10)
    assert (low, high) == pytest.approx((0.5408, 0.9315), abs=1e-4)
    assert wilson(0.0, 20)[0] == 0
    assert wilson(0.0, 20)[1] == pytest.approx(2.7055 / 22.7055, abs=1e-4)
    assert estimate(None, 0) == {"value": None, "low": None, "high": None}
    assert estimate(0.5, 0) == {"value": None, "low": None, "high": None}
