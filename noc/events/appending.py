"""Numbering events and writing them, in one statement a batch."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_BATCH = 1000

_APPEND = text(
    """
    WITH counter AS (
        UPDATE noc_event_counter SET last_seq = last_seq + :count
        WHERE tenant_id = :tenant_id RETURNING last_seq
    )
    INSERT INTO noc_event_log (tenant_id, seq, event_id, event_type, site_id, payload,
                               alert_id, finding_id, ticket_id, incident_id, created_at)
    SELECT :tenant_id, counter.last_seq - :count + e.n, e.event_id, e.event_type, e.site_id,
           e.payload::jsonb, e.alert_id, e.finding_id, e.ticket_id, e.incident_id,
           clock_timestamp()
    FROM counter, unnest(
        CAST(:event_id AS uuid[]), CAST(:event_type AS text[]), CAST(:site_id AS bigint[]),
        CAST(:payload AS text[]), CAST(:alert_id AS bigint[]), CAST(:finding_id AS bigint[]),
        CAST(:ticket_id AS bigint[]), CAST(:incident_id AS uuid[])
    ) WITH ORDINALITY AS e(event_id, event_type, site_id, payload, alert_id, finding_id,
                           ticket_id, incident_id, n)
    RETURNING seq
    """
)


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the columns of the log, the payload already JSON."""

    event_id: uuid.UUID
    event_type: str
    site_id: int | None
    payload: str
    alert_id: int | None
    finding_id: int | None
    ticket_id: int | None
    incident_id: uuid.UUID | None


def append(current: Session, tenant_id: int, rows: list[Row]) -> int:
    """Write the rows with the tenant's next numbers, in their order; the last ``seq``.

    Takes the lock of the tenant's counter, which lasts until the transaction ends: whoever calls
    this commits next. LookupError for a tenant without a counter.
    """
    last_seq = 0
    for start in range(0, len(rows), _BATCH):
        batch = [asdict(row) for row in rows[start : start + _BATCH]]
        columns = {name: [row[name] for row in batch] for name in batch[0]}
        written = current.scalars(
            _APPEND, {"tenant_id": tenant_id, "count": len(batch)} | columns
        ).all()
        if len(written) != len(batch):
            raise LookupError(f"tenant {tenant_id} has no event counter: it cannot log events")
        last_seq = max(written)
    return last_seq
