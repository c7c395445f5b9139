"""Candidates side by side on the test window, calibrated and with a threshold from before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.training.calibration import Calibration, calibrate, probabilities
from noc.fraud.training.choice import Choice, fit_scorer
from noc.fraud.training.metrics import (
    average_precision,
    draws,
    interval,
    measure,
    operating_threshold,
    ranked,
)
from noc.fraud.training.model import TYPES, Scorer
from noc.fraud.training.progress import Progress
from noc.fraud.training.table import Table
from noc.fraud.training.windows import Windows

WANTED_PRECISION = 0.85
ENOUGH_TO_CALIBRATE = 100
"""Frauds in the calibration window below which the validation steps' scores join it."""

RECALLS = np.linspace(0.05, 1.0, 20)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A calibrated candidate, its threshold, and what it says of the two last windows.

    ``served`` is the calibration learned again with the test window: for the model that goes on
    to serve, not for the figures. ``served_chances`` are those of both windows under it.
    """

    calibration: Calibration
    served: Calibration
    threshold: float
    calibration_chances: FloatArray
    test_chances: FloatArray
    served_chances: FloatArray


@dataclass(frozen=True, slots=True)
class Examination:
    """All candidates on the same test rows; ``metrics`` has intervals by candidate."""

    candidates: dict[str, Candidate]
    metrics: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, float | None]]
    precision_bands: FloatArray


def examine(
    table: Table,
    windows: Windows,
    choice: Choice,
    seed: int,
    progress: Progress,
    most: int,
    warnings: list[str],
) -> Examination:
    """Refit on development, calibrate on the next window, measure on the last."""
    development = table.take(windows.development)
    kinds = {}
    parts = {}
    for kind in ("xgboost", "logistic"):
        progress.step()
        recipe = replace(choice.recipe, model_type=kind)
        parts[kind] = fit_scorer(development, recipe, seed, progress, most)
    offset = parts["xgboost"].offset
    for kind in TYPES:
        share = replace(choice.recipe, model_type=kind).tree_share
        kinds[kind] = Scorer(parts["xgboost"].booster, parts["logistic"].linear, share, offset)
    candidates = {}
    if table.rules is not None:
        margins = _rules_margins(table)
        candidates["rules"] = _candidate("rules", margins, table, windows, choice, [])
    for kind, scorer in kinds.items():
        margins = _margins(scorer, table, windows)
        told = warnings if kind == choice.recipe.model_type else []
        candidates[kind] = _candidate(kind, margins, table, windows, choice, told)
    metrics, differences, bands = _measured(
        candidates, table.labels[windows.test], choice.recipe.model_type, seed
    )
    return Examination(candidates, metrics, differences, bands)


def _margins(scorer: Scorer, table: Table, windows: Windows) -> FloatArray:
    """For the rows of the windows; elsewhere NaN."""
    margins = np.full(len(table), np.nan)
    rows = np.concatenate([windows.calibration, windows.test])
    # With nothing held out to calibrate on, the development rows must do.
    if not len(windows.calibration):
        rows = np.concatenate([windows.development, rows])
    margins[rows] = scorer.margins(table.values[rows])
    return margins


def _rules_margins(table: Table) -> FloatArray:
    assert table.rules is not None
    clipped = np.clip(np.nan_to_num(table.rules), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _candidate(
    name: str,
    margins: FloatArray,
    table: Table,
    windows: Windows,
    choice: Choice,
    warnings: list[str],
) -> Candidate:
    rows: IntArray = windows.calibration
    scores = margins[rows]
    frauds = int(table.labels[rows].sum())
    if frauds < ENOUGH_TO_CALIBRATE and len(choice.rows):
        earlier = windows.development[choice.rows]
        before = margins[earlier] if name == "rules" else choice.margins[name]
        rows, scores = np.concatenate([earlier, rows]), np.concatenate([before, scores])
        warnings.append(
            f"The calibration window holds only {frauds} frauds: scores from the validation "
            "steps before it, by models that had not seen those rows either, were added."
        )
    if not len(rows):
        rows, scores = windows.development, margins[windows.development]
    base_rate = float(table.labels[windows.development].mean())
    calibration = calibrate(scores, table.labels[rows], base_rate, warnings, name)
    served = calibrate(
        np.concatenate([scores, margins[windows.test]]),
        table.labels[np.concatenate([rows, windows.test])],
        base_rate,
        [],
        name,
    )
    chances = probabilities(calibration(scores))
    threshold = operating_threshold(chances, table.labels[rows], WANTED_PRECISION)
    return Candidate(
        calibration,
        served,
        threshold,
        probabilities(calibration(margins[windows.calibration])),
        probabilities(calibration(margins[windows.test])),
        probabilities(served(margins[np.concatenate([windows.calibration, windows.test])])),
    )


def _measured(
    candidates: dict[str, Candidate], labels: FloatArray, chosen: str, seed: int
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, float | None]], FloatArray]:
    scores = {name: ranked(one.test_chances, labels) for name, one in candidates.items()}
    once = np.ones((1, len(labels)))
    values = {name: measure(scores[name], once, one.threshold) for name, one in candidates.items()}
    drawn: dict[str, dict[str, list[FloatArray]]] = {
        name: {metric: [] for metric in figures} for name, figures in values.items()
    }
    bands = []
    for weights in draws(labels, seed):
        for name, one in candidates.items():
            for metric, figures in measure(scores[name], weights, one.threshold).items():
                drawn[name][metric].append(figures)
        bands.append(_precision_at_recalls(scores[chosen].curve(weights)))
    flat = {name: {m: np.concatenate(d) for m, d in one.items()} for name, one in drawn.items()}
    metrics = {
        name: {m: interval(float(v[0]), flat[name][m]) for m, v in figures.items()}
        for name, figures in values.items()
    }
    differences = {
        name: interval(
            float(values[chosen]["ap"][0] - values[name]["ap"][0]),
            flat[chosen]["ap"] - flat[name]["ap"],
        )
        for name in candidates
        if name != chosen
    }
    return metrics, differences, np.concatenate(bands)


def _precision_at_recalls(curve: Any) -> FloatArray:
    """(draws, RECALLS): precision where a recall is first reached."""
    recall, precision = curve.recall, curve.precision
    found = []
    for row in range(len(recall)):
        at = np.searchsorted(recall[row], RECALLS - 1e-9)
        found.append(precision[row][np.minimum(at, recall.shape[1] - 1)])
    return np.array(found)


def fold_ap(scorer: Scorer, table: Table, rows: IntArray) -> float:
    """Average precision on some rows; NaN without frauds."""
    scores = ranked(scorer.margins(table.values[rows]), table.labels[rows])
    return float(average_precision(scores.curve(np.ones((1, len(rows)))))[0])
