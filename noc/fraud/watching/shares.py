"""How far one distribution is from another, and how sure a share is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.intervals import wilson

FLOOR = 1e-4
"""No bin counts as emptier: a logarithm of nothing is infinite, and one punch decides nothing."""

WATCH, ALARM = 0.10, 0.25
"""Customary bounds of the index (N. Siddiqi, Credit Risk Scorecards, 2006)."""

ENOUGH = 500
"""Punches on either side from which the index means anything.

With k bins chance alone makes it about (k - 1) (1/n + 1/m): 0.04 for eleven bins of 500 each.
"""

COMMON = 0.05
"""A value that so many punches have is a bin of its own."""

_BINS = 10


def psi(reference_shares: Sequence[float], current_shares: Sequence[float]) -> float:
    """Population stability index: sum over bins of (current - reference) ln(current / reference).

    Source: N. Siddiqi, Credit Risk Scorecards, 2006. Shares of the same bins in the same order;
    each is raised to FLOOR at least and both are scaled to add up to one again. 0 for equal
    distributions, never negative. ValueError for other numbers of bins, or none.
    """
    if len(reference_shares) != len(current_shares) or not len(reference_shares):
        raise ValueError("both distributions need the same bins, at least one")
    reference, current = (
        np.maximum(np.asarray(shares, dtype=np.float64), FLOOR)
        for shares in (reference_shares, current_shares)
    )
    reference, current = reference / reference.sum(), current / current.sum()
    return float(((current - reference) * np.log(current / reference)).sum())


def deciles(values: FloatArray) -> list[float]:
    """Inner edges of ten bins with as many values each; fewer where values repeat. NaN left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    edges: list[float] = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)).tolist()
    return edges


def with_common(edges: Sequence[float], values: FloatArray) -> list[float]:
    """The edges, and one more just above each that is itself a common value (COMMON).

    Where nine punches in ten say 0, deciles alone would put 0 and everything above in one bin.
    """
    more = [
        float(np.nextafter(edge, np.inf))
        for edge in edges
        if len(values) and float((values == edge).mean()) >= COMMON
    ]
    return sorted({*edges, *more})


def binned(values: FloatArray, edges: Sequence[float]) -> list[float]:
    """The share of the values in each bin, what is missing (NaN) in a last bin of its own.

    A value x is in bin ``searchsorted(edges, x, side="right")``. All zeros without any value.
    """
    missing = np.isnan(values)
    at = np.searchsorted(np.asarray(edges, dtype=np.float64), values[~missing], side="right")
    counts = np.bincount(at, minlength=len(edges) + 1).astype(np.float64)
    shares: list[float] = (np.append(counts, missing.sum()) / max(len(values), 1)).tolist()
    return shares


def level(index: float | None, punches: int, reference_punches: int) -> str:
    """``alarm``, ``watch`` or ``steady``; ``too few`` below ENOUGH punches on either side."""
    if index is None or min(punches, reference_punches) < ENOUGH:
        return "too few"
    return "alarm" if index >= ALARM else "watch" if index >= WATCH else "steady"


def estimate(share: float | None, effective: float) -> dict[str, float | None]:
    """``value``, ``low`` and ``high`` of a share, to six digits; None where nothing was seen."""
    if share is None or effective <= 0:
        return {"value": None, "low": None, "high": None}
    low, high = wilson(share, effective)
    return {"value": round(share, 6), "low": round(low, 6), "high": round(high, 6)}
