"""Figures of a score on verdicts, with bootstrap intervals."""

from __future__ import annotations

from typing import Any

from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.retraining import measuring
from noc.fraud.retraining.measuring import NO_FIGURE

FIGURES = ("precision", "recall", "f1", "ap", "brier")


def figures(
    labels: FloatArray, scores: FloatArray, people: IntArray, threshold: float, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """FIGURES among the verdicts (0 or 1), each ``value``, ``low`` and ``high`` (90 %).

    Bootstrap of 500 draws of ``people``, fewer from 40,000 verdicts on and 100 at least. All None
    where there is no verdict, or all of them say the same.
    """
    if not labels.any() or labels.all():
        return {name: dict(NO_FIGURE) for name in FIGURES}
    measured, _ = measuring.figures(labels, {"together": scores}, threshold, seed, groups=people)
    return {name: _rounded(measured["together"][name]) for name in FIGURES}


def _rounded(figure: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None else round(float(value), 6) for name, value in figure.items()
    }
