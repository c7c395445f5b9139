"""Pictures of the report, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from noc.fraud.intervals import wilson
from noc.fraud.training import report


def test_groups_of_the_calibration_have_the_products_one_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[float, float]] = []

    def noted(share: float, size: float) -> tuple[float, float]:
        asked.append((share, size))
        return wilson(share, size)

    monkeypatch.setattr(report, "wilson", noted)
    chances = np.array([0.12] * 8 + [0.97, 0.99])
    labels = np.array([1.0] + [0.0] * 7 + [1.0, 1.0])

    low, high = report.calibration_curve(chances, labels)

    assert asked == [(0.125, 8), (1.0, 2)]
    assert (low["observed"], low["count"]) == (0.125, 8)
    assert (low["low"], low["high"]) == wilson(1 / 8, 8)
    # Wilson of 2 in 2 at 90 %: n / (n + z^2)
    assert high["low"] == pytest.approx(2 / (2 + 1.6448536**2))
    assert high["high"] == 1.0
