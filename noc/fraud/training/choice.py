"""Choosing a recipe: on steps in time inside the development window, never on what is later.

A change from the usual setting must be clearly better: with twenty frauds to validate on, the best
of ten settings is mostly the luckiest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.training import trees
from noc.fraud.training.linear import CLIP, RIDGE, regress
from noc.fraud.training.metrics import average_precision, ranked
from noc.fraud.training.model import Scorer
from noc.fraud.training.progress import Progress
from noc.fraud.training.table import Table
from noc.fraud.training.trees import TreeSettings
from noc.fraud.training.windows import Slice, thinned

NEGATIVES_PER_POSITIVE = 50.0
MOST_ROWS = 600_000
VALIDATION_ROWS = 100_000
"""Rows that one fit learns from: when it counts, and while settings are compared."""

FEW, MANY = 300, 1_500
"""Frauds below which a blend is the usual choice, and from which the trees alone are."""

CHECKPOINTS = (0.5, 1.0)
"""Shares of the trees at which a fit is compared with itself."""

CLEARLY = 1.0
"""A change wins by this many standard errors of an average precision, or not at all: samples
with fewer genuine rows than life has flatter the regression."""

MONOTONE_SLACK = 0.002
"""Less than this is no drop: two fits with other seeds differ by more."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is fitted: a model type, and the settings of its trees."""

    model_type: str
    trees: TreeSettings
    squeezed: bool = False
    blended: float = 0.5
    """The trees' share of the log-odds in a blend; the regression has the rest."""

    @property
    def tree_share(self) -> float:
        """The trees' share of the log-odds."""
        return {"xgboost": 1.0, "logistic": 0.0, "blend": self.blended}[self.model_type]

    def said(self) -> dict[str, Any]:
        """For the report."""
        return {
            "model_type": self.model_type,
            "trees": self.trees.said(),
            "tree_share": self.tree_share,
            "regression": {"squeezed": self.squeezed, "ridge": RIDGE, "clip": CLIP},
            "negatives_per_positive": NEGATIVES_PER_POSITIVE,
        }


@dataclass
class Choice:
    """The chosen recipe, and what was compared to find it.

    ``margins`` are what each candidate said, before it saw them, of ``rows`` of the table.
    """

    recipe: Recipe
    candidates: dict[str, float | None] = field(default_factory=dict)
    weights_tried: dict[str, float] = field(default_factory=dict)
    monotone: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings_tried: list[dict[str, Any]] = field(default_factory=list)
    margins: dict[str, FloatArray] = field(default_factory=dict)
    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def usual_settings(positives: int) -> TreeSettings:
    """Where the search starts, by the number of frauds to learn from (measured)."""
    if positives < FEW:
        return TreeSettings(depth=6, rounds=200, colsample=0.5)
    if positives < MANY:
        return TreeSettings(depth=6, rounds=300, colsample=0.5)
    return TreeSettings(depth=10, min_child_weight=5.0, rounds=200)


def fit_scorer(table: Table, recipe: Recipe, seed: int, progress: Progress, most: int) -> Scorer:
    """Fit what the recipe names on at most about ``most`` rows of ``table``."""
    rows = thinned(table.labels, NEGATIVES_PER_POSITIVE, most, np.random.default_rng(seed))
    values, labels = table.values[rows], table.labels[rows]
    share = recipe.tree_share
    linear = regress(values, labels, recipe.squeezed) if share < 1 else None
    booster = None
    if share > 0:
        booster = trees.grow(values, labels, recipe.trees, seed, progress.within)
    return Scorer(booster, linear, share, _offset(table.labels, labels))


def _offset(whole: FloatArray, kept: FloatArray) -> float:
    """Log of the ratio by which thinning out changed the odds."""
    frauds, genuine = kept.sum() / whole.sum(), (1 - kept).sum() / (1 - whole).sum()
    return float(np.log(genuine / frauds))


class Search:
    """Candidates compared on the same steps; remembers the regression's scores."""

    def __init__(self, table: Table, steps: list[Slice], seed: int, progress: Progress) -> None:
        self.table, self.steps, self.seed, self.progress = table, steps, seed, progress
        self.rows = np.concatenate([step.predict for step in steps])
        self.labels = table.labels[self.rows]

    def ap(self, margins: FloatArray) -> float:
        """Average precision of the pooled steps."""
        curve = ranked(margins, self.labels).curve(np.ones((1, len(margins))))
        return float(average_precision(curve)[0])

    def margin(self, ap: float) -> float:
        """By how much a change must beat ``ap`` to be believed."""
        return CLEARLY * float(np.sqrt(max(ap * (1 - ap), 0.01) / max(self.labels.sum(), 1)))

    def linear(self) -> tuple[FloatArray, bool]:
        """Pooled scores of the regression, and whether it likes its columns squeezed."""
        tried = []
        for squeezed in (False, True):
            recipe = Recipe("logistic", TreeSettings(), squeezed)
            tried.append(np.concatenate([self._scored(step, recipe)[0] for step in self.steps]))
        plain, other = self.ap(tried[0]), self.ap(tried[1])
        squeezed = other > plain + self.margin(plain)
        return tried[squeezed], squeezed

    def trees(self, settings: TreeSettings) -> tuple[FloatArray, TreeSettings, float]:
        """Pooled scores of the trees with the best number of them, and its AP."""
        counts = sorted({max(1, int(settings.rounds * share)) for share in CHECKPOINTS})
        recipe = Recipe("xgboost", settings)
        scored = [self._scored(step, recipe, counts) for step in self.steps]
        pooled = [np.concatenate([one[i] for one in scored]) for i in range(len(counts))]
        aps = [self.ap(margins) for margins in pooled]
        # More trees unless fewer are clearly better: later fits have more rows to feed them.
        best = len(aps) - 1
        for i in reversed(range(len(aps))):
            if aps[i] > aps[best] + self.margin(aps[best]):
                best = i
        return pooled[best], replace(settings, rounds=counts[best]), aps[best]

    def _scored(
        self, step: Slice, recipe: Recipe, counts: list[int] | None = None
    ) -> list[FloatArray]:
        train = self.table.take(step.train)
        self.progress.step()
        scorer = fit_scorer(train, recipe, self.seed, self.progress, VALIDATION_ROWS)
        values = self.table.values[step.predict]
        if scorer.linear is not None:
            return [scorer.margins(values)]
        return [
            trees.margins(scorer.booster, values, count) + scorer.offset for count in counts or [0]
        ]


def choose(
    table: Table,
    steps: list[Slice],
    signs: dict[int, int],
    names: tuple[str, ...],
    positives: int,
    seed: int,
    progress: Progress,
) -> Choice:
    """The recipe for ``table`` (the development window), found on ``steps``.

    ``positives`` is how many frauds to expect in all windows: the model that will
    serve learns from them.

    Without steps (too few frauds to hold any out): the usual settings, blended.
    """
    usual = usual_settings(positives)
    if not steps or not table.labels[np.concatenate([s.predict for s in steps])].any():
        return Choice(Recipe("blend", usual, blended=_blended(positives)))
    search = Search(table, steps, seed, progress)
    choice = Choice(Recipe("blend", usual), rows=search.rows)
    if table.rules is not None:
        choice.candidates["rules"] = search.ap(np.nan_to_num(table.rules[search.rows]))
    linear, squeezed = search.linear()
    margins, settings, ap = search.trees(usual)
    choice.settings_tried.append(settings.said() | {"ap": ap})
    for other in _others(usual):
        margins, settings, ap = _better(search, choice, (margins, settings, ap), other)
    margins, settings, ap = _weighted(search, choice, table, (margins, settings, ap))
    margins, settings, ap = _constrained(search, choice, (margins, settings, ap), signs, names)
    blended = _blended(positives)
    scores = {
        "logistic": linear,
        "xgboost": margins,
        "blend": blended * margins + (1 - blended) * linear,
    }
    aps = {name: search.ap(score) for name, score in scores.items()}
    choice.candidates |= aps
    best = _kind(search, aps, positives)
    choice.recipe, choice.margins = Recipe(best, settings, squeezed, blended), scores
    return choice


Tried = tuple[FloatArray, TreeSettings, float]


def _others(usual: TreeSettings) -> list[TreeSettings]:
    return [
        replace(usual, depth=max(usual.depth - 2, 2), l2=5.0),
        replace(usual, colsample=1.0),
    ]


def _better(search: Search, choice: Choice, now: Tried, settings: TreeSettings) -> Tried:
    tried = search.trees(settings)
    choice.settings_tried.append(tried[1].said() | {"ap": tried[2]})
    return tried if tried[2] > now[2] + search.margin(now[2]) else now


def _weighted(search: Search, choice: Choice, table: Table, now: Tried) -> Tried:
    """Weights of the frauds: 1 unless the root of the ratio or the ratio is clearly better."""
    thin = thinned(table.labels, NEGATIVES_PER_POSITIVE, MOST_ROWS, np.random.default_rng(0))
    frauds = table.labels[thin].sum()
    ratio = float((len(thin) - frauds) / frauds)
    choice.weights_tried["1"] = now[2]
    best = now
    for weight in (float(np.sqrt(ratio)), ratio):
        tried = search.trees(replace(now[1], weight=round(weight, 3)))
        choice.weights_tried[f"{weight:.3g}"] = tried[2]
        if tried[2] > best[2] + search.margin(best[2]):
            best = tried
    return best


def _constrained(
    search: Search, choice: Choice, now: Tried, signs: dict[int, int], names: tuple[str, ...]
) -> Tried:
    """Signs that cost nothing: all at once if they do not, else one after the other."""
    if not signs:
        return now
    together = search.trees(_signed(now[1], signs, len(names)))
    kept = dict(signs)
    if together[2] < now[2] - MONOTONE_SLACK:
        kept = {}
        together = now
        for column, sign in signs.items():
            tried = search.trees(_signed(now[1], kept | {column: sign}, len(names)))
            if tried[2] >= now[2] - MONOTONE_SLACK:
                kept[column] = sign
                together = tried
    for column, sign in signs.items():
        choice.monotone[names[column]] = {"sign": sign, "kept": column in kept}
    return together


def _signed(settings: TreeSettings, signs: dict[int, int], width: int) -> TreeSettings:
    monotone = tuple(signs.get(column, 0) for column in range(width))
    return replace(settings, monotone=monotone if any(monotone) else ())


def _blended(positives: int) -> float:
    return 0.5 if positives < FEW else 0.75


def _kind(search: Search, aps: dict[str, float], positives: int) -> str:
    """The trees on many frauds, the blend on fewer, unless another is clearly better."""
    usual = "blend" if positives < MANY else "xgboost"
    best = max(aps, key=lambda name: aps[name])
    return best if aps[best] > aps[usual] + search.margin(aps[usual]) else usual
