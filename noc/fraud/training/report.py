"""Parts of the report that are pictures: curves, references for drift, importances."""

from __future__ import annotations

from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.intervals import wilson
from noc.fraud.training.examination import RECALLS
from noc.fraud.training.metrics import LEVEL, ranked

CURVE_POINTS = 200
BINS = 10
EXPLAINED = 2_000


def pr_curve(chances: FloatArray, labels: FloatArray, bands: FloatArray) -> list[dict[str, Any]]:
    """At most CURVE_POINTS of (recall, precision, threshold), some with a bootstrap band."""
    if not labels.any():
        return []
    scores = ranked(chances, labels)
    curve = scores.curve(np.ones((1, len(labels))))
    recall, precision = curve.recall[0], curve.precision[0]
    with_band = np.minimum(np.searchsorted(recall, RECALLS - 1e-9), len(recall) - 1)
    low, high = np.nanquantile(bands, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    band = {int(at): (low[i], high[i]) for i, at in enumerate(with_band)}
    even = np.searchsorted(recall, np.linspace(recall[0], 1.0, CURVE_POINTS - len(band)) - 1e-9)
    points = sorted({*band, *np.minimum(even, len(recall) - 1).tolist()})
    return [
        {
            "recall": recall[at],
            "precision": precision[at],
            "threshold": scores.thresholds[at],
            "low": min(band[at][0], precision[at]) if at in band else None,
            "high": max(band[at][1], precision[at]) if at in band else None,
        }
        for at in points
    ]


def calibration_curve(chances: FloatArray, labels: FloatArray) -> list[dict[str, Any]]:
    """Predicted and observed shares in up to BINS equal bins, with Wilson's 90 % interval."""
    bins = np.minimum((chances * BINS).astype(np.int64), BINS - 1)
    found = []
    for one in np.unique(bins):
        inside = bins == one
        count, observed = int(inside.sum()), float(labels[inside].mean())
        low, high = wilson(observed, count)
        found.append(
            {
                "predicted": float(chances[inside].mean()),
                "observed": observed,
                "count": count,
                "low": low,
                "high": high,
            }
        )
    return found


def reference(values: FloatArray) -> dict[str, Any]:
    """Deciles of what is not missing, shares between them, and the share that is missing.

    A value x is in bin ``searchsorted(edges, x, side="right")``; one bin more than edges.
    """
    known = values[~np.isnan(values)]
    missing = 1.0 - len(known) / len(values) if len(values) else 0.0
    if not len(known):
        return {"edges": [], "shares": [], "missing": missing}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {"edges": edges, "shares": counts / len(known), "missing": missing}


def plain(value: Any) -> Any:
    """``value`` with Python's own types and None for NaN, as JSON wants it."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
