"""Gradient-boosted trees: settings, fitting, scores and contributions, through XGBoost.

What XGBoost returns is float32; the same row gives the same bits alone and in a batch because
every path here goes through ``inplace_predict`` on float32 made from the float64 values.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray

EXACT_UP_TO = 20_000
"""Rows up to which every split is tried; above, histograms with many bins are as good and eight
times as fast (100,000 rows of the card simulation: AP .652 and 3.4 s, .655 and .7 s)."""

BINS = 4096
THREADS = min(2, os.cpu_count() or 1)
ONE_THREAD_UP_TO = 200_000
"""Values up to which a second thread waits more than it works."""

LARGEST = 1e30
"""Beyond float32's range a value would be infinite, and in the middle of two, too."""

REPORT_EVERY = 10

Told = Callable[[float], None]


def library() -> Any:
    """XGBoost, whose threads sleep while they wait. Loading it takes two seconds, once.

    By default they spin, and on cores that others use, too, two of them take twice as long
    (measured: 300,000 rows, 60 rounds, 60 s spinning, 27 s asleep, with web, workers and a seed
    beside). Its OpenMP reads this once, when it is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xgboost

    return xgboost


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """What is chosen on validation. ``weight`` multiplies the frauds' share in the loss."""

    depth: int = 6
    rate: float = 0.05
    rounds: int = 200
    min_child_weight: float = 1.0
    subsample: float = 0.8
    colsample: float = 0.6
    l2: float = 1.0
    weight: float = 1.0
    monotone: tuple[int, ...] = ()

    def said(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self) | {"monotone": list(self.monotone)}


def grow(
    values: FloatArray, labels: FloatArray, settings: TreeSettings, seed: int, told: Told
) -> Any:
    """Fit a booster of ``settings.rounds`` trees; ``told`` hears the share done."""
    xgboost = library()
    params: dict[str, Any] = {
        "objective": "binary:logistic",
        "max_depth": settings.depth,
        "learning_rate": settings.rate,
        "min_child_weight": settings.min_child_weight,
        "subsample": settings.subsample,
        "colsample_bylevel": settings.colsample,
        "reg_lambda": settings.l2,
        "scale_pos_weight": settings.weight,
        # Weighted frauds would move the start of all scores; the calibration wants it stable.
        "base_score": float(np.clip(labels.mean(), 1e-6, 0.5)),
        "seed": seed,
        "verbosity": 0,
    }
    threads = THREADS if values.size > ONE_THREAD_UP_TO else 1
    params["nthread"] = threads
    if any(settings.monotone):
        params["monotone_constraints"] = tuple(settings.monotone)
    if len(labels) <= EXACT_UP_TO:
        data = xgboost.DMatrix(_single(values), labels, nthread=threads)
        params["tree_method"] = "exact"
    else:
        data = xgboost.QuantileDMatrix(_single(values), labels, max_bin=BINS, nthread=threads)
        params |= {"tree_method": "hist", "max_bin": BINS}
    listener = _listener(told, settings.rounds)
    return xgboost.train(params, data, settings.rounds, callbacks=[listener])


def _listener(told: Told, rounds: int) -> Any:
    class Listener(library().callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            if (epoch + 1) % REPORT_EVERY == 0:
                told((epoch + 1) / rounds)
            return False

    return Listener()


def margins(booster: Any, values: FloatArray, rounds: int = 0) -> FloatArray:
    """Log-odds (rows,) by the first ``rounds`` trees, 0 for all."""
    if not len(values):
        return np.empty(0)
    raw = booster.inplace_predict(
        _single(values), iteration_range=(0, rounds), predict_type="margin"
    )
    return np.asarray(raw, dtype=np.float64)


def contributions(booster: Any, values: FloatArray) -> FloatArray:
    """TreeSHAP, (rows, columns + 1) in log-odds, the last the base; a row sums to its margin."""
    xgboost = library()
    if not len(values):
        return np.empty((0, values.shape[1] + 1))
    data = xgboost.DMatrix(_single(values), nthread=1)
    return np.asarray(booster.predict(data, pred_contribs=True), dtype=np.float64)


def saved(booster: Any) -> bytes:
    """The booster in XGBoost's own UBJSON."""
    return bytes(booster.save_raw("ubj"))


def loaded(data: bytes) -> Any:
    """The booster of ``saved``, for one thread; ValueError when it is none."""
    xgboost = library()
    try:
        booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(data))
    except xgboost.core.XGBoostError as error:
        raise ValueError("the trees of the model cannot be read") from error
    return booster


def _single(values: FloatArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ascontiguousarray(np.clip(values, -LARGEST, LARGEST), dtype=np.float32)
