"""The registry's writes: a new version, what was measured of it, and what is kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from noc.database.base import new_uuid
from noc.extensions import session
from noc.fraud.registry import cache
from noc.fraud.registry.artefact import digest
from noc.fraud.registry.changes import lock, record, retired
from noc.fraud.registry.models import FraudModel, ModelMetrics

KEPT = 3
"""Versions whose artefact stays, besides the active one, its ancestor and those that watch."""

WATCHING = 3
"""Shadows at a time. A newcomer takes the place of the youngest: the older ones watch on until

they are judged, or weekly trainings would end each before anything could be said of it.
"""

_NUMBER = text(
    """
    SELECT coalesce(max(substring(version FROM '^v([0-9]+)$')::bigint), 0) + 1
    FROM fraud_detection_model WHERE tenant_id = :tenant
    """
)
_PRUNE = text(
    """
    UPDATE fraud_detection_model m SET artefact = NULL
    WHERE m.tenant_id = :tenant AND m.artefact IS NOT NULL AND m.status IN ('retired', 'rejected')
      AND m.id <> ALL (ARRAY(
          SELECT id FROM fraud_detection_model WHERE tenant_id = :tenant
          ORDER BY created_at DESC, id DESC LIMIT :kept))
      AND NOT EXISTS (
          SELECT FROM fraud_detection_model a
          WHERE a.tenant_id = :tenant AND a.is_active AND a.ancestor_id = m.id)
    RETURNING m.version, m.artefact_sha256
    """
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model, measured and judged, before it has a version."""

    model_type: str
    artefact: bytes
    features: tuple[str, ...]
    thresholds: dict[str, Any]
    calibration: dict[str, Any]
    train_samples: int
    positives: int
    window: tuple[dt.datetime, dt.datetime]
    pr_auc: float | None
    precision_at_80_recall: float | None
    gate: dict[str, Any]
    report: dict[str, Any]


def register(
    candidate: Candidate, *, may_watch: bool, tenant_id: int, now: dt.datetime
) -> FraudModel:
    """Store a new version, as a shadow where it may watch, else as rejected. The caller commits.

    Of more than :data:`WATCHING` shadows the youngest but the new one give way.
    """
    lock(tenant_id)
    number = session().scalar(_NUMBER, {"tenant": tenant_id})
    genuine = candidate.train_samples - candidate.positives
    model = FraudModel(
        tenant_id=tenant_id,
        id=new_uuid(),
        version=f"v{number}",
        model_type=candidate.model_type,
        status="shadow" if may_watch else "rejected",
        artefact=candidate.artefact,
        artefact_sha256=digest(candidate.artefact),
        features=list(candidate.features),
        thresholds=candidate.thresholds,
        calibration=candidate.calibration,
        train_samples=candidate.train_samples,
        positives=candidate.positives,
        window_start=candidate.window[0],
        window_end=candidate.window[1],
        class_imbalance_ratio=genuine / candidate.positives if candidate.positives else None,
        pr_auc=candidate.pr_auc,
        precision_at_80_recall=candidate.precision_at_80_recall,
        created_at=now,
        gate=candidate.gate,
        report=candidate.report,
        note=candidate.gate.get("sentence"),
    )
    session().add(model)
    session().flush()
    record(model, "registered", now=now, note=model.note)
    shadows = (
        session()
        .scalars(
            select(FraudModel)
            .where(FraudModel.tenant_id == tenant_id, FraudModel.status == "shadow")
            .order_by(FraudModel.created_at, FraudModel.id)
        )
        .all()
    )
    if may_watch and len(shadows) > WATCHING:
        for young in shadows[WATCHING - 1 : -1]:
            retired(young, now=now, note=f"Gave way to {model.version} before it could be judged.")
    prune(tenant_id=tenant_id)
    return model


def add_metrics(
    model: FraudModel,
    kind: str,
    *,
    window: tuple[dt.datetime, dt.datetime],
    samples: int,
    positives: int,
    threshold: float,
    figures: dict[str, float | None],
    detail: dict[str, Any],
    now: dt.datetime,
) -> None:
    """Store an evaluation of a version; ``figures`` by the names of the columns."""
    session().add(
        ModelMetrics(
            tenant_id=model.tenant_id,
            model_id=model.id,
            model_version=model.version,
            kind=kind,
            evaluated_at=now,
            window_start=window[0],
            window_end=window[1],
            samples=samples,
            positives=positives,
            threshold=threshold,
            detail=detail,
            **figures,
        )
    )
    session().flush()


def retire(model: FraudModel, *, now: dt.datetime, note: str) -> None:
    """A shadow has watched for long enough and is not wanted.

    The caller has locked the tenant's versions, and commits.
    """
    retired(model, now=now, note=note)
    prune(tenant_id=model.tenant_id)


def prune(*, tenant_id: int) -> None:
    """Drop the artefacts of versions too old to go back to; what was measured stays."""
    session().flush()
    for version, sha256 in session().execute(_PRUNE, {"tenant": tenant_id, "kept": KEPT}):
        cache.drop(tenant_id, version, sha256)
