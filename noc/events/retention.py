"""How the log forgets: from its beginning on, a small batch at a time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from noc.extensions import session

BATCH = 2000
"""Events removed in one transaction, some tens of milliseconds."""

# Those before the first that is young enough, however the clock was set meanwhile: what is left
# begins at one seq and has no hole. Rows that another run has just removed are passed over.
_FORGET = text(
    """
    WITH eldest AS (
        SELECT seq, created_at FROM noc_event_log
        WHERE tenant_id = :tenant_id ORDER BY seq LIMIT :batch
    )
    DELETE FROM noc_event_log
    WHERE tenant_id = :tenant_id AND seq <= (SELECT max(seq) FROM eldest)
      AND seq < coalesce((SELECT min(seq) FROM eldest WHERE created_at >= :before), seq + 1)
    """
)


def forget_batch(tenant_id: int, before: dt.datetime, batch: int = BATCH) -> int:
    """Remove up to ``batch`` of the tenant's oldest events, logged before this; how many it were.

    Locks the removed rows alone: neither the tenant's counter nor anything that a writer of new
    events needs. Whoever calls this commits.
    """
    removed = session().execute(_FORGET, {"tenant_id": tenant_id, "before": before, "batch": batch})
    return int(removed.rowcount)  # type: ignore[attr-defined]
