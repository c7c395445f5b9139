"""What the score would have been worth: model and rules together, on punches the model had not

seen, beside either alone and beside the model that is active.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from noc.fraud import combination
from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.combination import Combination
from noc.fraud.registry.artefact import Artefact
from noc.fraud.retraining.dataset import Dataset
from noc.fraud.retraining.gate import Comparison
from noc.fraud.training import metrics

if TYPE_CHECKING:
    from noc.fraud.training.model import TrainedModel

ENOUGH_POSITIVES = 30
"""Frauds that a model had not seen from which anything can be said of it."""

NO_FIGURE = {"value": None, "low": None, "high": None}
_NEEDED = ("precision", "recall", "f1", "ap", "brier")


@dataclass(frozen=True, slots=True)
class Champion:
    """The active model, and when it was made: whatever was labelled by then it may have learned.

    Without an ``artefact`` it cannot be loaded, and nothing can be compared with it.
    """

    version: str
    made_at: dt.datetime
    artefact: Artefact | None


@dataclass(frozen=True, slots=True)
class Measured:
    """``test`` holds the figures of the score as it would be served, on the last window, at

    ``measured_at``; ``alone`` those of ``model`` and ``rules`` by themselves; ``differences`` the
    average precision less that of ``rules`` and ``model``; each a value with its interval.
    ``combination`` and ``threshold`` are learned once more for the model that goes on to serve:
    it was calibrated with the last window, too, so its scale is a little another.

    A card that was caught is blocked; a guard goes on punching, and is scored: so the figures are
    of everybody. ``strangers`` are those of the guards of whom no fraud was confirmed before the
    window: how well somebody new is found, None where there are too few of them.
    """

    combination: Combination
    threshold: float
    measured_at: float
    rows: int
    positives: int
    window: tuple[int, int] | None
    test: dict[str, Any]
    alone: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    comparison: Comparison | None
    strangers: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """As the registry keeps it beside the trainer's own report."""
        return {
            "weights": self.combination.as_dict(),
            "threshold": self.threshold,
            "measured_at": self.measured_at,
            "rows": self.rows,
            "positives": self.positives,
            "test": self.test,
            "alone": self.alone,
            "differences": self.differences,
            "strangers": self.strangers,
            "champion": self.comparison.as_dict() if self.comparison else None,
        }


def measure(
    dataset: Dataset,
    trained: TrainedModel,
    *,
    precision: float,
    champion: Champion | None,
    seed: int = 0,
) -> Measured:
    """Learn the weights and the threshold on the calibration window, measure on the last one.

    ``precision`` is what the threshold aims at. Bootstrap intervals of 90 %, 500 draws of guards.
    """
    windows = _windows(dataset, trained)
    held = windows["calibration"]
    weights, threshold = _learned(held, held.chances, precision)
    test = windows["test"]
    labels, rules, positions = test.labels, test.rules, test.positions
    together = weights.scores(test.chances, rules)
    said = {"together": together, "model": test.chances, "rules": rules}
    people = dataset.columns["person"][positions]
    measured, differences = figures(labels, said, threshold, seed, groups=people)
    times = dataset.columns["time"][positions]
    both = windows["both"]
    served, served_threshold = _learned(both, both.served, precision)
    return Measured(
        combination=served,
        threshold=round(served_threshold, 6),
        measured_at=round(threshold, 6),
        rows=len(labels),
        positives=int(labels.sum()),
        window=(int(times.min()), int(times.max())) if len(times) else None,
        test=measured["together"],
        alone={name: measured[name] for name in ("model", "rules")},
        differences=differences,
        comparison=_compared(dataset, test, together, champion, threshold, seed),
        strangers=_strangers(dataset, positions, labels, together, threshold, seed),
    )


def _learned(window: _Window, chances: FloatArray, precision: float) -> tuple[Combination, float]:
    labels = window.labels
    if not len(labels):
        return Combination(), 0.5
    weights = combination.learn(labels, chances, window.rules)
    scores = weights.scores(chances, window.rules)
    return weights, metrics.operating_threshold(scores, labels, precision) if labels.any() else 0.5


def _compared(
    dataset: Dataset,
    test: _Window,
    together: FloatArray,
    champion: Champion | None,
    threshold: float,
    seed: int,
) -> Comparison | None:
    """Beside the active model, on verdicts that were confirmed after it was made.

    It learned from all that were there by then: to be measured on those would flatter it, and no
    challenger would ever pass.
    """
    if champion is None:
        return None
    made = champion.made_at.timestamp() * 1e6
    new = dataset.columns["labelled"][test.positions] > made
    labels = test.labels[new]
    positives = int(labels.sum())
    if champion.artefact is None:
        return Comparison(positives, NO_FIGURE)
    if positives < ENOUGH_POSITIVES or labels.all():
        return Comparison(positives)
    positions, rules = test.positions[new], test.rules[new]
    before = champion.artefact.probabilities(dataset.vectors[positions])
    said = {
        "together": together[new],
        "champion": champion.artefact.combination.scores(before, rules),
    }
    people = dataset.columns["person"][positions]
    return compared(positives, *figures(labels, said, threshold, seed, groups=people))


def compared(positives: int, measured: Figures, differences: Figures) -> Comparison:
    """The comparison that :func:`figures` of ``together`` and ``champion`` amount to."""
    return Comparison(
        positives,
        differences["champion"],
        measured["together"]["brier"]["value"],
        measured["champion"]["brier"]["value"],
    )


def _strangers(
    dataset: Dataset,
    positions: Any,
    labels: FloatArray,
    scores: FloatArray,
    threshold: float,
    seed: int,
) -> dict[str, Any] | None:
    if not len(positions):
        return None
    columns = dataset.columns
    begun = columns["time"][positions].min()
    known = np.unique(columns["person"][columns["fraud"] & (columns["labelled"] < begun)])
    new = ~np.isin(columns["person"][positions], known)
    if not labels[new].any() or labels[new].all():
        return None
    found, _ = figures(
        labels[new],
        {"together": scores[new]},
        threshold,
        seed,
        groups=columns["person"][positions][new],
    )
    sizes = {"rows": int(new.sum()), "positives": int(labels[new].sum())}
    return sizes | {name: found["together"][name] for name in _NEEDED}


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of time that was held out, row by row; ``served`` on the scale that is served."""

    positions: IntArray
    labels: FloatArray
    rules: FloatArray
    chances: FloatArray
    served: FloatArray


def _windows(dataset: Dataset, trained: TrainedModel) -> dict[str, _Window]:
    """The ``calibration`` and the ``test`` window, and ``both``."""
    held = trained.held_out
    assert held is not None, "a model that was just fitted"
    names = {"calibration": ["calibration"], "test": ["test"], "both": ["calibration", "test"]}
    found: dict[str, _Window] = {}
    for name, parts in names.items():
        rows = held[held["window"].isin(parts)]
        positions = rows["position"].to_numpy(dtype=np.int64)
        found[name] = _Window(
            positions,
            dataset.labels[positions],
            dataset.rule_scores[positions],
            rows["probability"].to_numpy(dtype=np.float64),
            rows["served_probability"].to_numpy(dtype=np.float64),
        )
    return found


def as_columns(test: Mapping[str, Any]) -> dict[str, float | None]:
    """Figures of one who said something, by the names of the columns of ``ModelMetrics``."""
    return {
        "precision": test["precision"]["value"],
        "recall": test["recall"]["value"],
        "f1": test["f1"]["value"],
        "pr_auc": test["ap"]["value"],
        "brier": test["brier"]["value"],
    }


Figures = dict[str, dict[str, Any]]


def figures(
    labels: FloatArray,
    said: Mapping[str, FloatArray],
    threshold: float,
    seed: int = 0,
    *,
    groups: IntArray,
    counts: FloatArray | None = None,
) -> tuple[Figures, Figures]:
    """Figures of each who said something, and how much more ``together`` is worth than the rest.

    ``said`` holds scores by name, ``together`` among them. ``groups`` says whose each row is: the
    bootstrap draws people. ``counts`` are how many punches each row stands for, one without. Where
    all labels say the same nothing can be measured: every figure is None, and there are no
    differences.
    """
    if not labels.any() or labels.all():
        names = {*said, "champion", "model", "rules"}
        return {name: dict.fromkeys(_NEEDED, NO_FIGURE) for name in names}, {}
    ranked = {name: metrics.ranked(scores, labels) for name, scores in said.items()}
    drawn: dict[str, dict[str, list[FloatArray]]] = {name: {} for name in said}
    # A piece at a time: five hundred weightings of many verdicts would not fit into memory.
    each = np.ones(len(labels)) if counts is None else counts
    for weights in metrics.draws(labels, seed, groups=groups):
        for name, scores in ranked.items():
            for figure, values in metrics.measure(scores, weights * each, threshold).items():
                drawn[name].setdefault(figure, []).append(values)
    measured: Figures = {}
    for name, scores in ranked.items():
        once = metrics.measure(scores, each[None, :], threshold)
        measured[name] = {
            figure: metrics.interval(float(value[0]), np.concatenate(drawn[name][figure]))
            for figure, value in once.items()
        }
    precision = {name: np.concatenate(drawn[name]["ap"]) for name in said}
    differences = {
        name: metrics.interval(
            measured["together"]["ap"]["value"] - measured[name]["ap"]["value"],
            precision["together"] - precision[name],
        )
        for name in said
        if name != "together"
    }
    return measured, differences
