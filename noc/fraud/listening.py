"""Fraud's ear: punches that were stored are scored, at once or by a worker after the commit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import redis
import structlog

from noc.database.base import new_uuid
from noc.database.tenancy import after_commit
from noc.extensions import queue, redis_client, session
from noc.fraud.scoring import score_punches
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

SCORE_JOB = "jobs.scoring.score_tenant"
_TIMEOUT_SECONDS = 600
_FAILURE_SECONDS = 7 * 86_400

PENDING_SECONDS = 15
"""How long an asked-for job keeps others from being asked for, should it be lost."""


def on_punches_stored(
    _: Any, *, tenant_id: int, punch_ids: list[int], score_now: bool, now: dt.datetime
) -> list[dict[str, Any]]:
    """Score now, in this transaction, and return the scores; or have a worker do it soon."""
    if score_now:
        scores = score_punches(punch_ids, tenant_id=tenant_id, now=now)
        return [score.as_dict() for score in scores]

    def ask() -> None:
        request_scoring(tenant_id)

    after_commit(session(), ask)
    return []


def request_scoring(tenant_id: int) -> bool:
    """Queue a scoring job unless one is already waiting; whether one was queued.

    The mark that one is waiting is taken away by the job before it looks for punches: whoever
    finds the mark has committed before that look, so that no punch is missed and a burst of
    batches makes one job. Without Redis the punches stay stored and unscored, the failure is
    logged and counted, and the sweep finds them.
    """
    try:
        if not redis_client().set(_mark(tenant_id), "1", nx=True, ex=PENDING_SECONDS):
            return False
        queue("scoring").enqueue(
            SCORE_JOB,
            tenant_id,
            job_id=f"score-t{tenant_id}-{new_uuid().hex}",
            job_timeout=_TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
            meta=_request_meta(),
        )
    except redis.RedisError as error:
        metrics.FAILURES.labels("scoring_enqueue").inc()
        log.warning("scoring_not_queued", tenant_id=tenant_id, error=str(error))
        return False
    return True


def scoring_begins(tenant_id: int) -> None:
    """Take the mark away: from here on, new punches ask for a new job."""
    redis_client().delete(_mark(tenant_id))


def _mark(tenant_id: int) -> str:
    return f"noc:score:waiting:{tenant_id}"


def _request_meta() -> dict[str, Any]:
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"request_id": request_id} if request_id else {}
