"""``fit``: from a table with labels and times to a model that has been examined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from noc.fraud.training.choice import MOST_ROWS, Choice, Recipe, choose, fit_scorer
from noc.fraud.training.errors import TrainingRefused
from noc.fraud.training.examination import Examination, examine, fold_ap
from noc.fraud.training.model import Scorer, TrainedModel
from noc.fraud.training.progress import Progress
from noc.fraud.training.report import EXPLAINED, calibration_curve, plain, pr_curve, reference
from noc.fraud.training.table import Clock, Table, read_table, refuse_hopeless
from noc.fraud.training.windows import (
    Slice,
    Windows,
    divide,
    slices,
    window_report,
)

if TYPE_CHECKING:
    import pandas as pd

VALIDATION_SHARE = 0.6
FOLDS_SHARE = 0.5
FOLDS = 4
MANY_ROWS = 50_000
"""Development windows larger than this are validated on two later steps, smaller on four."""

FOLD_ROWS = 150_000


def fit(
    features: pd.DataFrame,
    labels: pd.Series,
    times: pd.Series,
    *,
    rules: pd.Series | None = None,
    entities: pd.Series | None = None,
    monotone: Mapping[str, int] | None = None,
    delay: timedelta = timedelta(days=7),
    test_size: float = 0.2,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> TrainedModel:
    """Train on rows aligned by position, in any order; those without a label are left out.

    ``features`` are columns of numbers, NaN and infinities missing. ``labels`` are 0 and 1,
    ``times`` datetimes, or numbers taken as seconds. ``rules`` are scores in [0, 1] to compare
    with; ``entities`` who did it: those with a fraud known when a window begins are not in it.
    ``monotone`` names signs (+1, -1) of columns to be tried. ``delay`` is how long a label takes.
    ``progress`` hears (stage, share done), also within long fits; what it raises ends training.

    The measured model learned from the first window only (the development), was calibrated on the
    second and measured on the last. The model returned is the same recipe fitted again on *all*
    rows, calibrated on what the measured one said of rows it had not learned from, those of the
    test among them: to leave out the newest third of the labels would cost more than it protects.
    The figures are those of the recipe, not of its last fit.

    TrainingRefused, with a sentence for a person, where these rows cannot make a model;
    ValueError for arguments that are not what is said here.
    """
    _check(delay, test_size)
    told = Progress(progress)
    told.stage("reading")
    table, columns, clock = read_table(features, labels, times, rules, entities)
    refuse_hopeless(table)
    warnings: list[str] = []
    signs = _signs(monotone or {}, columns)
    windows = _windows(table, delay.total_seconds(), test_size, warnings)
    choice = _choice(table, windows, signs, columns, seed, told, warnings)
    told.stage("measuring", steps=2)
    examination = examine(table, windows, choice, seed, told, MOST_ROWS, warnings)
    folds = _folds(table, windows.delay, choice.recipe, clock, seed, told, warnings)
    told.stage("fitting")
    told.step()
    scorer = fit_scorer(table, choice.recipe, seed, told, MOST_ROWS)
    told.stage("reporting")
    report = _report(table, columns, clock, windows, choice, examination, folds, warnings)
    report["importance"] = _importance(scorer, table, columns, seed)
    calibration = examination.candidates[choice.recipe.model_type].served
    model = TrainedModel(columns, choice.recipe.model_type, plain(report), scorer, calibration)
    # Through its own bytes: what scores from memory and what was stored agree bit for bit.
    model = TrainedModel.from_bytes(model.to_bytes())
    told.end()
    model.report["seconds"] = told.seconds
    return replace(model, held_out=_held_out(table, windows, choice, examination, times))


def _check(delay: timedelta, test_size: float) -> None:
    if delay < timedelta(0):
        raise ValueError("the label delay is negative")
    if not 0 < test_size < 1:
        raise ValueError(f"test_size is {test_size}; it is a share between 0 and 1")


def _signs(monotone: Mapping[str, int], columns: tuple[str, ...]) -> dict[int, int]:
    for name, sign in monotone.items():
        if name not in columns:
            raise ValueError(f"monotone names a column {name!r} that is not there")
        if sign not in (-1, 0, 1):
            raise ValueError(f"the sign of {name!r} is {sign}; signs are -1, 0 and +1")
    return {columns.index(name): int(sign) for name, sign in monotone.items() if sign}


def _windows(table: Table, delay: float, test_size: float, warnings: list[str]) -> Windows:
    """The windows; without a calibration window where development would have too few frauds."""
    windows = divide(table, delay, test_size, warnings)
    if _fewest(table, windows) < 4 and len(windows.test):
        before = float(table.times[windows.test[0]]) - windows.delay
        everything = np.arange(np.searchsorted(table.times, before))
        windows = replace(windows, development=everything, calibration=everything[:0])
        warnings.append("There are too few rows for a calibration window of its own.")
    if _fewest(table, windows) < 1:
        raise TrainingRefused(
            "Before the last stretch of time, kept for the test, there are not both frauds and "
            "genuine rows to learn from."
        )
    if table.labels[windows.test].sum() < 10:
        warnings.append(
            f"The test window holds {int(table.labels[windows.test].sum())} frauds: its figures "
            "can be far off."
        )
    return windows


def _fewest(table: Table, windows: Windows) -> int:
    labels = table.labels[windows.development]
    return int(min(labels.sum(), len(labels) - labels.sum()))


def _choice(
    table: Table,
    windows: Windows,
    signs: dict[int, int],
    columns: tuple[str, ...],
    seed: int,
    told: Progress,
    warnings: list[str],
) -> Choice:
    development = table.take(windows.development)
    # Expected from the development window: how many there are later is not looked at.
    positives = round(development.positives * len(table) / len(development))
    count = 2 if len(development) > MANY_ROWS else 4
    share = VALIDATION_SHARE / 2 if count == 2 else VALIDATION_SHARE
    steps: list[Slice] = slices(development, share, count, windows.delay)
    told.stage("choosing", steps=max(len(steps), 1) * (7 + (1 if signs else 0)))
    choice = choose(development, steps, signs, columns, positives, seed, told)
    if not choice.margins:
        warnings.append("Too few frauds to compare settings: the usual ones were taken.")
    return choice


def _folds(
    table: Table,
    delay: float,
    recipe: Recipe,
    clock: Clock,
    seed: int,
    told: Progress,
    warnings: list[str],
) -> list[dict[str, Any]]:
    """The recipe, fitted on what was known before each of several later stretches of time."""
    steps = slices(table, FOLDS_SHARE, FOLDS, delay)
    told.stage("folds", steps=max(len(steps), 1))
    if len(steps) < FOLDS:
        warnings.append(f"Only {len(steps)} of {FOLDS} folds in time had frauds to learn from.")
    folds = []
    for step in steps:
        told.step()
        scorer = fit_scorer(table.take(step.train), recipe, seed, told, FOLD_ROWS)
        ap = fold_ap(scorer, table, step.predict)
        folds.append(window_report(table, step.predict, clock) | {"ap": ap})
    return folds


def _report(
    table: Table,
    columns: tuple[str, ...],
    clock: Clock,
    windows: Windows,
    choice: Choice,
    examination: Examination,
    folds: list[dict[str, Any]],
    warnings: list[str],
) -> dict[str, Any]:
    chosen = choice.recipe.model_type
    best = examination.candidates[chosen]
    labels = table.labels[windows.test]
    aps = [fold["ap"] for fold in folds if np.isfinite(fold["ap"])]
    held_out = np.concatenate([best.calibration_chances, best.test_chances])
    names = ("development", "calibration", "test")
    return {
        "rows": len(table),
        "positives": table.positives,
        "base_rate": table.positives / len(table),
        "class_imbalance_ratio": (len(table) - table.positives) / table.positives,
        "span": [clock.said(table.times[0]), clock.said(table.times[-1])],
        "windows": {n: window_report(table, getattr(windows, n), clock) for n in names},
        "delay_days": windows.delay / 86400,
        "candidates": {
            name: {"validation_ap": choice.candidates.get(name), "test": metrics}
            for name, metrics in examination.metrics.items()
        },
        "chosen": chosen,
        "settings": choice.recipe.said(),
        "settings_tried": choice.settings_tried,
        "weights_tried": choice.weights_tried,
        "monotone": choice.monotone,
        "calibration": {
            "slope": best.served.slope,
            "intercept": best.served.intercept,
            "positives": best.served.positives,
            "by": best.served.by,
            "measured": {"slope": best.calibration.slope, "intercept": best.calibration.intercept},
        },
        "threshold": best.threshold,
        "test": examination.metrics[chosen],
        "differences": examination.differences,
        "folds": folds,
        "folds_mean": np.mean(aps) if aps else None,
        "folds_sd": np.std(aps, ddof=1) if len(aps) > 1 else None,
        "pr_curve": pr_curve(best.test_chances, labels, examination.precision_bands),
        "calibration_curve": calibration_curve(best.test_chances, labels),
        "reference": {name: reference(table.values[:, j]) for j, name in enumerate(columns)},
        "score_reference": reference(held_out),
        "served": "Measured on windows the measured model had not seen; served is the same "
        "recipe fitted again on all rows.",
        "warnings": warnings,
    }


def _importance(
    scorer: Scorer, table: Table, columns: tuple[str, ...], seed: int
) -> dict[str, float]:
    """Mean size of each column's contribution over a sample, largest first."""
    rows = np.arange(len(table))
    if len(rows) > EXPLAINED:
        rows = np.random.default_rng(seed).choice(rows, EXPLAINED, replace=False)
    sizes = np.abs(scorer.contributions(table.values[rows])[:, :-1]).mean(axis=0)
    return {columns[j]: float(sizes[j]) for j in np.argsort(-sizes, kind="stable")}


def _held_out(
    table: Table, windows: Windows, choice: Choice, examination: Examination, times: pd.Series
) -> pd.DataFrame:
    import pandas as pd

    best = examination.candidates[choice.recipe.model_type]
    rows = np.concatenate([windows.calibration, windows.test])
    sizes = (len(windows.calibration), len(windows.test))
    columns: dict[str, Any] = {
        "position": table.positions[rows],
        "window": np.repeat(["calibration", "test"], sizes),
        "label": table.labels[rows].astype(np.int64),
        "time": times.iloc[table.positions[rows]].to_numpy(),
        "probability": np.concatenate([best.calibration_chances, best.test_chances]),
        "served_probability": best.served_chances,
    }
    if table.rules is not None:
        columns["rules"] = table.rules[rows]
    return pd.DataFrame(columns)
