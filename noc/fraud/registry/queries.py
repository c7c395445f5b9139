"""Reading the registry."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.orm import aliased

from noc.extensions import session
from noc.fraud.registry.models import FraudModel, ModelChange, ModelMetrics
from noc.fraud.registry.schemas import ModelQuery

Key = tuple[dt.datetime, uuid.UUID]

_Ancestor = aliased(FraudModel, name="ancestor")
_M = FraudModel

_SHOWN = (
    _M.id,
    _M.version,
    _M.model_type,
    _M.status,
    _M.is_active,
    _M.train_samples,
    _M.positives,
    _M.class_imbalance_ratio,
    _M.pr_auc,
    _M.precision_at_80_recall,
    _M.thresholds,
    _M.calibration,
    _M.features,
    _M.window_start,
    _M.window_end,
    _M.created_at,
    _M.activated_at,
    _M.retired_at,
    _M.artefact_sha256,
    _M.artefact.is_not(None).label("artefact_kept"),
    _Ancestor.version.label("ancestor"),
    _M.gate,
    _M.note,
)


def list_models(
    asked: ModelQuery, *, tenant_id: int, limit: int, after: Key | None = None
) -> tuple[list[dict[str, Any]], Key | None]:
    """Versions, newest first, and the key to go on from, None on the last page. One query."""
    query = _select(tenant_id)
    if asked.status:
        query = query.where(_M.status.in_(asked.status))
    if after is not None:
        query = query.where(tuple_(_M.created_at, _M.id) < tuple_(*after))
    rows = session().execute(query.order_by(_M.created_at.desc(), _M.id.desc()).limit(limit + 1))
    items = [_shown(row) for row in rows]
    more = len(items) > limit
    items = items[:limit]
    return items, ((items[-1]["created_at"], items[-1]["id"]) if more else None)


def find_model(model_id: uuid.UUID, *, tenant_id: int) -> dict[str, Any] | None:
    """One version with its report, its evaluations and what happened to it, or None.

    Three queries.
    """
    row = (
        session()
        .execute(_select(tenant_id).add_columns(_M.report).where(_M.id == model_id))
        .one_or_none()
    )
    if row is None:
        return None
    m = ModelMetrics
    evaluations = session().execute(
        select(
            m.id, m.kind, m.evaluated_at, m.window_start, m.window_end, m.samples, m.positives,
            m.threshold, m.precision, m.recall, m.f1, m.pr_auc, m.brier, m.psi,
        )
        .where(m.tenant_id == tenant_id, m.model_id == model_id)
        .order_by(m.evaluated_at.desc())
        .limit(100)
    )  # fmt: skip
    return _shown(row) | {
        "evaluations": [found._asdict() for found in evaluations],
        "changes": _changes(model_id, tenant_id),
    }


def _changes(model_id: uuid.UUID, tenant_id: int) -> list[dict[str, Any]]:
    """The latest hundred, newest first."""
    c = ModelChange
    found = session().execute(
        select(c.change, c.changed_at, c.changed_by, c.note)
        .where(c.tenant_id == tenant_id, c.model_id == model_id)
        .order_by(c.changed_at.desc(), c.id.desc())
        .limit(100)
    )
    return [row._asdict() for row in found]


def _select(tenant_id: int) -> Select[Any]:
    return (
        select(*_SHOWN)
        .outerjoin(
            _Ancestor, (_Ancestor.tenant_id == _M.tenant_id) & (_Ancestor.id == _M.ancestor_id)
        )
        .where(_M.tenant_id == tenant_id)
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    values: dict[str, Any] = row._asdict()
    return values
