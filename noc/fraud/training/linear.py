"""Logistic regression: the baseline trees must beat, and the steadier half of a blend.

Each value becomes ``clip((f(x) - center) / scale, -30, 30)``, where f is x itself or, where that
validates better, sign(x) log(1 + |x|): some tables have long tails, in others the tail is the
fraud. No wild value may decide alone. A missing value contributes nothing but what being missing
itself says. The regression is ridge-penalised and fitted by Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray

CLIP = 30.0
RIDGE = 1.0
"""The penalty: half of it times the squared coefficients of the scaled columns."""

STEPS = 50


@dataclass(frozen=True, slots=True)
class Linear:
    """Coefficients by column; ``shift`` is the mean contribution of a column in training."""

    squeezed: bool
    center: FloatArray
    scale: FloatArray
    coefficient: FloatArray
    missing: FloatArray
    shift: FloatArray
    intercept: float

    def terms(self, values: FloatArray) -> FloatArray:
        """What each column adds to the log-odds, (rows, columns)."""
        known = ~np.isnan(values)
        scaled = np.where(known, (_shaped(values, self.squeezed) - self.center) / self.scale, 0.0)
        terms = np.clip(scaled, -CLIP, CLIP) * self.coefficient
        return np.asarray(np.where(known, terms, self.missing))

    def margins(self, values: FloatArray) -> FloatArray:
        """Log-odds (rows,), the same bits for a row alone and in a batch."""
        total = np.full(len(values), self.intercept)
        # Column by column: BLAS and numpy's pairwise sums add in an order that depends on shape.
        for column in self.terms(values).T:
            total += column
        return total

    def contributions(self, values: FloatArray) -> FloatArray:
        """(rows, columns + 1): each term less its mean in training; the last is the base."""
        base = np.full((len(values), 1), self.intercept + self.shift.sum())
        return np.hstack([self.terms(values) - self.shift, base])

    def said(self) -> dict[str, Any]:
        """As JSON; floats survive it bit for bit."""
        return {
            name: getattr(self, name).tolist()
            for name in ("center", "scale", "coefficient", "missing", "shift")
        } | {"intercept": self.intercept, "squeezed": self.squeezed}

    @classmethod
    def read(cls, said: dict[str, Any], columns: int) -> Linear:
        """From ``said``; ValueError, KeyError or TypeError when it is not that."""
        arrays = {}
        for name in ("center", "scale", "coefficient", "missing", "shift"):
            arrays[name] = np.array(said[name], dtype=np.float64)
            if arrays[name].shape != (columns,) or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} of the regression is not {columns} numbers")
        intercept, squeezed = float(said["intercept"]), said["squeezed"]
        if not np.isfinite(intercept) or not isinstance(squeezed, bool):
            raise ValueError("the regression has no intercept or no shape")
        return cls(squeezed=squeezed, intercept=intercept, **arrays)


def regress(values: FloatArray, labels: FloatArray, squeezed: bool) -> Linear:
    """Fit the regression on rows with both labels."""
    shaped = _shaped(values, squeezed)
    known = ~np.isnan(shaped)
    counts = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, shaped, 0.0).sum(axis=0) / counts
    spread = np.where(known, shaped - center, 0.0)
    scale = np.sqrt((spread**2).sum(axis=0) / counts)
    # A constant column scales to nothing; rounding must not blow it up.
    scale = np.where(scale > 1e-9 * (1 + np.abs(center)), scale, np.inf)
    scaled = np.clip(spread / scale, -CLIP, CLIP)
    blind = np.flatnonzero((~known).any(axis=0) & known.any(axis=0))
    design = np.hstack([scaled, (~known[:, blind]).astype(np.float64)])
    solution = _newton(design, labels)
    width = values.shape[1]
    missing = np.zeros(width)
    missing[blind] = solution[width:-1]
    coefficient = np.where(np.isfinite(scale), solution[:width], 0.0)
    scale = np.where(np.isfinite(scale), scale, 1.0)
    shift = np.where(known, scaled * coefficient, missing).mean(axis=0)
    return Linear(squeezed, center, scale, coefficient, missing, shift, float(solution[-1]))


def _newton(design: FloatArray, labels: FloatArray) -> FloatArray:
    """Ridge-penalised coefficients, the unpenalised intercept last.

    Iteratively reweighted least squares (Hastie, Tibshirani, Friedman, ch. 4.4.1), with steps
    halved while the penalised likelihood would fall.
    """
    from scipy.special import expit

    full = np.hstack([design, np.ones((len(design), 1))])
    penalty = np.full(full.shape[1], RIDGE)
    penalty[-1] = 1e-9
    theta = np.zeros(full.shape[1])
    rate = labels.mean()
    theta[-1] = np.log(rate / (1 - rate))
    loss = _loss(full, labels, theta, penalty)
    for _ in range(STEPS):
        chance = expit(full @ theta)
        weight = np.maximum(chance * (1 - chance), 1e-9)
        gradient = full.T @ (chance - labels) + penalty * theta
        curve = (full * weight[:, None]).T @ full + np.diag(penalty)
        step = np.linalg.solve(curve, gradient)
        size = 1.0
        while (better := _loss(full, labels, theta - size * step, penalty)) > loss and size > 1e-4:
            size /= 2
        if better >= loss or loss - better < 1e-9 * abs(loss):
            break
        theta, loss = theta - size * step, better
    return np.asarray(theta)


def _loss(full: FloatArray, labels: FloatArray, theta: FloatArray, penalty: FloatArray) -> float:
    margin = full @ theta
    likelihood = np.logaddexp(0.0, margin) - labels * margin
    return float(likelihood.sum() + 0.5 * (penalty * theta**2).sum())


def _shaped(values: FloatArray, squeezed: bool) -> FloatArray:
    if not squeezed:
        # Squares of larger values would overflow.
        return np.clip(values, -1e100, 1e100)
    # scipy's log1p goes value by value; numpy's goes by blocks of the processor's width.
    from scipy.special import log1p

    return np.asarray(np.sign(values) * log1p(np.abs(values)))
