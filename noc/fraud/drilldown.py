"""The punches behind a mark on a page: behind a cell of the heatmap, an alert, a ticket.

Rows are those of :mod:`noc.fraud.reports`, for whoever may see them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import func

from noc.extensions import session
from noc.fraud.models import PredictionLog
from noc.fraud.reports import Sites, plain, select_scores
from noc.workforce.models import Site


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
    hour: int,
    days: int,
    *,
    tenant_id: int,
    now: dt.datetime,
    limit: int = 100,
    site_ids: Sites = None,
) -> list[dict[str, Any]]:
    """Punches at the site in that hour of the week (0: Monday 00:00) of the last ``days``.

    On the site's own clock, as :func:`noc.fraud.reports.heatmap` counts them; highest score
    first, at most ``limit``. One query.
    """
    local = func.timezone(Site.timezone, PredictionLog.occurred_at)
    weekday, clock = divmod(hour, 24)
    query = select_scores(tenant_id, site_ids).where(
        PredictionLog.site_id == site_id,
        PredictionLog.occurred_at >= now - dt.timedelta(days=days),
        PredictionLog.occurred_at <= now,
        func.extract("isodow", local) == weekday + 1,
        func.extract("hour", local) == clock,
    )
    ordered = query.order_by(
        PredictionLog.fraud_score.desc(), PredictionLog.occurred_at.desc()
    ).limit(limit)
    return [plain(row) for row in session().execute(ordered)]
