"""The weekly look: do punches, scores and verdicts still look as when the model learned?"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import numpy as np
import structlog
from sqlalchemy import select, text

from noc.alerts.process import AlertInput, process_alert
from noc.database.base import new_uuid
from noc.domain import Severity
from noc.extensions import session
from noc.fraud.columns import FloatArray, Kind, read_columns
from noc.fraud.features import FEATURES
from noc.fraud.freshness import scores_changed
from noc.fraud.registry.models import ModelMetrics
from noc.fraud.watching import audited, references, served, wording
from noc.fraud.watching.measured import figures
from noc.fraud.watching.references import Subject
from noc.fraud.watching.served import Served
from noc.fraud.watching.shares import ALARM, binned, level, psi
from noc.identity.tenant_settings import tenant_settings

log = structlog.get_logger(__name__)

WEEK = dt.timedelta(days=7)
MATURING = dt.timedelta(days=90)
"""A verdict counts in the week in which it came, for a punch of at most so long before."""

ALERT_TYPE = "MODEL_DRIFT"

FROM_VERDICTS = ("historical_fraud_rate", "consecutive_violations")
"""Made of people's verdicts: they move as more is reviewed, above all in the first months. That is

worth an eye, but no alarm: the world may be as it was.
"""

_LEVELS = ("too few", "steady", "watch", "alarm")

# The unique index decides which of two workers keeps the week; only that one raises an alert.
_KEEP = text(
    """
    INSERT INTO noc_ml_model_metrics (
        tenant_id, id, model_id, model_version, kind, evaluated_at, window_start, window_end,
        samples, positives, threshold, precision, recall, f1, pr_auc, brier, psi, detail)
    VALUES (:tenant, :id, :model_id, :version, 'live', :now, :start, :end,
        :samples, :positives, :threshold, :precision, :recall, :f1, :ap, :brier, :psi,
        CAST(:detail AS jsonb))
    ON CONFLICT (tenant_id, model_version, window_end) WHERE kind = 'live' DO NOTHING
    RETURNING id
    """
)
_MATURED = """
    SELECT l.actual_fraud_detected, l.fraud_score, l.person_id
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    WHERE l.tenant_id = :tenant AND NOT l.is_shadow AND l.actual_fraud_detected IS NOT NULL
      AND l.model_version = :version AND l.occurred_at >= :since AND l.occurred_at < :end
      AND l.labelled_at >= :start AND l.labelled_at < :end
"""
_MATURED_COLUMNS: dict[str, Kind] = {"fraud": "flag", "score": "float", "person": "int"}


def watch(*, tenant_id: int, now: dt.datetime) -> dict[str, Any] | None:
    """Compare the seven UTC days before today with the reference, once; what was found.

    Of the active model, else of the rules: population stability of each feature and of the
    score, missing rates, alert rate, calibration on random audits, and figures on the verdicts
    that came in the week. Kept as an evaluation of kind ``live``; where the index is in the
    alarm, an alert MODEL_DRIFT. None where nothing was scored in the week, or it was watched
    already, whoever did. A dozen queries and at most 400,000 punches. The caller commits.
    """
    end = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - WEEK
    subject = references.find_subject(tenant_id)
    if _is_kept(subject.version, end, tenant_id):
        return None
    punches = served.read(start, end, tenant_id=tenant_id, now=now, spread=True)
    if not punches.total:
        return None
    config = tenant_settings()
    ticket_threshold = config.fraud_score_ticket_threshold
    threshold = subject.threshold if subject.threshold is not None else ticket_threshold
    matured = _matured(subject, start, end, tenant_id)
    labels = matured["fraud"].astype(np.float64)
    measured = figures(labels, matured["score"], matured["person"], threshold)
    reference = references.reference(
        subject, start, tenant_id=tenant_id, now=now, ticket_threshold=ticket_threshold
    )
    detail = _compared(subject, punches, reference, start, end, tenant_id) | {
        "alert_rate": _alert_rate(punches, reference, ticket_threshold),
        "anomalies_per_day": {
            "now": references.anomalies_per_day(punches, WEEK.days),
            "reference": reference["anomalies_per_day"],
        },
        "calibration": audited.calibration(subject.version, end, tenant_id=tenant_id, now=now),
        "reviewed": {"verdicts": len(labels), "frauds": int(labels.sum()), "figures": measured},
        "reference": reference,
    }
    detail["sentence"] = wording.sentence(subject, detail)
    evaluation_id = _keep(subject, detail, measured, (start, end), threshold, tenant_id, now)
    if evaluation_id is None:
        return None
    if detail["level"] == "alarm":
        detail["alert_id"] = _alert(subject, detail, now)
    scores_changed(session(), tenant_id)
    log.info("model_watched", tenant_id=tenant_id, version=subject.version, level=detail["level"])
    return {"id": str(evaluation_id), "version": subject.version, "window_end": end} | detail


def _compared(
    subject: Subject,
    punches: Served,
    reference: dict[str, Any],
    start: dt.datetime,
    end: dt.datetime,
    tenant_id: int,
) -> dict[str, Any]:
    """How far every feature and the score have moved, and the worst of their levels."""
    said = (
        punches["rules"]
        if subject.model_id is None
        else served.spoken(subject.version, start, end, tenant_id=tenant_id)
    )
    before = reference["punches"]
    features = {
        name: _moved(punches[name], reference["features"][name], punches.total, before)
        for name in FEATURES
    }
    for name in FROM_VERDICTS:
        if features[name]["level"] == "alarm":
            features[name]["level"] = "watch"
    score = _moved(said, reference["score"], len(said), before)
    found = [*features.values(), score]
    known = [one["psi"] for one in found if one["psi"] is not None]
    return {
        "punches": punches.total,
        "looked_at": len(punches),
        "features": features,
        "score": score | {"punches": len(said)},
        "psi": max(known, default=None),
        "level": max((one["level"] for one in found), key=_LEVELS.index),
    }


def _moved(
    values: FloatArray, reference: dict[str, Any] | None, punches: int, before: int
) -> dict[str, Any]:
    if reference is None or not len(values) or not before:
        return {"psi": None, "level": "too few"}
    shares = binned(values, reference["edges"])
    index = psi(reference["shares"], shares)
    return {
        "psi": round(index, 6),
        "level": level(index, punches, before),
        "direction": wording.direction(reference["shares"], shares),
        "missing": round(shares[-1], 6),
        "missing_reference": round(reference["shares"][-1], 6),
        "shares": [round(share, 6) for share in shares],
    }


def _alert_rate(
    punches: Served, reference: dict[str, Any], ticket_threshold: float
) -> dict[str, Any]:
    # At another threshold than today's the reference's share says nothing.
    same = reference["ticket_threshold"] == ticket_threshold
    return {
        "threshold": ticket_threshold,
        "now": references.alert_rate(punches["score"], ticket_threshold),
        "reference": reference["alert_rate"] if same else None,
    }


def _matured(
    subject: Subject, start: dt.datetime, end: dt.datetime, tenant_id: int
) -> dict[str, Any]:
    params = {
        "tenant": tenant_id,
        "version": subject.version,
        "since": start - MATURING,
        "start": start,
        "end": end,
    }
    return read_columns(_MATURED, params, _MATURED_COLUMNS)


def _is_kept(version: str, end: dt.datetime, tenant_id: int) -> bool:
    """Spares the work; what decides is the index."""
    m = ModelMetrics
    return (
        session().scalar(
            select(m.id).where(
                m.tenant_id == tenant_id,
                m.model_version == version,
                m.kind == "live",
                m.window_end == end,
            )
        )
        is not None
    )


def _keep(
    subject: Subject,
    detail: dict[str, Any],
    measured: dict[str, dict[str, Any]],
    window: tuple[dt.datetime, dt.datetime],
    threshold: float,
    tenant_id: int,
    now: dt.datetime,
) -> uuid.UUID | None:
    kept: uuid.UUID | None = session().scalar(
        _KEEP,
        {
            "tenant": tenant_id,
            "id": new_uuid(),
            "model_id": subject.model_id,
            "version": subject.version,
            "now": now,
            "start": window[0],
            "end": window[1],
            "samples": detail["punches"],
            "positives": detail["reviewed"]["frauds"],
            "threshold": threshold,
            "psi": detail["psi"],
            "detail": json.dumps(detail, allow_nan=False),
            **{name: figure["value"] for name, figure in measured.items()},
        },
    )
    return kept


def _alert(subject: Subject, detail: dict[str, Any], now: dt.datetime) -> int:
    raised = process_alert(
        AlertInput(
            alert_type=ALERT_TYPE,
            severity=_severity(subject, detail),
            message=detail["sentence"],
            occurred_at=now,
            dedup_key=f"model-drift:{subject.version}",
            entity_type="fraud_model",
            entity_id=subject.version,
            metadata={
                "model_version": subject.version,
                "psi": {
                    name: found["psi"]
                    for name, found in (*detail["features"].items(), ("score", detail["score"]))
                    if found["level"] == "alarm"
                },
                "punches": detail["punches"],
                "calibration": detail["calibration"],
            },
        ),
        now=now,
    )
    return raised.id


def _severity(subject: Subject, detail: dict[str, Any]) -> Severity:
    """HIGH where the score itself has moved, or random audits contradict a model's.

    What the rules say is no probability, so the audits cannot contradict it.
    """
    score = detail["score"]
    far = score["level"] == "alarm" and score["psi"] > ALARM
    contradicted = subject.model_id is not None and detail["calibration"]["agrees"] is False
    return "HIGH" if far or contradicted else "MEDIUM"
