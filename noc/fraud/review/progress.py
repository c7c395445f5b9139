"""What has been reviewed: how much today, and what somebody said last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.labels import REVIEWED
from noc.fraud.review.labelling import word
from noc.fraud.review.queue import MAX_DAYS
from noc.identity.tenant_settings import tenant_settings

# By the index of labelled punches; what is older than the queue reaches is not asked.
_TODAY = text(
    """
    SELECT count(*) AS given, count(*) FILTER (WHERE labelled_by = :user) AS mine
    FROM fraud_prediction_log
    WHERE tenant_id = :tenant AND actual_fraud_detected IS NOT NULL AND NOT is_shadow
      AND occurred_at >= :since AND labelled_at >= :start AND labelled_at <= :now
      AND label_source = ANY(:reviewed)
      AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(:sites))
    """
)
_LATEST = text(
    """
    SELECT l.id AS prediction_id, l.attendance_event_id AS punch_id, l.person_id,
        p.name AS person_name, l.actual_fraud_detected AS fraud, l.labelled_at, l.label_note AS note
    FROM fraud_prediction_log l
    JOIN person p ON p.tenant_id = l.tenant_id AND p.id = l.person_id
    JOIN attendance_event e ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND l.actual_fraud_detected IS NOT NULL AND NOT l.is_shadow
      AND l.occurred_at >= :since AND l.labelled_by = :user AND l.label_source = ANY(:reviewed)
      AND (CAST(:sites AS bigint[]) IS NULL OR l.site_id = ANY(:sites))
      AND e.voided_at IS NULL
    ORDER BY l.labelled_at DESC, l.id DESC LIMIT :limit
    """
)


def progress(
    *,
    tenant_id: int,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    limit: int = 5,
) -> dict[str, Any]:
    """Verdicts since midnight UTC against the budget, and the user's last ``limit``.

    ``given`` by everybody, ``mine`` of them by the user; ``budget`` is
    ``FRAUD_REVIEWS_PER_DAY``. Of punches of the last :data:`MAX_DAYS` days. Three queries.
    """
    scope = {
        "tenant": tenant_id,
        "user": user_id,
        "now": now,
        "since": now - dt.timedelta(days=MAX_DAYS),
        "start": now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        "reviewed": list(REVIEWED),
        "sites": None if site_ids is None else sorted(site_ids),
    }
    today = session().execute(_TODAY, scope).one()
    latest = session().execute(_LATEST, scope | {"limit": limit}).mappings()
    return {
        "given": today.given,
        "mine": today.mine,
        "budget": tenant_settings().fraud_reviews_per_day,
        "latest": [
            {name: row[name] for name in row if name != "fraud"}
            | {"prediction_id": str(row["prediction_id"]), "verdict": word(row["fraud"])}
            for row in latest
        ],
    }
