"""Scoring of punches: features, predictor, rules, and what follows, once per punch.

However often and by however many workers a punch is scored, it gets one prediction, at most one
anomaly, one alert and one ticket link: its row is locked while it is scored, the unique keys of
the prediction and anomaly logs decide, and effects follow only for rows really inserted.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.domain import RISK_LEVELS, RiskLevel
from noc.extensions import session
from noc.fraud import recording
from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.features import FeatureFrame, collect
from noc.fraud.freshness import scores_changed
from noc.fraud.predictor import RULES, Prediction, predict
from noc.fraud.reasons import TOLD, Reason, read_names
from noc.fraud.rules import MENTIONED, Assessment, assess
from noc.fraud.thresholds import read_thresholds
from noc.monitoring import metrics

BATCH = 1000
"""Punches scored together: enough to make the cost of queries small, few enough to stay quick."""

MODEL_SPEAKS = "MODEL"
"""``fraud_type`` where no rule contributes."""

_LEVEL_BOUNDS = np.array([0.2, 0.4, 0.6, 0.8])

_LOCK = text(
    """
    SELECT id FROM attendance_event
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND scored_at IS NULL AND voided_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
    """
)
_CLAIM = text(
    """
    SELECT id FROM attendance_event
    WHERE tenant_id = :tenant AND scored_at IS NULL AND voided_at IS NULL AND id <> ALL(:skip)
    ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    """
)
_SCORED = text(
    """
    UPDATE attendance_event SET scored_at = :now
    WHERE tenant_id = :tenant AND id = ANY(:ids)
    """
)
_STORED = text(
    """
    SELECT l.attendance_event_id AS punch_id, l.person_id, l.site_id, l.occurred_at,
        l.fraud_score, l.risk_level, l.model_type, l.model_version, l.reasons,
        coalesce(a.anomaly_types, '{}') AS anomaly_types, a.fraud_type, a.id AS anomaly_id,
        a.alert_id, a.ticket_id
    FROM fraud_prediction_log l
    LEFT JOIN attendance_anomaly_log a
        ON a.tenant_id = l.tenant_id AND a.attendance_event_id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = ANY(:ids) AND NOT l.is_shadow
    ORDER BY l.attendance_event_id
    """
)


@dataclass(frozen=True, slots=True)
class PunchScore:
    """What was thought of a punch. ``fraud_type`` and the ids are None where nothing stands."""

    punch_id: int
    person_id: int
    site_id: int
    occurred_at: dt.datetime
    fraud_score: float
    risk_level: RiskLevel
    model_type: str
    model_version: str
    reasons: list[Reason]
    anomaly_types: list[str]
    fraud_type: str | None
    anomaly_id: uuid.UUID | None
    alert_id: int | None
    ticket_id: int | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        values = asdict(self)
        values["occurred_at"] = self.occurred_at.isoformat()
        values["anomaly_id"] = str(self.anomaly_id) if self.anomaly_id else None
        return values


def score_punches(
    punch_ids: Sequence[int], *, tenant_id: int, now: dt.datetime
) -> list[PunchScore]:
    """Score those of the punches that never were; return the scores of all, by punch id.

    Voided and unknown punches are left out. Flushes, and leaves the commit to the caller; until
    then nobody else scores these punches.
    """
    wanted = sorted({int(punch_id) for punch_id in punch_ids})
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        new = session().scalars(_LOCK, {"tenant": tenant_id, "ids": part}).all()
        score_locked(new, tenant_id=tenant_id, now=now)
    return _stored(wanted, tenant_id)


def score_pending(*, tenant_id: int, now: dt.datetime, limit: int = BATCH) -> int:
    """Score up to ``limit`` punches that never were, oldest arrivals first; how many it took.

    Punches that another worker is scoring are passed over. One transaction: the caller commits.
    """
    claimed = claim(tenant_id=tenant_id, limit=limit)
    score_locked(claimed, tenant_id=tenant_id, now=now)
    return len(claimed)


def claim(*, tenant_id: int, limit: int, skip: Collection[int] = ()) -> list[int]:
    """Lock up to ``limit`` punches that were never scored, until the transaction ends."""
    rows = session().scalars(_CLAIM, {"tenant": tenant_id, "limit": limit, "skip": list(skip)})
    return list(rows)


def score_locked(punch_ids: Sequence[int], *, tenant_id: int, now: dt.datetime) -> None:
    """Score punches that this transaction has locked, and mark them as scored."""
    if not punch_ids:
        return
    config = read_thresholds(tenant_id)
    frame = collect(punch_ids, tenant_id=tenant_id)
    assessment = assess(frame.evidence)
    prediction = predict(frame, assessment, tenant_id=tenant_id, config=config.tenant)
    verdicts = _verdicts(frame, assessment, prediction, tenant_id)
    recording.record(frame, verdicts, config, tenant_id=tenant_id, now=now)
    session().execute(_SCORED, {"tenant": tenant_id, "ids": list(punch_ids), "now": now})
    for level, count in zip(*np.unique(verdicts.levels, return_counts=True), strict=True):
        metrics.ML_PREDICTIONS.labels(
            prediction.predictor.model_type, prediction.predictor.version, RISK_LEVELS[level]
        ).inc(int(count))
    scores_changed(session(), tenant_id)


def _verdicts(
    frame: FeatureFrame, assessment: Assessment, prediction: Prediction, tenant_id: int
) -> recording.Verdicts:
    """Levels, reasons and anomalies of a batch; sentences only where there is something to say."""
    scores = np.round(prediction.scores, 6)
    levels = risk_ranks(scores)
    strongest = assessment.strengths.max(axis=1, initial=0.0)
    told = np.flatnonzero((strongest >= TOLD) | (scores >= _LEVEL_BOUNDS[0]))
    names = read_names(frame.evidence, told.tolist(), tenant_id=tenant_id)
    speaker = prediction.predictor
    reasons = {int(row): speaker.explain(frame, assessment, int(row), names) for row in told}
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
    return recording.Verdicts(scores, levels, speaker, reasons, suspicions)


def risk_ranks(scores: FloatArray) -> IntArray:
    """The rank in RISK_LEVELS of each score: :func:`noc.domain.risk_level` for a whole batch."""
    return np.searchsorted(_LEVEL_BOUNDS, scores, side="right")


def _strengths(assessment: Assessment, row: int) -> dict[str, float]:
    column = assessment.by_type(row)
    return {name: round(value, 4) for name, value in column.items() if value >= MENTIONED / 2}


def _stored(punch_ids: Sequence[int], tenant_id: int) -> list[PunchScore]:
    rows = session().execute(_STORED, {"tenant": tenant_id, "ids": list(punch_ids)})
    return [PunchScore(**row._asdict()) for row in rows]
