"""Log-odds made honest: a straight line from what the model says to what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noc.fraud.columns import FloatArray

ENOUGH_FOR_SLOPE = 10
"""Frauds, and genuine rows, below which only the base rate is matched."""

SLOPES = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """``slope * margin + intercept`` is the log-odds; ``slope`` > 0, so the ranking stays."""

    slope: float
    intercept: float
    positives: int
    by: str

    def __call__(self, margins: FloatArray) -> FloatArray:
        return self.slope * margins + self.intercept


def probabilities(log_odds: FloatArray) -> FloatArray:
    """The logistic function, value by value (numpy's own may round by position)."""
    from scipy.special import expit

    return np.asarray(expit(log_odds))


def calibrate(
    margins: FloatArray, labels: FloatArray, base_rate: float, warnings: list[str], what: str
) -> Calibration:
    """Platt's line through held-out ``margins`` (Platt 1999, with his smoothed targets).

    With fewer than ENOUGH_FOR_SLOPE rows of a kind the slope stays 1 and the mean probability is
    made ``base_rate`` or, where there are frauds, theirs. ``what`` names the scores in a warning.
    """
    frauds = int(labels.sum())
    genuine = len(labels) - frauds
    if min(frauds, genuine) >= ENOUGH_FOR_SLOPE:
        slope, intercept = _platt(margins, labels)
        if slope > SLOPES[0]:
            slope = min(slope, SLOPES[1])
            return (
                Calibration(slope, _matching(slope * margins, labels.mean()), frauds, "Platt")
                if slope == SLOPES[1]
                else Calibration(slope, intercept, frauds, "Platt")
            )
        warnings.append(
            f"The {what} did not rank the calibration window's frauds above the rest; its "
            "probabilities were only matched to the base rate."
        )
    rate = float(labels.mean()) if frauds and genuine else base_rate
    if min(frauds, genuine) < ENOUGH_FOR_SLOPE:
        warnings.append(
            f"Only {min(frauds, genuine)} held-out rows of one kind to calibrate the {what} on: "
            "its probabilities were only matched to the base rate."
        )
    if not len(margins):
        return Calibration(1.0, 0.0, 0, "nothing")
    return Calibration(1.0, _matching(margins, rate), frauds, "base rate")


def _platt(margins: FloatArray, labels: FloatArray) -> tuple[float, float]:
    frauds = labels.sum()
    genuine = len(labels) - frauds
    target = np.where(labels == 1, (frauds + 1) / (frauds + 2), 1 / (genuine + 2))
    # Newton on centred margins: two numbers that hardly depend on each other.
    center = margins.mean()
    spread = margins.std()
    if spread < 1e-9:
        return 0.0, 0.0
    scaled = (margins - center) / spread
    slope, intercept = 0.0, float(np.log(target.mean() / (1 - target.mean())))
    loss = _cross_entropy(slope * scaled + intercept, target)
    for _ in range(100):
        chance = probabilities(slope * scaled + intercept)
        weight = np.maximum(chance * (1 - chance), 1e-12)
        error = chance - target
        gradient = np.array([error @ scaled, error.sum()])
        cross = weight @ scaled
        curve = np.array([[weight @ scaled**2, cross], [cross, weight.sum()]])
        step = np.linalg.solve(curve + 1e-9 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-4:
            new_slope, new_intercept = slope - size * step[0], intercept - size * step[1]
            better = _cross_entropy(new_slope * scaled + new_intercept, target)
            if better < loss:
                break
            size /= 2
        if size <= 1e-4 or loss - better < 1e-10 * loss:
            break
        slope, intercept, loss = float(new_slope), float(new_intercept), better
    return slope / spread, intercept - slope * center / spread


def _cross_entropy(log_odds: FloatArray, target: FloatArray) -> float:
    return float((np.logaddexp(0.0, log_odds) - target * log_odds).sum())


def _matching(log_odds: FloatArray, rate: float) -> float:
    """The intercept that makes the mean probability ``rate``, by bisection."""
    low, high = -60.0 - float(np.abs(log_odds).max()), 60.0 + float(np.abs(log_odds).max())
    for _ in range(100):
        middle = (low + high) / 2
        if probabilities(log_odds + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
