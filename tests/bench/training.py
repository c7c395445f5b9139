"""Training measured: average precision beside XGBoost's defaults, time and memory.

The protocol is the Handbook's (see ``cards``): learn from 84 days, wait a week for labels, test on
the next week without cards known by then; four such weeks, each with what was known before it.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.progress import Progress

from noc.fraud.training import fit
from noc.fraud.training.metrics import average_precision, ranked
from tests.bench.cards import FEATURES, Fold, fold, simulate
from tests.bench.figures import Figure

TEST_DAYS = (108, 115, 122, 129)
"""First days of the test weeks: the middle of July to the middle of August 2018."""

TRAIN_DAYS = 84
POSITIVES = (50, 100, 200, 500, 2000)
RATIOS = (9, 50)
SEEDS = 5
MANY, COLUMNS = 1_000_000, 12


def cards() -> list[Figure]:
    """Average precision on the card simulation: whole training periods, then few labels."""
    table = simulate()
    folds = [fold(table, day, TRAIN_DAYS) for day in TEST_DAYS]
    figures = []
    ours, theirs = [], []
    for number, one in enumerate(folds, 1):
        started = time.perf_counter()
        ours.append(_ours(one.train, one.test))
        seconds = time.perf_counter() - started
        theirs.append(_defaults(one.train, one.test))
        figures.append(_beside(f"week {number}, {len(one.train):,} rows", ours[-1], theirs[-1]))
        figures.append(Figure(f"week {number}: fit and predict", seconds, "s"))
        print(f"week {number}: {ours[-1]:.4f}, defaults {theirs[-1]:.4f}, {seconds:.0f} s")
    figures.append(_beside("mean of the weeks", float(np.mean(ours)), float(np.mean(theirs)), "72"))
    return figures + list(_sizes(folds))


def _sizes(folds: list[Fold]) -> Iterator[Figure]:
    """Means over SEEDS samples of each size, taken from and tested on the weeks in turn."""
    for positives in POSITIVES:
        for ratio in RATIOS:
            ours, theirs = [], []
            started = time.perf_counter()
            for seed in range(SEEDS):
                one = folds[seed % len(folds)]
                sample = _sample(one.train, positives, ratio, seed)
                ours.append(_ours(sample, one.test))
                theirs.append(_defaults(sample, one.test))
            name = f"{positives:,} frauds, {ratio}:1"
            seconds = (time.perf_counter() - started) / SEEDS
            yield _beside(name, float(np.mean(ours)), float(np.mean(theirs)), "> floor")
            wins = sum(a > b for a, b in zip(ours, theirs, strict=True))
            print(
                f"{name}: {np.mean(ours):.4f}, defaults {np.mean(theirs):.4f}, "
                f"better {wins} of {SEEDS} times, {seconds:.1f} s each"
            )


def _sample(train: pd.DataFrame, positives: int, ratio: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = train["fraud"].to_numpy()
    frauds = rng.choice(np.flatnonzero(labels == 1), positives, replace=False)
    genuine = rng.choice(np.flatnonzero(labels == 0), positives * ratio, replace=False)
    return train.iloc[np.sort(np.concatenate([frauds, genuine]))]


def _beside(name: str, ours: float, theirs: float, must: str = "") -> Figure:
    return Figure(f"AP, {name}", 100 * ours, "%", must, 100 * theirs, "XGBoost's defaults, %")


def _ours(train: pd.DataFrame, test: pd.DataFrame) -> float:
    columns = list(FEATURES)
    model = fit(train[columns], train["fraud"], train["time"], entities=train["customer"])
    return _ap(model.predict(test[columns]), test)


def _defaults(train: pd.DataFrame, test: pd.DataFrame) -> float:
    from xgboost import XGBClassifier

    columns = list(FEATURES)
    model = XGBClassifier(n_jobs=2).fit(train[columns], train["fraud"])
    return _ap(model.predict_proba(test[columns])[:, 1].astype(np.float64), test)


def _ap(chances: np.ndarray, test: pd.DataFrame) -> float:
    curve = ranked(chances, test["fraud"].to_numpy(np.float64)).curve(np.ones((1, len(test))))
    return float(average_precision(curve)[0])


def training() -> list[Figure]:
    """Time and memory of a million labelled rows of twelve columns, 1 % of them frauds."""
    # In a process of its own: the peak of this one says nothing of the training.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, before, peak = pool.apply(_million)
    return [
        Figure("training on 1,000,000 rows", seconds, "s", must="< 300"),
        Figure("training on 1,000,000 rows: peak memory", peak, "MB", "< 4,000", before, "rows"),
    ]


def _million() -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(MANY, COLUMNS))
    log_odds = values[:, 0] + values[:, 1] * values[:, 2] + np.maximum(values[:, 3], 0) - 6.3
    labels = pd.Series((rng.random(MANY) < 1 / (1 + np.exp(-log_odds))).astype(np.int64))
    frame = pd.DataFrame(values, columns=[f"column_{i}" for i in range(COLUMNS)])
    span = pd.Timedelta(days=180).total_seconds()
    times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        np.sort(rng.random(MANY)) * span, unit="s"
    )
    before = _peak_mb()
    progress = Progress()
    with progress:
        task = progress.add_task("training", total=1.0)
        started = time.perf_counter()
        fit(
            frame,
            labels,
            pd.Series(times),
            progress=lambda stage, share: progress.update(task, completed=share, description=stage),
        )
        seconds = time.perf_counter() - started
    return seconds, before, _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
