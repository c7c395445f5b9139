"""One batch from its features to what is recorded of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from noc.domain import RISK_LEVELS
from noc.extensions import session
from noc.fraud import recording
from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.features import FeatureFrame, collect
from noc.fraud.freshness import scores_changed
from noc.fraud.predictor import RULES, Predictions, predict, reasons
from noc.fraud.reasons import TOLD, read_names
from noc.fraud.rules import MENTIONED, Assessment, assess
from noc.fraud.thresholds import read_thresholds
from noc.monitoring import metrics

MODEL_SPEAKS = "MODEL"
"""``fraud_type`` where no rule contributes."""

_LEVEL_BOUNDS = np.array([0.2, 0.4, 0.6, 0.8])


def judge(punch_ids: Sequence[int], *, tenant_id: int, now: dt.datetime) -> None:
    """Score these punches and record all that follows: predictions, anomalies, alerts, tickets.

    All of them or, where one has values that cannot be worked with, an exception.
    """
    config = read_thresholds(tenant_id)
    frame = collect(punch_ids, tenant_id=tenant_id)
    assessment = assess(frame.evidence)
    predictions = predict(frame, assessment, tenant_id=tenant_id, config=config.tenant)
    prediction = predictions.served
    verdicts = _verdicts(frame, assessment, predictions, tenant_id)
    recording.record(frame, verdicts, config, tenant_id=tenant_id, now=now)
    for level, count in zip(*np.unique(verdicts.levels, return_counts=True), strict=True):
        metrics.ML_PREDICTIONS.labels(
            prediction.predictor.model_type, prediction.predictor.version, RISK_LEVELS[level]
        ).inc(int(count))
    scores_changed(session(), tenant_id)


def _verdicts(
    frame: FeatureFrame, assessment: Assessment, predictions: Predictions, tenant_id: int
) -> recording.Verdicts:
    """Levels, reasons and anomalies of a batch; sentences only where there is something to say."""
    prediction = predictions.served
    scores = np.round(prediction.scores, 6)
    levels = risk_ranks(scores)
    strongest = assessment.strengths.max(axis=1, initial=0.0)
    told = np.flatnonzero((strongest >= TOLD) | (scores >= _LEVEL_BOUNDS[0]))
    names = read_names(frame.evidence, told.tolist(), tenant_id=tenant_id)
    speaker = prediction.predictor
    why = reasons(speaker, frame, assessment, told.tolist(), names)
    suspicions = {}
    for row in told.tolist():
        standing = assessment.standing(row)
        if standing or levels[row] >= RISK_LEVELS.index("HIGH"):
            types = standing or assessment.mentioned(row)
            alone = not standing and speaker is not RULES
            suspicions[row] = recording.Suspicion(
                anomaly_types=types,
                fraud_type=types[0] if types and not alone else MODEL_SPEAKS,
                model_alone=alone,
                strengths=_strengths(assessment, row),
                person_name=names.person(int(frame.evidence.punches["person"][row])),
            )
    return recording.Verdicts(scores, levels, predictions, assessment.scores, why, suspicions)


def risk_ranks(scores: FloatArray) -> IntArray:
    """The rank in RISK_LEVELS of each score: :func:`noc.domain.risk_level` for a whole batch."""
    return np.searchsorted(_LEVEL_BOUNDS, scores, side="right")


def _strengths(assessment: Assessment, row: int) -> dict[str, float]:
    column = assessment.by_type(row)
    return {name: round(value, 4) for name, value in column.items() if value >= MENTIONED / 2}
