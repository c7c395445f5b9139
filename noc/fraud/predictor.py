"""Who speaks on a punch: the rules, and where a tenant has one a model.

Models take their place by :func:`use_models`; nothing else changes in scoring.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from noc.fraud.columns import FloatArray
from noc.fraud.features import FeatureFrame
from noc.fraud.reasons import Names, Reason, explain
from noc.fraud.rules import Assessment
from noc.monitoring import metrics
from noc.settings import Settings

log = structlog.get_logger(__name__)


class PredictorFailed(Exception):
    """A model could not score a batch, or not explain it; the rules do it instead."""


class Predictor(Protocol):
    """Scores a batch. ``version`` is stored with every score, ``model_type`` with the metrics."""

    @property
    def version(self) -> str: ...

    @property
    def model_type(self) -> str: ...

    def predict(self, frame: FeatureFrame) -> FloatArray:
        """A calibrated probability of fraud for each punch, from its stored vector alone.

        :class:`PredictorFailed` when it cannot.
        """
        ...

    def combine(self, probabilities: FloatArray, assessment: Assessment) -> FloatArray:
        """``fraud_score`` of each punch, from the probabilities and what the rules say."""
        ...

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, rows: Sequence[int], names: Names
    ) -> dict[int, list[Reason]]:
        """The top reasons for each of the rows, weightiest first.

        :class:`PredictorFailed` when it cannot tell them.
        """
        ...


class Rules:
    """The rules as a speaker: always there, never failing, the same for every tenant."""

    version = "rules"
    model_type = "rules"

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, rows: Sequence[int], names: Names
    ) -> dict[int, list[Reason]]:
        """The weightiest detectors of each row."""
        return {row: explain(frame.evidence, assessment, row, names) for row in rows}


RULES = Rules()


@dataclass(frozen=True, slots=True)
class Speakers:
    """The model that scores, if any, and those that watch; ``broken``: it cannot be loaded."""

    active: Predictor | None = None
    shadows: tuple[Predictor, ...] = ()
    broken: tuple[str, ...] = ()


ModelSource = Callable[[int], Speakers]
"""The models of a tenant."""


def _no_models(_: int) -> Speakers:
    return Speakers()


_source: ModelSource = _no_models


def use_models(source: ModelSource | None) -> None:
    """Ask ``source`` for each tenant's models from now on; None: rules only."""
    global _source
    _source = source or _no_models


@dataclass(frozen=True, slots=True)
class Prediction:
    """Scores in [0, 1] and who gave them.

    ``probabilities`` is what the model alone said, None where the rules speak.
    """

    scores: FloatArray
    probabilities: FloatArray | None
    predictor: Predictor | Rules


@dataclass(frozen=True, slots=True)
class Predictions:
    """What counts, and what each shadow would have said."""

    served: Prediction
    shadows: tuple[Prediction, ...] = ()


def predict(
    frame: FeatureFrame, assessment: Assessment, *, tenant_id: int, config: Settings
) -> Predictions:
    """Score by the tenant's model where it has one that works, else by the rules.

    A model that fails is logged and counted (``noc_failures_total{where="fraud_model"}``) and the
    batch is scored by the rules. Shadows score too, and change nothing.
    """
    if not config.predictive_fraud_enabled:
        return Predictions(_by_rules(assessment))
    found = _source(tenant_id)
    if found.broken:
        metrics.FAILURES.labels("fraud_model").inc()
    active = _by_model(found.active, frame, assessment) if found.active else None
    shadows = [_by_model(shadow, frame, assessment) for shadow in found.shadows]
    return Predictions(
        active or _by_rules(assessment), tuple(shadow for shadow in shadows if shadow is not None)
    )


def reasons(
    speaker: Predictor | Rules,
    frame: FeatureFrame,
    assessment: Assessment,
    rows: Sequence[int],
    names: Names,
) -> dict[int, list[Reason]]:
    """The top reasons for each of the rows, by whoever scored them.

    A model that cannot explain its scores is logged and counted once for all of them; the rules'
    reasons stand in, and the scores stay the model's: a suspicion must not wait for its words.
    """
    try:
        return speaker.explain(frame, assessment, rows, names)
    except PredictorFailed as error:
        metrics.FAILURES.labels("fraud_model").inc()
        log.error("fraud_model_not_explained", model_version=speaker.version, error=str(error))
        return RULES.explain(frame, assessment, rows, names)


def _by_rules(assessment: Assessment) -> Prediction:
    started = time.perf_counter()
    scores = assessment.scores
    metrics.ML_PREDICTION_LATENCY.labels(RULES.model_type).observe(time.perf_counter() - started)
    return Prediction(scores, None, RULES)


def _by_model(model: Predictor, frame: FeatureFrame, assessment: Assessment) -> Prediction | None:
    started = time.perf_counter()
    try:
        probabilities = model.predict(frame)
        _must_be_shares(probabilities, len(frame))
        scores = model.combine(probabilities, assessment)
        _must_be_shares(scores, len(frame))
    except PredictorFailed as error:
        metrics.FAILURES.labels("fraud_model").inc()
        log.error("fraud_model_failed", model_version=model.version, error=str(error))
        return None
    metrics.ML_PREDICTION_LATENCY.labels(model.model_type).observe(time.perf_counter() - started)
    return Prediction(scores, probabilities, model)


def _must_be_shares(values: FloatArray, size: int) -> None:
    if values.shape != (size,) or not np.asarray((values >= 0) & (values <= 1)).all():
        raise PredictorFailed("the model did not give one probability for each punch")
