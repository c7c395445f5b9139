"""Reading the evaluations that people asked for."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Select, select, tuple_

from noc.extensions import session
from noc.fraud.registry.models import ModelMetrics

Key = tuple[dt.datetime, uuid.UUID]

_M = ModelMetrics
_SHOWN = (
    _M.id, _M.model_id, _M.model_version, _M.evaluated_at, _M.window_start, _M.window_end,
    _M.samples, _M.positives, _M.threshold, _M.precision, _M.recall, _M.f1, _M.pr_auc, _M.brier,
    _M.psi, _M.detail,
)  # fmt: skip


def list_backtests(
    *, tenant_id: int, limit: int, version: str | None = None, after: Key | None = None
) -> tuple[list[dict[str, Any]], Key | None]:
    """Backtests, newest first, and the key to go on from, None on the last page. One query."""
    query = _select(tenant_id)
    if version is not None:
        query = query.where(_M.model_version == version)
    if after is not None:
        query = query.where(tuple_(_M.evaluated_at, _M.id) < tuple_(*after))
    rows = session().execute(query.order_by(_M.evaluated_at.desc(), _M.id.desc()).limit(limit + 1))
    items = [row._asdict() for row in rows]
    more = len(items) > limit
    items = items[:limit]
    return items, ((items[-1]["evaluated_at"], items[-1]["id"]) if more else None)


def find_backtest(backtest_id: uuid.UUID, *, tenant_id: int) -> dict[str, Any] | None:
    """One backtest, or None."""
    row = session().execute(_select(tenant_id).where(_M.id == backtest_id)).one_or_none()
    return None if row is None else row._asdict()


def _select(tenant_id: int) -> Select[Any]:
    return select(*_SHOWN).where(_M.tenant_id == tenant_id, _M.kind == "backtest")
