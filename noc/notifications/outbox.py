"""The outbox: news becomes deliveries in the transaction of its event, a worker sends them.

So nothing is told of what was rolled back, and nothing is lost when Redis or a worker dies: what is
due stands in the database, and the minute's sweep finds it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

import redis
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database.base import new_uuid
from noc.database.tenancy import after_commit
from noc.domain import SEVERITIES
from noc.events.news import Told
from noc.extensions import queue, redis_client, session
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

SEND_JOB = "jobs.notifications.deliver"
TURN_SECONDS = 10
"""How long one job begins to send for a tenant, before other tenants have their turn."""

_TIMEOUT_SECONDS = 120
_FAILURE_SECONDS = 7 * 86_400

PENDING_SECONDS = 60
"""How long an asked-for job keeps others from being asked for, should it be lost."""

# The key-share lock waits for a route that is just being deleted: without it the row would point
# to nothing, and the foreign key would take down the transaction of the alert.
_STORE = text(
    """
    INSERT INTO notification_delivery AS delivery (
        tenant_id, id, route_id, event_id, kind, severity, site_id, payload)
    SELECT :tenant, gen_random_uuid(), route.id, e.event_id, e.kind, e.severity, e.site_id,
           e.payload::jsonb
    FROM notification_route route
    JOIN unnest(
        CAST(:event_id AS uuid[]), CAST(:kind AS text[]), CAST(:severity AS text[]),
        CAST(:site_id AS bigint[]), CAST(:payload AS text[])
    ) AS e(event_id, kind, severity, site_id, payload)
      ON (route.kinds = '{}' OR e.kind = ANY(route.kinds))
     AND (route.site_ids = '{}' OR e.site_id = ANY(route.site_ids))
     AND array_position(CAST(:severities AS text[]), e.severity)
         >= array_position(CAST(:severities AS text[]), route.min_severity)
    WHERE route.tenant_id = :tenant AND route.active AND route.user_id IS NULL
    FOR KEY SHARE OF route
    ON CONFLICT (tenant_id, route_id, event_id) DO NOTHING
    RETURNING delivery.kind
    """
)

_DUE = text(
    """
    SELECT route.id FROM notification_route route
    WHERE route.tenant_id = :tenant
      AND (route.held_until IS NULL OR route.held_until <= :now)
      AND EXISTS (
        SELECT FROM notification_delivery d
        WHERE d.tenant_id = route.tenant_id AND d.route_id = route.id AND d.state = 'pending'
          AND (d.attempts = 0 OR d.next_attempt_at <= :now)
          AND (route.active OR d.kind = 'test'))
    ORDER BY route.id
    """
)


def on_news(_: Any, *, current: Session, tenant_id: int, told: list[Told]) -> None:
    """Store a delivery for each route that each piece of news concerns. One statement.

    Called within the transaction that logs the events; sending is asked for after its commit.
    """
    stored = current.scalars(
        _STORE,
        {
            "tenant": tenant_id,
            "severities": list(SEVERITIES),
            "event_id": [one.row.event_id for one in told],
            "kind": [one.news.kind for one in told],
            "severity": [one.news.severity for one in told],
            "site_id": [one.row.site_id for one in told],
            "payload": [one.row.payload for one in told],
        },
    ).all()
    if not stored:
        return
    ask_for(current, tenant_id, stored)


def ask_for(current: Session, tenant_id: int, kinds: Iterable[str]) -> None:
    """Have what was stored, of these kinds, sent once the transaction has committed."""
    counts = Counter(kinds)

    def ask() -> None:
        for kind, count in counts.items():
            metrics.NOTIFICATIONS_QUEUED.labels(kind).inc(count)
        request_sending(tenant_id)

    after_commit(current, ask)


def due_routes(*, tenant_id: int, now: dt.datetime) -> list[int]:
    """Routes of the tenant by which something is to be sent now. One query."""
    return list(session().scalars(_DUE, {"tenant": tenant_id, "now": now}))


def request_sending(tenant_id: int) -> bool:
    """Have a worker send what is due in the tenant, unless one is asked already.

    However much a tenant has to send, by however many routes, it stands in the queue once: so all
    have their turn, and the slow or dead routes of one cost another a turn at most.

    The mark that one is asked is taken away by the job before it looks: whoever finds the mark
    has committed before that look. False where Redis could not be asked: that is logged and
    counted, and the sweep finds what waits.
    """
    try:
        if redis_client().set(_mark(tenant_id), "1", nx=True, ex=PENDING_SECONDS):
            queue("reports").enqueue(
                SEND_JOB,
                tenant_id,
                job_id=f"notify-t{tenant_id}-{new_uuid().hex}",
                job_timeout=_TIMEOUT_SECONDS,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
            )
    except redis.RedisError as error:
        metrics.FAILURES.labels("notification_enqueue").inc()
        log.warning("notification_not_queued", tenant_id=tenant_id, error=str(error))
        return False
    return True


def sending_begins(tenant_id: int) -> None:
    """Take the mark away: from here on, news asks for a new job."""
    redis_client().delete(_mark(tenant_id))


def _mark(tenant_id: int) -> str:
    return f"noc:notify:waiting:{tenant_id}"
