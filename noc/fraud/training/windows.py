"""Windows of time, with room between them for labels to arrive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import IntArray
from noc.fraud.training.table import Clock, Table

LONGEST_DELAY = 1 / 8
"""The label delay takes at most this share of the data's span: it is needed three times."""

LARGEST_TEST = 0.45
"""The test window grows to at most this share of the rows to find frauds."""

ENOUGH_IN_TEST = 8


@dataclass(frozen=True, slots=True)
class Windows:
    """Row numbers of each window, and the delay between them in seconds."""

    development: IntArray
    calibration: IntArray
    test: IntArray
    delay: float


@dataclass(frozen=True, slots=True)
class Slice:
    """A prequential step: learn from ``train``, predict ``predict``, which is later."""

    train: IntArray
    predict: IntArray


def divide(table: Table, delay: float, test_size: float, warnings: list[str]) -> Windows:
    """Development | delay | calibration | delay | test, cut at moments, never inside one.

    ``delay`` in seconds. Compromises are added to ``warnings``. Guards (entities) with a fraud
    known when a window begins are not in it: they would flatter the model.
    """
    times = table.times
    span = float(times[-1] - times[0])
    if delay > span * LONGEST_DELAY:
        shorter = span * LONGEST_DELAY
        warnings.append(
            f"The rows span {span / 86400:.1f} days, too few for a label delay of "
            f"{delay / 86400:.1f}: {shorter / 86400:.1f} days were kept between the windows."
        )
        delay = shorter
    test_from = _test_start(table, test_size, warnings)
    before = int(np.searchsorted(times, test_from - delay))
    share = min(max(test_size, 0.15), 0.3)
    cut = min(max(int(before * (1 - share)), 1), max(before - 1, 0))
    calibration_from = float(times[cut])
    development = np.arange(np.searchsorted(times, calibration_from - delay))
    calibration = np.arange(np.searchsorted(times, calibration_from), before)
    test = np.arange(np.searchsorted(times, test_from), len(times))
    return Windows(
        development,
        without_known(table, calibration, delay),
        without_known(table, test, delay),
        delay,
    )


def _test_start(table: Table, test_size: float, warnings: list[str]) -> float:
    times = table.times
    start = min(int(len(times) * (1 - test_size)), len(times) - 1)
    frauds = np.flatnonzero(table.labels == 1)
    wanted = min(ENOUGH_IN_TEST, len(frauds) // 3)
    needed = int(frauds[-wanted])
    if needed < start:
        start = max(needed, int(len(times) * (1 - LARGEST_TEST)))
        warnings.append(
            "The last rows hold few frauds: the test window was enlarged to the last "
            f"{(len(times) - start) / len(times):.0%} of the rows."
        )
    moment = float(times[start])
    if moment == times[0]:
        # All but a few rows are of the first moment; the test is what came after it.
        moment = float(times[np.searchsorted(times, times[0], side="right")])
    return moment


def without_known(table: Table, rows: IntArray, delay: float) -> IntArray:
    """``rows`` of entities with no fraud known when the first of them happened."""
    if table.entities is None or not len(rows):
        return rows
    begin = float(table.times[rows[0]])
    past = (table.times < begin - delay) & (table.labels == 1)
    known = np.unique(table.entities[past])
    return rows[~np.isin(table.entities[rows], known[known >= 0])]


def slices(table: Table, share: float, count: int, delay: float) -> list[Slice]:
    """``count`` steps over the last ``share`` of the rows; those that cannot be learnt are not.

    A step can be learnt where at least 4 frauds and 4 genuine rows came before it and its delay.
    """
    cuts = np.linspace(len(table) * (1 - share), len(table), count + 1).astype(np.int64)
    moments = [float(table.times[min(cut, len(table) - 1)]) for cut in cuts[:-1]]
    begins = [int(np.searchsorted(table.times, moment)) for moment in moments]
    steps = []
    for begin, end in zip(begins, [*begins[1:], len(table)], strict=True):
        if begin >= end:
            continue
        train = np.arange(np.searchsorted(table.times, table.times[begin] - delay))
        frauds = table.labels[train].sum()
        if min(frauds, len(train) - frauds) >= 4:
            steps.append(Slice(train, without_known(table, np.arange(begin, end), delay)))
    return [step for step in steps if len(step.predict)]


def thinned(
    labels: NDArray[np.float64], ratio: float, most: int, rng: np.random.Generator
) -> IntArray:
    """Row numbers with all frauds and at most ``ratio`` genuine rows for each of them.

    The result stays in order. No more than ``most`` rows, but never fewer than 10 genuine ones
    for a fraud; with more frauds than that allows, frauds are thinned out too.
    """
    frauds, genuine = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    if len(frauds) > most // 2:
        frauds = rng.choice(frauds, most // 2, replace=False)
    allowed = int(max(min(ratio * len(frauds), most - len(frauds)), 10 * len(frauds), 1000))
    if len(frauds) + len(genuine) > most:
        allowed = min(allowed, most)
    if len(genuine) > allowed:
        genuine = rng.choice(genuine, allowed, replace=False)
    return np.sort(np.concatenate([frauds, genuine]))


def window_report(table: Table, rows: IntArray, clock: Clock) -> dict[str, object]:
    """Begin, end, rows and frauds of a window, for the report."""
    times = table.times[rows]
    return {
        "start": clock.said(float(times[0])) if len(rows) else None,
        "end": clock.said(float(times[-1])) if len(rows) else None,
        "rows": len(rows),
        "positives": int(table.labels[rows].sum()),
    }
