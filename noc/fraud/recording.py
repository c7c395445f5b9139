"""Writes what scoring found: predictions, anomalies, alerts, tickets, events."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.alerts.process import AlertInput, process_alerts
from noc.database.base import new_uuid
from noc.domain import RISK_LEVELS, Severity, risk_level, risk_severity
from noc.events.log import emit
from noc.extensions import session
from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.features import FEATURES, FeatureFrame
from noc.fraud.predictor import Prediction, Predictions
from noc.fraud.reasons import Reason
from noc.fraud.thresholds import Thresholds
from noc.fraud.ticketing import Suspect, open_tickets
from noc.monitoring import metrics


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a punch is an anomaly. ``model_alone``: no rule stands, the model speaks."""

    anomaly_types: list[str]
    fraud_type: str
    model_alone: bool
    strengths: dict[str, float]
    person_name: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Aligned with the frame: scores, risk levels by rank, what the rules alone say; by row where

    there are any: reasons and suspicions.
    """

    scores: FloatArray
    levels: IntArray
    predictions: Predictions
    rule_scores: FloatArray
    reasons: dict[int, list[Reason]]
    suspicions: dict[int, Suspicion]


_PREDICTIONS = text(
    """
    INSERT INTO fraud_prediction_log (
        tenant_id, id, attendance_event_id, person_id, site_id, occurred_at, predicted_at,
        features, fraud_score, probability, rule_score, risk_level, model_type, model_version,
        is_shadow, reasons)
    SELECT :tenant, r.id, r.punch, r.person, r.site,
        timestamptz 'epoch' + r.microseconds * interval '1 microsecond', :now,
        r.features, r.score, r.probability, r.rules, r.level, :model_type, :model_version,
        :is_shadow, r.reasons
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        id uuid, punch bigint, person bigint, site bigint, microseconds bigint, features jsonb,
        score float8, probability float8, rules float8, level text, reasons jsonb)
    ON CONFLICT DO NOTHING
    RETURNING attendance_event_id
    """
)
_ANOMALIES = text(
    """
    INSERT INTO attendance_anomaly_log (
        tenant_id, id, attendance_event_id, person_id, site_id, occurred_at, detected_at,
        anomaly_types, fraud_type, fraud_score, severity, evidence, reasons)
    SELECT :tenant, r.id, r.attendance_event_id, r.person_id, r.site_id, r.occurred_at, :now,
        r.anomaly_types, r.fraud_type, r.fraud_score, r.severity, r.evidence, r.reasons
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        id uuid, attendance_event_id bigint, person_id bigint, site_id bigint,
        occurred_at timestamptz, anomaly_types text[], fraud_type text, fraud_score float8,
        severity text, evidence jsonb, reasons jsonb)
    ON CONFLICT DO NOTHING
    RETURNING id
    """
)
_LINKS = text(
    """
    UPDATE attendance_anomaly_log a SET alert_id = r.alert_id, ticket_id = r.ticket_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, alert_id bigint, ticket_id bigint)
    WHERE a.tenant_id = :tenant AND a.id = r.id
    """
)


def record(
    frame: FeatureFrame,
    verdicts: Verdicts,
    config: Thresholds,
    *,
    tenant_id: int,
    now: dt.datetime,
) -> None:
    """Store the predictions; for those really new that are suspicious all that follows."""
    vectors = frame.vectors()
    new = _insert_predictions(frame, verdicts, vectors, tenant_id, now)
    suspects = [
        _suspect(frame, verdicts, vectors, row)
        for row in verdicts.suspicions
        if int(frame.punch_ids[row]) in new
    ]
    if suspects:
        _follow_up(_insert_anomalies(suspects, tenant_id, now), config, tenant_id, now)


def _insert_predictions(
    frame: FeatureFrame,
    verdicts: Verdicts,
    vectors: list[list[float | None]],
    tenant_id: int,
    now: dt.datetime,
) -> set[int]:
    p = frame.evidence.punches
    punches = [p[name].tolist() for name in ("id", "person", "site", "time")]

    def rows(prediction: Prediction, scores: FloatArray) -> list[dict[str, Any]]:
        said = prediction.probabilities
        known = [None] * len(scores) if said is None else said.tolist()
        columns = (*punches, scores.tolist(), known, verdicts.rule_scores.tolist())
        return [
            {"id": str(new_uuid()), "punch": punch_id, "person": person, "site": site,
             "microseconds": time, "score": score, "probability": probability,
             "rules": rule_score, "level": risk_level(score), "features": [], "reasons": []}
            for punch_id, person, site, time, score, probability, rule_score
            in zip(*columns, strict=True)
        ]  # fmt: skip

    served = rows(verdicts.predictions.served, verdicts.scores)
    for row, (values, vector) in enumerate(zip(served, vectors, strict=True)):
        values |= {"features": vector, "reasons": verdicts.reasons.get(row, [])}
    inserted = _insert(served, verdicts.predictions.served, tenant_id, now)
    for shadow in verdicts.predictions.shadows:
        # It looked at the same vectors: they are not kept twice.
        of_shadow = rows(shadow, np.round(shadow.scores, 6))
        news = [values for values in of_shadow if values["punch"] in inserted]
        _insert(news, shadow, tenant_id, now, is_shadow=True)
    return inserted


def _insert(
    rows: list[dict[str, Any]],
    prediction: Prediction,
    tenant_id: int,
    now: dt.datetime,
    *,
    is_shadow: bool = False,
) -> set[int]:
    inserted = session().scalars(
        _PREDICTIONS,
        {
            "tenant": tenant_id,
            "now": now,
            "model_type": prediction.predictor.model_type,
            "model_version": prediction.predictor.version,
            "is_shadow": is_shadow,
            "rows": json.dumps(rows, allow_nan=False),
        },
    )
    return set(inserted)


def _suspect(
    frame: FeatureFrame, verdicts: Verdicts, vectors: list[list[float | None]], row: int
) -> Suspect:
    p, suspicion = frame.evidence.punches, verdicts.suspicions[row]
    severity: Severity = risk_severity(RISK_LEVELS[verdicts.levels[row]])
    occurred_at = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(
        microseconds=int(p["time"][row])
    )
    return Suspect(
        anomaly_id=new_uuid(),
        punch_id=int(p["id"][row]),
        person_id=int(p["person"][row]),
        person_name=suspicion.person_name,
        site_id=int(p["site"][row]),
        occurred_at=occurred_at,
        anomaly_types=suspicion.anomaly_types,
        fraud_type=suspicion.fraud_type,
        model_alone=suspicion.model_alone,
        fraud_score=float(verdicts.scores[row]),
        severity=severity,
        model_version=verdicts.predictions.served.predictor.version,
        reasons=verdicts.reasons.get(row, []),
        evidence={
            "strengths": suspicion.strengths,
            "features": dict(zip(FEATURES, vectors[row], strict=True)),
        },
    )


def _insert_anomalies(suspects: list[Suspect], tenant_id: int, now: dt.datetime) -> list[Suspect]:
    rows = [
        {
            "id": str(suspect.anomaly_id),
            "attendance_event_id": suspect.punch_id,
            "person_id": suspect.person_id,
            "site_id": suspect.site_id,
            "occurred_at": suspect.occurred_at.isoformat(),
            "anomaly_types": suspect.anomaly_types,
            "fraud_type": suspect.fraud_type,
            "fraud_score": suspect.fraud_score,
            "severity": suspect.severity,
            "evidence": suspect.evidence,
            "reasons": suspect.reasons,
        }
        for suspect in suspects
    ]
    inserted: set[uuid.UUID] = set(
        session().scalars(_ANOMALIES, {"tenant": tenant_id, "now": now, "rows": json.dumps(rows)})
    )
    return [suspect for suspect in suspects if suspect.anomaly_id in inserted]


def _follow_up(
    suspects: list[Suspect], config: Thresholds, tenant_id: int, now: dt.datetime
) -> None:
    alerts = process_alerts([_alert(suspect) for suspect in suspects], now=now)
    alert_ids = [alert.id for alert in alerts]
    muted = {alert.id for alert in alerts if alert.muted}
    tickets = open_tickets(suspects, alert_ids, config, muted=muted, tenant_id=tenant_id, now=now)
    links = [
        {"id": str(suspect.anomaly_id), "alert_id": alert_id, "ticket_id": ticket_id}
        for suspect, alert_id, ticket_id in zip(suspects, alert_ids, tickets, strict=True)
    ]
    session().execute(_LINKS, {"tenant": tenant_id, "rows": json.dumps(links)})
    for suspect, alert_id, ticket_id in zip(suspects, alert_ids, tickets, strict=True):
        metrics.FRAUD_DETECTIONS.labels(suspect.severity).inc()
        emit(
            "anomaly_detected",
            _frame(suspect, alert_id, ticket_id),
            tenant_id=tenant_id,
            site_id=suspect.site_id,
            alert_id=alert_id,
            ticket_id=ticket_id,
        )


def _alert(suspect: Suspect) -> AlertInput:
    return AlertInput(
        alert_type="ML_FRAUD_PREDICTION" if suspect.model_alone else "ATTENDANCE_ANOMALY",
        severity=suspect.severity,
        message=f"{suspect.person_name}: {suspect.headline}",
        occurred_at=suspect.occurred_at,
        dedup_key=f"fraud:punch:{suspect.punch_id}",
        site_id=suspect.site_id,
        person_id=suspect.person_id,
        entity_type="punch",
        entity_id=str(suspect.punch_id),
        metadata={
            "ml_prediction": suspect.fraud_score,
            "model_version": suspect.model_version,
            "features": suspect.evidence["features"],
            "anomaly_log_id": str(suspect.anomaly_id),
            "anomaly_types": suspect.anomaly_types,
            "fraud_type": suspect.fraud_type,
            "reasons": [reason["sentence"] for reason in suspect.reasons],
        },
    )


def _frame(suspect: Suspect, alert_id: int, ticket_id: int | None) -> dict[str, Any]:
    return {
        "anomaly_id": str(suspect.anomaly_id),
        "person_id": suspect.person_id,
        "person_name": suspect.person_name,
        "anomaly_type": suspect.fraud_type,
        "anomaly_types": suspect.anomaly_types,
        "fraud_score": suspect.fraud_score,
        "severity": suspect.severity,
        "evidence": [reason["sentence"] for reason in suspect.reasons],
        "alert_id": alert_id,
        "ticket_id": ticket_id,
    }
