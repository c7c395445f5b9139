"""Fraud answers are cached for minutes, yet at most ten seconds behind the newest score.

After each commit with scores the tenant's clock in Redis is set. A cached answer is kept under
the ten-second span in which the newest score came; when that span is over, under a name that
says so. An answer made within the span lasts to its end, one made after it has every score.
"""

from __future__ import annotations

import redis
import structlog
from sqlalchemy.orm import Session

from noc.database.tenancy import after_commit
from noc.extensions import redis_client
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

SPAN_SECONDS = 10


def scores_changed(session: Session, tenant_id: int) -> None:
    """Set the tenant's clock once the open transaction has committed."""
    after_commit(session, lambda: _set_clock(tenant_id))


def generation(tenant_id: int) -> str:
    """Part of the name under which an answer about the tenant's scores may be cached."""
    client = redis_client()
    try:
        newest = int(client.get(_key(tenant_id)) or 0)
        now = redis_now(client)
    except redis.RedisError as error:
        metrics.FAILURES.labels("fraud_freshness").inc()
        log.warning("fraud_freshness_unknown", tenant_id=tenant_id, error=str(error))
        return "unknown"
    span = newest // SPAN_SECONDS
    return f"{span}-{'open' if now // SPAN_SECONDS <= span else 'over'}"


def redis_now(client: redis.Redis) -> int:
    """Seconds of Unix time by the clock of Redis, which all hosts share."""
    return int(client.time()[0])


def _set_clock(tenant_id: int) -> None:
    client = redis_client()
    try:
        client.set(_key(tenant_id), redis_now(client))
    except redis.RedisError as error:
        # Answers may then be as old as their time to live; the scores themselves are stored.
        metrics.FAILURES.labels("fraud_freshness").inc()
        log.warning("fraud_freshness_not_set", tenant_id=tenant_id, error=str(error))


def _key(tenant_id: int) -> str:
    return f"noc:fraud:scored:{tenant_id}"
