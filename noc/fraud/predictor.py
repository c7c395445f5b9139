"""Who speaks on a punch: the rules, and where a tenant has one a model.

A model takes its place by :func:`use_models`; nothing else changes in scoring.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from noc.fraud.columns import FloatArray
from noc.fraud.features import FeatureFrame
from noc.fraud.reasons import Names, Reason, explain
from noc.fraud.rules import STANDS, Assessment
from noc.monitoring import metrics
from noc.settings import Settings

log = structlog.get_logger(__name__)


class PredictorFailed(Exception):
    """A model could not score a batch; the rules do it instead."""


class Predictor(Protocol):
    """Scores a batch. ``version`` is stored with every score, ``model_type`` with the metrics."""

    @property
    def version(self) -> str: ...

    @property
    def model_type(self) -> str: ...

    def predict(self, frame: FeatureFrame, assessment: Assessment) -> FloatArray:
        """A calibrated probability of fraud for each punch of the frame.

        :class:`PredictorFailed` when it cannot.
        """
        ...

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, row: int, names: Names
    ) -> list[Reason]:
        """The top reasons for one punch, weightiest first."""
        ...


class Rules:
    """The rules as a predictor: always there, never failing, the same for every tenant."""

    version = "rules"
    model_type = "rules"

    def predict(self, frame: FeatureFrame, assessment: Assessment) -> FloatArray:
        """The combined score of the detectors."""
        return assessment.scores

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, row: int, names: Names
    ) -> list[Reason]:
        """The weightiest detectors."""
        return explain(frame.evidence, assessment, row, names)


RULES = Rules()

ModelSource = Callable[[int], Predictor | None]
"""The active model of a tenant, or None."""


def _no_models(_: int) -> Predictor | None:
    return None


_source: ModelSource = _no_models


def use_models(source: ModelSource | None) -> None:
    """Ask ``source`` for each tenant's model from now on; None: rules only."""
    global _source
    _source = source or _no_models


@dataclass(frozen=True, slots=True)
class Prediction:
    """Scores in [0, 1], who gave them, and which of them the model alone speaks for."""

    scores: FloatArray
    predictor: Predictor


def predict(
    frame: FeatureFrame, assessment: Assessment, *, tenant_id: int, config: Settings
) -> Prediction:
    """Score by the tenant's model where it has one that works, else by the rules.

    Where an anomaly stands the score is at least that of the rules: hard evidence, such as a
    replayed payload, is not for a model to talk away. A model that fails is logged and counted
    (``noc_failures_total{where="fraud_model"}``) and the batch is scored by the rules.
    """
    model = _source(tenant_id) if config.predictive_fraud_enabled else None
    if model is not None:
        try:
            return Prediction(_by_model(model, frame, assessment), model)
        except PredictorFailed as error:
            metrics.FAILURES.labels("fraud_model").inc()
            log.error("fraud_model_failed", model_version=model.version, error=str(error))
    started = time.perf_counter()
    scores = RULES.predict(frame, assessment)
    metrics.ML_PREDICTION_LATENCY.labels(RULES.model_type).observe(time.perf_counter() - started)
    return Prediction(scores, RULES)


def _by_model(model: Predictor, frame: FeatureFrame, assessment: Assessment) -> FloatArray:
    started = time.perf_counter()
    scores = model.predict(frame, assessment)
    metrics.ML_PREDICTION_LATENCY.labels(model.model_type).observe(time.perf_counter() - started)
    if scores.shape != (len(frame),) or not ((scores >= 0) & (scores <= 1)).all():
        raise PredictorFailed("the model did not give one probability for each punch")
    stands = assessment.strengths.max(axis=1, initial=0.0) >= STANDS
    return np.where(stands, np.maximum(scores, assessment.scores), scores)
