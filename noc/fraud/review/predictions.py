"""One prediction, as whoever is to judge it sees it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import structlog
from sqlalchemy import and_, func, select

from noc.extensions import session
from noc.fraud.breakdown import break_down
from noc.fraud.features import FEATURES
from noc.fraud.labels import REVIEWED
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.registry import serving
from noc.fraud.registry.artefact import Artefact, BrokenArtefact
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.serving import Entry
from noc.fraud.reports import plain, select_scores
from noc.fraud.review.labelling import word
from noc.fraud.review.models import AuditDraw
from noc.identity.models import User

log = structlog.get_logger(__name__)

_LABEL = ("actual_fraud_detected", "label_source", "labelled_at", "labelled_by", "label_note")


def find_prediction(
    prediction_id: uuid.UUID,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None,
    explained: bool = True,
) -> dict[str, Any] | None:
    """A served prediction with its vector, its label and what each feature contributed.

    ``features`` by name, None where missing. ``label`` is None while nobody has a verdict.
    ``contributions``: each feature's part of the log-odds and the ``base``, which add up to
    logit(``probability``); ``score_parts`` as :func:`break_down` tells them. Both are None where
    the rules spoke, or the model is no longer kept, and where nothing is to be ``explained``
    (then no model is loaded, and there is one query). None for a prediction that is not there,
    out of sight, a shadow's or of a voided punch. At most three queries.
    """
    p, drawn = PredictionLog, AuditDraw
    query = (
        select_scores(tenant_id, site_ids)
        .add_columns(
            p.features,
            p.probability,
            p.rule_score,
            p.model_type,
            p.predicted_at,
            p.labelled_by,
            p.label_note,
            func.coalesce(User.name, p.labelled_as).label("labelled_by_name"),
            drawn.inclusion_probability,
            AnomalyLog.evidence,
        )
        .outerjoin(User, and_(User.tenant_id == p.tenant_id, User.id == p.labelled_by))
        .outerjoin(
            drawn,
            and_(
                drawn.tenant_id == p.tenant_id,
                drawn.attendance_event_id == p.attendance_event_id,
            ),
        )
        .where(p.id == prediction_id)
    )
    row = session().execute(query).one_or_none()
    if row is None:
        return None
    values = plain(row)
    vector, evidence = values.pop("features"), values.pop("evidence")
    label = _label(values)
    for name in (*_LABEL, "labelled_by_name"):
        values.pop(name)
    artefact = None
    if explained and row.probability is not None:
        artefact = _artefact(tenant_id, row.model_version)
    parts = None
    if artefact is not None and row.rule_score is not None:
        strengths = (evidence or {}).get("strengths")
        parts = break_down(artefact.combination, row.probability, row.rule_score, strengths)
    return values | {
        "predicted_at": row.predicted_at.isoformat(),
        "features": dict(zip(FEATURES, _padded(vector), strict=True)),
        "contributions": artefact and _contributions(artefact, row.model_version, vector),
        "score_parts": parts,
        **label,
    }


def _label(row: dict[str, Any]) -> dict[str, Any]:
    """``label`` and, where somebody looked without an answer, ``looked_at`` with their words."""
    note = row["label_note"]
    if row["actual_fraud_detected"] is None:
        return {"label": None, "looked_at": note}
    label = {
        "verdict": word(row["actual_fraud_detected"]),
        "source": row["label_source"],
        "labelled_at": row["labelled_at"],
        "labelled_by": row["labelled_by"],
        "labelled_by_name": row["labelled_by_name"],
        # A ticket that came later changed the verdict, not what a reviewer had written.
        "note": note if row["label_source"] in REVIEWED else None,
    }
    return {"label": label, "looked_at": None}


def _padded(vector: Sequence[float | None]) -> list[float | None]:
    """The twelve; of a vector that another release stored with fewer the rest is missing."""
    return [*vector[: len(FEATURES)], *[None] * (len(FEATURES) - len(vector))]


def _artefact(tenant_id: int, version: str) -> Artefact | None:
    entry = (
        session()
        .execute(
            select(FraudModel.id, FraudModel.version, FraudModel.artefact_sha256).where(
                FraudModel.tenant_id == tenant_id,
                FraudModel.version == version,
                FraudModel.artefact.is_not(None),
            )
        )
        .one_or_none()
    )
    if entry is None:
        return None
    try:
        return serving.load(tenant_id, Entry(*entry)).artefact
    except BrokenArtefact as error:
        log.error("prediction_not_explained", model_version=version, error=str(error))
        return None


def _contributions(
    artefact: Artefact, version: str, vector: Sequence[float | None]
) -> dict[str, float] | None:
    values = [np.nan if value is None else value for value in _padded(vector)]
    trained = artefact.trained
    try:
        (parts,) = trained.explain_array(np.array([values], dtype=np.float64)).tolist()
    except ValueError as error:
        log.error("prediction_not_explained", model_version=version, error=str(error))
        return None
    return dict(zip((*trained.features, "base"), parts, strict=True))
