"""What became of each push, written back to the log in batches and beside the feed's way."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from dataclasses import dataclass
from itertools import groupby

import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from noc.database.tenancy import name_tenant
from noc.extensions import session
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 0.5
_STOP_SECONDS = 0.5
_BATCH = 1000
_KEPT = 50_000

# Several processes push the same event: the first one's time stands, recipients add up, and one
# failure makes it a failure. Rows are locked in one order, so that they cannot deadlock.
_RECORD = text(
    """
    WITH pushed AS (
        SELECT p.* FROM unnest(
            CAST(:seq AS bigint[]), CAST(:at AS timestamptz[]), CAST(:latency AS float8[]),
            CAST(:recipients AS bigint[]), CAST(:error AS text[])
        ) AS p(seq, at, latency, recipients, error)
    ), locked AS (
        SELECT e.seq FROM noc_event_log e JOIN pushed USING (seq)
        WHERE e.tenant_id = :tenant_id ORDER BY e.seq FOR UPDATE OF e
    )
    UPDATE noc_event_log e SET
        broadcast_at = least(e.broadcast_at, pushed.at),
        broadcast_latency_ms = least(e.broadcast_latency_ms, pushed.latency),
        broadcast_success = coalesce(e.broadcast_success, true) AND pushed.error IS NULL,
        recipient_count = coalesce(e.recipient_count, 0) + pushed.recipients,
        error_message = coalesce(e.error_message, pushed.error)
    FROM pushed JOIN locked USING (seq)
    WHERE e.tenant_id = :tenant_id AND e.seq = pushed.seq
    """
)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The push of one event by this process: recipients counted, latency in milliseconds."""

    tenant_id: int
    seq: int
    at: dt.datetime | None
    latency_ms: float | None
    recipients: int
    error: str | None


class Recorder:
    """Writes broadcasts to the log from a thread of its own.

    While the database is away up to 50,000 wait; older ones are dropped and counted: they
    describe the feed, nothing depends on them.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: deque[Broadcast] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed-recorder", daemon=True)

    def start(self) -> None:
        """Begin to write, in a daemon thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, once, and end; waits for that, but not long."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def add(self, broadcast: Broadcast) -> None:
        """Take note of a push."""
        self._waiting.append(broadcast)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(_EVERY_SECONDS)
            while self._waiting and self._write():
                pass

    def _write(self) -> bool:
        """Write up to a batch; False, and keep it, where the database cannot be reached."""
        count = min(_BATCH, len(self._waiting))
        batch = sorted((self._waiting.popleft() for _ in range(count)), key=_by_tenant)
        by_tenant = {tenant: list(rows) for tenant, rows in groupby(batch, lambda b: b.tenant_id)}
        for tenant_id in list(by_tenant):
            try:
                with self._app.app_context():
                    name_tenant(session(), tenant_id)
                    _record(tenant_id, by_tenant[tenant_id])
            except SQLAlchemyError as error:
                self._keep(error, [row for rows in by_tenant.values() for row in rows])
                return False
            del by_tenant[tenant_id]
        return True

    def _keep(self, error: SQLAlchemyError, rows: list[Broadcast]) -> None:
        metrics.FAILURES.labels("broadcast_record").inc()
        log.warning("broadcasts_not_recorded", count=len(rows), error=str(error).splitlines()[0])
        if len(self._waiting) + len(rows) <= _KEPT:
            self._waiting.extendleft(reversed(rows))


def _by_tenant(broadcast: Broadcast) -> tuple[int, int]:
    return broadcast.tenant_id, broadcast.seq


def _record(tenant_id: int, rows: list[Broadcast]) -> None:
    columns = {
        "seq": [row.seq for row in rows],
        "at": [row.at for row in rows],
        "latency": [row.latency_ms for row in rows],
        "recipients": [row.recipients for row in rows],
        "error": [row.error for row in rows],
    }
    session().execute(_RECORD, {"tenant_id": tenant_id} | columns)
    session().commit()
