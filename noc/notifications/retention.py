"""How deliveries that ended are forgotten: the oldest first, a small batch at a time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from noc.database.tenancy import required_tenant
from noc.extensions import session

KEEP_SENT = dt.timedelta(days=30)
KEEP_DEAD = dt.timedelta(days=90)

BATCH = 2000
"""Deliveries deleted in one transaction, some tens of milliseconds."""

# Whatever ended before a moment was made before it: the index by the making finds the oldest.
_FORGET = text(
    """
    WITH ended AS MATERIALIZED (
        SELECT id FROM notification_delivery
        WHERE tenant_id = :tenant AND created_at < :sent
          AND ((state = 'sent' AND finished_at < :sent) OR (state = 'dead' AND finished_at < :dead))
        ORDER BY created_at, id LIMIT :batch
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM notification_delivery d USING ended
    WHERE d.tenant_id = :tenant AND d.id = ended.id
    """
)


def forget_old(*, now: dt.datetime, batch: int = BATCH) -> int:
    """Delete up to ``batch`` of what was sent a month ago and died three months ago; how many.

    The oldest first. What somebody sends anew at this moment is passed over. One statement; the
    caller commits.
    """
    values = {
        "tenant": required_tenant(),
        "sent": now - KEEP_SENT,
        "dead": now - KEEP_DEAD,
        "batch": batch,
    }
    return int(session().execute(_FORGET, values).rowcount)  # type: ignore[attr-defined]
