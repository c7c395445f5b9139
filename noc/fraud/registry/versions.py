"""The registry's writes: a new version, an activation, a way back, and what is kept.

Whoever changes which model is active first locks the tenant's versions, all of them and in one
order: two at once take turns, and a partial unique index stands behind that.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select, text, update

from noc.database.base import new_uuid
from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.fraud.registry import cache
from noc.fraud.registry.artefact import digest
from noc.fraud.registry.models import FraudModel, ModelMetrics

log = structlog.get_logger(__name__)

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


class NotPossible(Exception):
    """A version cannot be activated or taken back; the message says why."""


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
            _retire(young, now, f"Gave way to {model.version} before it could be judged.")
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


def activate(
    model_id: uuid.UUID,
    *,
    tenant_id: int,
    now: dt.datetime,
    note: str | None = None,
    by: str | None = None,
) -> FraudModel:
    """Let this version score from the next batch on; the one before becomes its ancestor.

    ``by`` names the person who wants it, ``note`` says why; where the gate was against it the note
    that is kept says that, too. LookupError for no such version; :class:`NotPossible` for one
    whose artefact is no longer kept. To activate the active one changes nothing. The caller
    commits.
    """
    lock(tenant_id)
    model = _get(model_id, tenant_id)
    if model.is_active:
        return model
    if not _has_artefact(model):
        raise NotPossible(
            f"{model.version} is too old: its artefact is no longer kept. Train a new one."
        )
    before = _active(tenant_id)
    if before is not None:
        _retire(before, now, f"Gave way to {model.version}.")
        session().flush()
    # Activated while the rules score, it goes back to the rules, whatever was before once.
    model.ancestor_id = before.id if before is not None else None
    _make_active(model, now, _why(model, note, by))
    prune(tenant_id=tenant_id)
    return model


def roll_back(model_id: uuid.UUID, *, tenant_id: int, now: dt.datetime) -> FraudModel | None:
    """Take the active version back: its ancestor scores again, without one the rules do.

    The model that scores now, or None for the rules. LookupError for no such version;
    :class:`NotPossible` for one that is not active. The caller commits.
    """
    lock(tenant_id)
    model = _get(model_id, tenant_id)
    if not model.is_active:
        raise NotPossible(f"{model.version} does not score: there is nothing to take back.")
    ancestor = (
        session().get(FraudModel, (tenant_id, model.ancestor_id)) if model.ancestor_id else None
    )
    usable = ancestor if ancestor is not None and _has_artefact(ancestor) else None
    to = usable.version if usable else "the rules"
    _retire(model, now, f"Taken back; {to} score{'s' if usable else ''} again.")
    session().flush()
    # Who goes back further must not come round to the one that was taken back.
    session().execute(
        update(FraudModel)
        .where(FraudModel.tenant_id == tenant_id, FraudModel.ancestor_id == model.id)
        .values(ancestor_id=None)
    )
    if usable is not None:
        _make_active(usable, now, f"Scores again: {model.version} was taken back.")
    scores_changed(session(), tenant_id)
    log.info("model_rolled_back", tenant_id=tenant_id, version=model.version, to=to)
    return usable


def prune(*, tenant_id: int) -> None:
    """Drop the artefacts of versions too old to go back to; what was measured stays."""
    session().flush()
    for version, sha256 in session().execute(_PRUNE, {"tenant": tenant_id, "kept": KEPT}):
        cache.drop(tenant_id, version, sha256)


def _why(model: FraudModel, note: str | None, by: str | None) -> str | None:
    if by is not None:
        note = f"{note} ({by})" if note else f"Activated by hand ({by})."
    if model.gate.get("may_score"):
        return note
    return f"{note or 'Activated.'} It had not passed its gate."


def _make_active(model: FraudModel, now: dt.datetime, note: str | None) -> None:
    model.status, model.is_active = "active", True
    model.activated_at, model.retired_at = now, None
    model.note = note or model.note
    session().flush()
    scores_changed(session(), model.tenant_id)
    log.info("model_activated", tenant_id=model.tenant_id, version=model.version)


def _retire(model: FraudModel, now: dt.datetime, note: str) -> None:
    model.status, model.is_active = "retired", False
    model.retired_at, model.note = now, note


def retire(model: FraudModel, *, now: dt.datetime, note: str) -> None:
    """A shadow has watched for long enough and is not wanted.

    The caller has locked the tenant's versions, and commits.
    """
    _retire(model, now, note)
    prune(tenant_id=model.tenant_id)


def lock(tenant_id: int) -> None:
    """Lock the tenant's versions until the end of the transaction, in the one order there is."""
    session().execute(
        select(FraudModel.id)
        .where(FraudModel.tenant_id == tenant_id)
        .order_by(FraudModel.id)
        .with_for_update()
    ).all()


def _get(model_id: uuid.UUID, tenant_id: int) -> FraudModel:
    model = session().get(FraudModel, (tenant_id, model_id), populate_existing=True)
    if model is None:
        raise LookupError("there is no such version")
    return model


def _active(tenant_id: int) -> FraudModel | None:
    return session().scalar(
        select(FraudModel).where(FraudModel.tenant_id == tenant_id, FraudModel.is_active)
    )


def _has_artefact(model: FraudModel) -> bool:
    found: bool | None = session().scalar(
        select(FraudModel.artefact.is_not(None)).where(
            FraudModel.tenant_id == model.tenant_id, FraudModel.id == model.id
        )
    )
    return bool(found)
