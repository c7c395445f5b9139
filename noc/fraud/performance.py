"""How well fraud detection does, as far as anybody has looked: no more is claimed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, true

from noc.attendance.models import AttendanceEvent
from noc.extensions import session
from noc.fraud.intervals import wilson
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.predictor import RULES
from noc.fraud.registry import serving
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.retraining.gate import SHADOW_LABELS
from noc.settings import Settings


def performance(
    *,
    tenant_id: int,
    now: dt.datetime,
    config: Settings,
    days: int = 180,
    site_ids: Collection[int] | None = None,
) -> dict[str, Any]:
    """What is known of the last ``days``: counts, labels by source, precision of what was reviewed.

    ``suspicions`` are all anomalies, ``rules`` those that the rules served: ``precision`` is the
    share of confirmed fraud among the *reviewed* ones, None where nobody reviewed any, with a
    90 % Wilson interval. ``recall`` is always None: what is counted here was reviewed mostly
    because it was suspected, and frauds that nobody suspected are not in it. From random audits
    recall is estimated by :func:`noc.fraud.watching.whatif.what_if`.

    The models were trained and judged on every site: with ``site_ids`` there are no ``models``
    and no ``evaluations``, and ``active_model`` has its version and type only. ``speaking`` is who
    really scores: the rules where a model is switched off, or cannot be loaded. Voided punches do
    not count. At most five queries.
    """
    p, since = PredictionLog, now - dt.timedelta(days=days)
    mine = true() if site_ids is None else p.site_id.in_(site_ids)
    scope = and_(p.tenant_id == tenant_id, ~p.is_shadow, p.occurred_at >= since, mine, ~_voided(p))
    counts = session().execute(_counts(scope)).one()
    labels = session().execute(
        select(p.label_source, p.actual_fraud_detected, func.count())
        .where(scope, p.actual_fraud_detected.is_not(None))
        .group_by(p.label_source, p.actual_fraud_detected)
    )
    by_source: dict[str, dict[str, int]] = {}
    for source, fraud, count in labels:
        entry = by_source.setdefault(str(source), {"fraud": 0, "genuine": 0})
        entry["fraud" if fraud else "genuine"] = count
    whole = site_ids is None
    models = [_model(row) for row in session().execute(_models(tenant_id))] if whole else []
    active = (
        next((model for model in models if model["is_active"]), None)
        if whole
        else _active_name(tenant_id)
    )
    labelled = sum(sum(entry.values()) for entry in by_source.values())
    loaded = serving.speakers(tenant_id).active
    speaks = config.predictive_fraud_enabled and loaded is not None
    return {
        "days": days,
        "active_model": active,
        "models": models,
        "evaluations": _evaluations(tenant_id) if whole else [],
        "speaking": loaded.version if speaks and loaded else "rules",
        "explanation": _explanation(
            active, loaded is not None, _versions(tenant_id), labelled, config
        ),
        "scored": counts.scored,
        "anomalies": counts.anomalies,
        "tickets": counts.tickets,
        "labels": {
            "total": labelled,
            "by_source": by_source,
            "needed_for_shadow": SHADOW_LABELS,
            "needed_for_activation": config.ml_model_min_training_samples,
        },
        "suspicions": _reviewed(counts.reviewed, counts.confirmed),
        "rules": _reviewed(counts.reviewed_by_rules, counts.confirmed_by_rules),
    }


def _voided(p: type[PredictionLog]) -> ColumnElement[bool]:
    e = AttendanceEvent
    return exists().where(
        e.tenant_id == p.tenant_id, e.id == p.attendance_event_id, e.voided_at.is_not(None)
    )


def _reviewed(reviewed: int, confirmed: int) -> dict[str, Any]:
    return {
        "reviewed": reviewed,
        "confirmed": confirmed,
        "precision": _share(confirmed, reviewed),
        "precision_interval_90": _interval(confirmed, reviewed),
        "recall": None,
    }


def _interval(hits: int, total: int) -> list[float] | None:
    """Wilson's interval of a share; None of nothing."""
    return [round(end, 4) for end in wilson(hits / total, total)] if total else None


def _counts(scope: Any) -> Any:
    p, a = PredictionLog, AnomalyLog
    reviewed = and_(a.id.is_not(None), p.actual_fraud_detected.is_not(None))
    confirmed = and_(a.id.is_not(None), p.actual_fraud_detected.is_(True))
    by_rules = p.model_type == RULES.model_type
    return (
        select(
            func.count().label("scored"),
            func.count(a.id).label("anomalies"),
            func.count(a.ticket_id.distinct()).label("tickets"),
            func.count().filter(reviewed).label("reviewed"),
            func.count().filter(confirmed).label("confirmed"),
            func.count().filter(reviewed, by_rules).label("reviewed_by_rules"),
            func.count().filter(confirmed, by_rules).label("confirmed_by_rules"),
        )
        .select_from(p)
        .outerjoin(
            a, and_(a.tenant_id == p.tenant_id, a.attendance_event_id == p.attendance_event_id)
        )
        .where(scope)
    )


def _models(tenant_id: int) -> Any:
    m = FraudModel
    return (
        select(
            m.id,
            m.version,
            m.model_type,
            m.status,
            m.is_active,
            m.train_samples,
            m.class_imbalance_ratio,
            m.pr_auc,
            m.precision_at_80_recall,
            m.thresholds,
            m.created_at,
            m.activated_at,
            m.note,
        )
        .where(m.tenant_id == tenant_id)
        .order_by(m.created_at.desc())
    )


def _model(row: Any) -> dict[str, Any]:
    values: dict[str, Any] = row._asdict()
    values["id"] = str(values["id"])
    for name in ("created_at", "activated_at"):
        values[name] = values[name].isoformat() if values[name] else None
    return values


def _active_name(tenant_id: int) -> dict[str, Any] | None:
    """Version and type of the active model: what the reasons of each score name anyway."""
    m = FraudModel
    found = session().execute(
        select(m.version, m.model_type).where(m.tenant_id == tenant_id, m.is_active)
    )
    row = found.one_or_none()
    return row._asdict() if row else None


def _evaluations(tenant_id: int) -> list[dict[str, Any]]:
    m = ModelMetrics
    columns = (
        m.model_version, m.kind, m.evaluated_at, m.samples, m.positives, m.threshold,
        m.precision, m.recall, m.f1, m.pr_auc, m.brier, m.psi,
    )  # fmt: skip
    rows = session().execute(
        select(*columns).where(m.tenant_id == tenant_id).order_by(m.evaluated_at.desc()).limit(100)
    )
    return [row._asdict() | {"evaluated_at": row.evaluated_at.isoformat()} for row in rows]


def _versions(tenant_id: int) -> int:
    count = select(func.count()).select_from(FraudModel).where(FraudModel.tenant_id == tenant_id)
    return session().scalar(count) or 0


def _explanation(
    active: dict[str, Any] | None, loaded: bool, versions: int, labelled: int, config: Settings
) -> str:
    if active and not config.predictive_fraud_enabled:
        return (
            f"Models are switched off (PREDICTIVE_FRAUD_ENABLED): rules score every punch, and "
            f"{active['version']} waits."
        )
    if active and not loaded:
        return (
            f"Model {active['version']} cannot be loaded: rules score every punch. Take it back, "
            "or activate another version."
        )
    if active:
        return f"Model {active['version']} scores the punches; the rules stay beside it."
    if versions:
        return f"No model scores: rules do, beside {versions} versions that can be looked at."
    return (
        f"No model yet: rules score every punch. {labelled} punches have a verdict; a model may "
        f"watch from {SHADOW_LABELS} and take over from {config.ml_model_min_training_samples}."
    )


def _share(hits: int, total: int) -> float | None:
    return round(hits / total, 4) if total else None
