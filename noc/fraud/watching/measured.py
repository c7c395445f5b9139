"""Figures of a score on verdicts, with bootstrap intervals, in bounded memory and time."""

from __future__ import annotations

from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.retraining.measuring import NO_FIGURE
from noc.fraud.training import metrics

FIGURES = ("precision", "recall", "f1", "ap", "brier")

_FEWEST_DRAWS = 100
_CELLS = 20_000_000
"""Weights drawn altogether: some seconds. More verdicts mean fewer draws, and need fewer."""


def figures(
    labels: FloatArray, scores: FloatArray, threshold: float, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """FIGURES among the verdicts (0 or 1), each ``value``, ``low`` and ``high`` (90 %).

    Stratified bootstrap of 500 draws, fewer from 40,000 verdicts on and 100 at least. All None
    where there is no verdict, or all of them say the same.
    """
    if not labels.any() or labels.all():
        return {name: dict(NO_FIGURE) for name in FIGURES}
    rows = len(labels)
    ranked = metrics.ranked(scores, labels)
    once = metrics.measure(ranked, np.ones((1, rows)), threshold)
    left = int(np.clip(_CELLS // rows, _FEWEST_DRAWS, metrics.DRAWS))
    piece = max(1, metrics.CELLS // rows)
    drawn: dict[str, list[FloatArray]] = {name: [] for name in FIGURES}
    while left > 0:
        # A piece at a time: five hundred weightings of many verdicts would not fit into memory.
        for weights in metrics.draws(labels, seed, min(piece, left)):
            measured = metrics.measure(ranked, weights, threshold)
            for name in FIGURES:
                drawn[name].append(measured[name])
        left, seed = left - piece, seed + 1
    return {
        name: _rounded(metrics.interval(float(once[name][0]), np.concatenate(drawn[name])))
        for name in FIGURES
    }


def _rounded(figure: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None else round(float(value), 6) for name, value in figure.items()
    }
