"""How good scores are, for many weightings of the rows at once: the bootstrap is a weighting.

Every function takes ``weights`` (draws, rows), how often each row is in each draw, and returns
(draws,); a weighting of ones gives the plain value. NaN where a value is not defined.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import FloatArray, IntArray

Weights = NDArray[np.float32] | FloatArray
"""(draws, rows)."""

DRAWS = 500
LEVEL = 0.9
FEWEST_DRAWS = 100
ALTOGETHER = 20_000_000
"""Weights drawn altogether: some seconds."""

FEWEST_GROUPS = 5
"""Groups of a kind below which rows are drawn: of two or three people the same ones come out each

time, and the interval would claim to be sure.
"""

CELLS = 2_000_000
"""Weights held at a time; more rows mean fewer draws at a time."""

ECE_BINS = 10
TOPS = (10, 50, 100, 500)


@dataclass(frozen=True, slots=True)
class Curve:
    """Weighted frauds and alerts (draws, thresholds) from the highest score down."""

    frauds: FloatArray
    alerts: FloatArray

    @property
    def precision(self) -> FloatArray:
        """Share of frauds among the alerts, 0 where there are none."""
        return np.divide(
            self.frauds, self.alerts, out=np.zeros_like(self.frauds), where=self.alerts > 0
        )

    @property
    def recall(self) -> FloatArray:
        """Share of the frauds that are alerts."""
        return np.divide(
            self.frauds,
            self.frauds[:, -1:],
            out=np.full_like(self.frauds, np.nan),
            where=self.frauds[:, -1:] > 0,
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of labelled rows, sorted once for all draws; equal ones are one threshold."""

    chances: FloatArray
    labels: FloatArray
    order: IntArray
    ends: IntArray

    def curve(self, weights: Weights) -> Curve:
        """Frauds and alerts at each threshold."""
        sorted_weights = weights[:, self.order]
        alerts = np.cumsum(sorted_weights, axis=1)[:, self.ends].astype(np.float64)
        frauds = np.cumsum(sorted_weights * self.labels[self.order], axis=1)[:, self.ends].astype(
            np.float64
        )
        return Curve(frauds, alerts)

    @property
    def thresholds(self) -> FloatArray:
        """The distinct scores, highest first."""
        return self.chances[self.order][self.ends]


def ranked(chances: FloatArray, labels: FloatArray) -> Scores:
    """Sort once."""
    order = np.argsort(-chances, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(chances[order])), len(order) - 1)
    return Scores(chances, labels, order, ends)


def average_precision(curve: Curve) -> FloatArray:
    """Sum over thresholds of (gain in recall) * precision."""
    gains = np.diff(curve.recall, axis=1, prepend=0.0)
    return np.asarray((gains * curve.precision).sum(axis=1))


def measure(scores: Scores, weights: Weights, threshold: float) -> dict[str, FloatArray]:
    """All figures of one set of scores, each (draws,)."""
    curve = scores.curve(weights)
    labels, chances = scores.labels, scores.chances
    total = weights.sum(axis=1)
    at = chances >= threshold
    hits, alerts = weights @ (at * labels), weights @ at.astype(np.float64)
    frauds = curve.frauds[:, -1]
    clipped = np.clip(chances, 1e-12, 1 - 1e-12)
    log_loss = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = {
            "ap": average_precision(curve),
            "precision": np.where(alerts > 0, hits / alerts, np.nan),
            "recall": hits / frauds,
            "f1": 2 * hits / (alerts + frauds),
            "precision_at_80_recall": _precision_at_recall(curve, 0.8),
            "brier": weights @ (chances - labels) ** 2 / total,
            "log_loss": weights @ log_loss / total,
            "ece": _ece(scores, weights) / total,
            "roc_auc": _roc_auc(curve),
        }
    for top in TOPS:
        if top <= len(labels):
            figures[f"precision_at_{top}"] = _precision_at_top(curve, top)
    return figures


def _precision_at_recall(curve: Curve, least: float) -> FloatArray:
    reached = curve.recall >= least - 1e-12
    first = reached.argmax(axis=1)
    value = np.take_along_axis(curve.precision, first[:, None], axis=1)[:, 0]
    return np.where(reached.any(axis=1), value, np.nan)


def _precision_at_top(curve: Curve, top: int) -> FloatArray:
    reached = curve.alerts >= top
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), curve.alerts.shape[1] - 1)
    return np.asarray(np.take_along_axis(curve.precision, first[:, None], axis=1)[:, 0])


def _roc_auc(curve: Curve) -> FloatArray:
    genuine = curve.alerts - curve.frauds
    mean_height = curve.frauds - np.diff(curve.frauds, axis=1, prepend=0.0) / 2
    area = (np.diff(genuine, axis=1, prepend=0.0) * mean_height).sum(axis=1)
    return np.asarray(area / (curve.frauds[:, -1] * genuine[:, -1]))


def _ece(scores: Scores, weights: Weights) -> FloatArray:
    """Expected calibration error over ten equal bins of probability, times the weight."""
    bins = np.minimum((scores.chances * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = scores.chances - scores.labels
    parts = [np.abs(weights[:, bins == one] @ gaps[bins == one]) for one in range(ECE_BINS)]
    return np.asarray(np.sum(parts, axis=0))


def draws(
    labels: FloatArray,
    seed: int,
    count: int | None = None,
    *,
    groups: IntArray | None = None,
) -> Iterator[Weights]:
    """Weightings of a bootstrap within each label, in pieces of at most CELLS weights.

    With ``groups`` whole groups are drawn, those with a fraud and those without apart: what one
    person does is no independent evidence each time (Davison and Hinkley 1997, section 3.8);
    with fewer than FEWEST_GROUPS of either kind it is the rows all the same.
    500 in all, or fewer of many rows: their intervals are narrow already, and need fewer. The
    same labels and seed give the same weightings, however often they are asked for.
    """
    if groups is not None:
        _, member = np.unique(groups, return_inverse=True)
        frauds = np.bincount(member, weights=labels) > 0
        if all(not 0 < kind < FEWEST_GROUPS for kind in (frauds.sum(), (~frauds).sum())):
            yield from _of_groups(frauds, member, seed, count or how_many(len(labels)))
            return
    rng = np.random.default_rng(seed)
    kinds = [np.flatnonzero(labels == kind) for kind in (0, 1)]
    size = max(1, min(DRAWS, CELLS // max(len(labels), 1)))
    left = how_many(len(labels)) if count is None else count
    while left > 0:
        weights = np.zeros((min(size, left), len(labels)), dtype=np.float32)
        for rows in kinds:
            for draw in weights:
                picks = rng.integers(0, len(rows), len(rows)) if len(rows) else rows
                draw[rows] = np.bincount(picks, minlength=len(rows))
        yield weights
        left -= len(weights)


def _of_groups(
    frauds: NDArray[np.bool_], member: IntArray, seed: int, count: int
) -> Iterator[Weights]:
    step = max(1, CELLS // len(member))
    for weights in draws(frauds.astype(np.float64), seed, count):
        for start in range(0, len(weights), step):
            yield weights[start : start + step, member]


def how_many(rows: int) -> int:
    """Draws for so many rows: DRAWS, from 40,000 rows on fewer, FEWEST_DRAWS at least."""
    return int(np.clip(ALTOGETHER // max(rows, 1), FEWEST_DRAWS, DRAWS))


def interval(value: float, drawn: FloatArray) -> dict[str, float | None]:
    """The value with the bootstrap's percentile interval, widened where it misses the value."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known):
        return {"value": float(value) if np.isfinite(value) else None, "low": None, "high": None}
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "value": float(value),
        "low": float(min(low, value)),
        "high": float(max(high, value)),
    }


def operating_threshold(chances: FloatArray, labels: FloatArray, precision: float) -> float:
    """The score of the best F1 among those with at least ``precision``, else of the best F1."""
    scores = ranked(chances, labels)
    curve = scores.curve(np.ones((1, len(labels))))
    frauds, alerts = curve.frauds[0], curve.alerts[0]
    f1 = 2 * frauds / (alerts + frauds[-1])
    good = frauds >= precision * alerts
    best = int(np.argmax(np.where(good & (frauds > 0), f1, -1.0) if good.any() else f1))
    if not (good & (frauds > 0)).any():
        best = int(np.argmax(f1))
    # Half-way to the next score: the window's own row must not sit on the edge.
    below = scores.thresholds[best + 1] if best + 1 < len(scores.thresholds) else 0.0
    return float((scores.thresholds[best] + below) / 2)
