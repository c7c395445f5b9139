"""Scoring of punches that were stored: batch by batch, each in a transaction of its own."""

from __future__ import annotations

import time

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud.listening import request_scoring, scoring_begins
from noc.fraud.scoring import BATCH, claim, score_locked
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

BUDGET_SECONDS = 60.0
"""A job ends after so long and asks for another, so that tenants take turns."""

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a single punch with impossible values can raise; anything else fails the job."""


def score_tenant(tenant_id: int) -> int:
    """Score the tenant's punches that never were; how many.

    Killed half-way, the batch rolls back and its punches stay unscored for the next run. A punch
    that cannot be scored is set aside for this run, logged and counted, and holds up no other.
    """
    scoring_begins(tenant_id)
    deadline = time.monotonic() + BUDGET_SECONDS
    done, aside = 0, set[int]()
    with tenant_context(session(), tenant_id):
        while True:
            scored = _score_batch(tenant_id, aside)
            done += scored
            if (scored < BATCH and not aside) or not scored:
                return done
            if stop_requested() or time.monotonic() > deadline:
                request_scoring(tenant_id)
                return done


def _score_batch(tenant_id: int, aside: set[int], limit: int = BATCH) -> int:
    """Score one batch; where it fails, its punches one by one, and add the faulty to ``aside``."""
    punches = claim(tenant_id=tenant_id, limit=limit, skip=aside)
    try:
        score_locked(punches, tenant_id=tenant_id, now=utcnow())
        session().commit()
    except OperationalError:
        raise
    except FAULTS as error:
        session().rollback()
        if len(punches) > 1:
            return sum(_score_batch(tenant_id, aside, limit=1) for _ in punches)
        metrics.FAILURES.labels("fraud_scoring").inc()
        log.exception("punch_not_scored", punch_id=punches[0], error_type=type(error).__name__)
        aside.update(punches)
        return 0
    return len(punches)
