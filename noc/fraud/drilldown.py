"""The punches behind a mark on a page: behind a cell of the heatmap, an alert, a ticket.

Rows are those of :mod:`noc.fraud.reports`, for whoever may see them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from noc.extensions import session
from noc.fraud.clocks import Span
from noc.fraud.models import PredictionLog
from noc.fraud.reports import Sites, plain, select_scores


def of_punches(
    punch_ids: Collection[int], *, tenant_id: int, site_ids: Sites = None
) -> list[dict[str, Any]]:
    """The scores of these punches, latest first; what is not to be seen is left out. One query."""
    query = select_scores(tenant_id, site_ids).where(
        PredictionLog.attendance_event_id.in_(punch_ids)
    )
    rows = session().execute(query.order_by(PredictionLog.occurred_at.desc()))
    return [plain(row) for row in rows]


def of_cell(
    site_id: int,
    spans: Sequence[Span],
    *,
    tenant_id: int,
    limit: int = 100,
    after: tuple[float, int] | None = None,
    site_ids: Sites = None,
) -> list[dict[str, Any]]:
    """Punches at the site in the ``spans`` of a cell, highest score first, at most ``limit``.

    The spans are those of :func:`noc.fraud.heatmap.spans_of_cell`; ``after`` (score and punch id
    of a row) continues the list after that row. One query.
    """
    query = select_scores(tenant_id, site_ids).where(
        PredictionLog.site_id == site_id,
        or_(false(), *(_within(span) for span in spans)),
    )
    if after is not None:
        score, punch_id = after
        query = query.where(
            (PredictionLog.fraud_score < score)
            | and_(
                PredictionLog.fraud_score == score,
                PredictionLog.attendance_event_id < punch_id,
            )
        )
    ordered = query.order_by(
        PredictionLog.fraud_score.desc(), PredictionLog.attendance_event_id.desc()
    ).limit(limit)
    return [plain(row) for row in session().execute(ordered)]


def _within(span: Span) -> ColumnElement[bool]:
    start, end = span
    return and_(PredictionLog.occurred_at >= start, PredictionLog.occurred_at < end)
