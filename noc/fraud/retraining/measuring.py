"""What the score would have been worth: model and rules together, on punches the model had not

seen, beside either alone and beside the model that is active.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from noc.fraud import combination
from noc.fraud.columns import FloatArray
from noc.fraud.combination import Combination
from noc.fraud.registry.artefact import Artefact
from noc.fraud.retraining.dataset import Dataset
from noc.fraud.training import metrics

if TYPE_CHECKING:
    from noc.fraud.training.model import TrainedModel

NO_FIGURE = {"value": None, "low": None, "high": None}
_NEEDED = ("precision", "recall", "f1", "ap", "brier")


@dataclass(frozen=True, slots=True)
class Measured:
    """``test`` holds the figures of the score as it would be served, on the last window;

    ``alone`` those of ``model`` and ``rules`` by themselves; ``differences`` the average
    precision less that of ``rules``, ``model`` and ``champion``; each a value with its interval.

    A card that was caught is blocked; a guard goes on punching, and is scored: so the figures are
    of everybody. ``strangers`` are those of the guards of whom no fraud was confirmed before the
    window: how well somebody new is found, None where there are too few of them.
    """

    combination: Combination
    threshold: float
    rows: int
    positives: int
    window: tuple[int, int] | None
    test: dict[str, Any]
    alone: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    brier_of_champion: float | None
    strangers: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """As the registry keeps it beside the trainer's own report."""
        return {
            "weights": self.combination.as_dict(),
            "threshold": self.threshold,
            "rows": self.rows,
            "positives": self.positives,
            "test": self.test,
            "alone": self.alone,
            "differences": self.differences,
            "strangers": self.strangers,
        }


def measure(
    dataset: Dataset,
    trained: TrainedModel,
    *,
    precision: float,
    champion: Artefact | None,
    seed: int = 0,
) -> Measured:
    """Learn the weights and the threshold on the calibration window, measure on the last one.

    ``precision`` is what the threshold aims at. Bootstrap intervals of 90 %, 500 draws.
    """
    windows = _windows(dataset, trained)
    labels, chances, rules, _ = windows["calibration"]
    weights = combination.learn(labels, chances, rules) if len(labels) else Combination()
    scores = weights.scores(chances, rules)
    threshold = metrics.operating_threshold(scores, labels, precision) if labels.any() else 0.5
    labels, chances, rules, positions = windows["test"]
    said = {"together": weights.scores(chances, rules), "model": chances, "rules": rules}
    if champion is not None and len(labels):
        before = champion.probabilities(dataset.vectors[positions])
        said["champion"] = champion.combination.scores(before, rules)
    measured, differences = figures(labels, said, threshold, seed)
    times = dataset.columns["time"][positions]
    return Measured(
        combination=weights,
        threshold=round(threshold, 6),
        rows=len(labels),
        positives=int(labels.sum()),
        window=(int(times.min()), int(times.max())) if len(times) else None,
        test=measured["together"],
        alone={name: measured[name] for name in ("model", "rules")},
        differences=differences,
        brier_of_champion=measured["champion"]["brier"]["value"] if champion is not None else None,
        strangers=_strangers(dataset, positions, labels, said["together"], threshold, seed),
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
    found, _ = figures(labels[new], {"together": scores[new]}, threshold, seed)
    sizes = {"rows": int(new.sum()), "positives": int(labels[new].sum())}
    return sizes | {name: found["together"][name] for name in _NEEDED}


_Window = tuple[FloatArray, FloatArray, FloatArray, Any]


def _windows(dataset: Dataset, trained: TrainedModel) -> dict[str, _Window]:
    """(labels, probabilities, rule scores, positions) of the two windows held out."""
    found: dict[str, _Window] = {}
    held = trained.held_out
    for name in ("calibration", "test"):
        rows = held[held["window"] == name] if held is not None else None
        positions = (
            np.empty(0, dtype=np.int64)
            if rows is None
            else rows["position"].to_numpy(dtype=np.int64)
        )
        chances = np.empty(0) if rows is None else rows["probability"].to_numpy(dtype=np.float64)
        found[name] = (
            dataset.labels[positions],
            chances,
            dataset.rule_scores[positions],
            positions,
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
    labels: FloatArray, said: Mapping[str, FloatArray], threshold: float, seed: int = 0
) -> tuple[Figures, Figures]:
    """Figures of each who said something, and how much more ``together`` is worth than the rest.

    ``said`` holds scores by name, ``together`` among them. Where all labels say the same nothing
    can be measured: every figure is None, and there are no differences.
    """
    if not labels.any() or labels.all():
        names = {*said, "champion", "model", "rules"}
        return {name: dict.fromkeys(_NEEDED, NO_FIGURE) for name in names}, {}
    ranked = {name: metrics.ranked(scores, labels) for name, scores in said.items()}
    drawn: dict[str, dict[str, list[FloatArray]]] = {name: {} for name in said}
    # A piece at a time: five hundred weightings of many verdicts would not fit into memory.
    for weights in metrics.draws(labels, seed):
        for name, scores in ranked.items():
            for figure, values in metrics.measure(scores, weights, threshold).items():
                drawn[name].setdefault(figure, []).append(values)
    measured: Figures = {}
    for name, scores in ranked.items():
        once = metrics.measure(scores, np.ones((1, len(labels))), threshold)
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
