"""Whoever is next is told of alerts that nobody answers."""

from __future__ import annotations

import time

import structlog
from sqlalchemy.exc import DBAPIError

from jobs.apart import kept_to
from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics
from noc.oncall import escalation

log = structlog.get_logger(__name__)

SECONDS, SECONDS_A_TENANT = 90.0, 15.0
"""How long one job works, and on one tenant: what is left is the next minute's."""


def escalate() -> int:
    """Take the steps that are due, of every tenant; how many.

    Each is committed by itself: a job that dies leaves the rest to the next, a minute later, and
    one that fails holds up no other.
    """
    until = time.monotonic() + SECONDS
    taken = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "escalation", "escalations_not_taken"):
            taken += _of_tenant(tenant.id, until)
    return taken


def _of_tenant(tenant_id: int, until: float) -> int:
    until = min(until, time.monotonic() + SECONDS_A_TENANT)
    taken, failed = 0, set[int]()
    while time.monotonic() < until and not stop_requested():
        done = None
        try:
            done = escalation.take_next(now=utcnow(), beside=failed)
            session().commit()
        except escalation.StepFailed as error:
            failed.add(_noted(tenant_id, error.run_id))
            continue
        except DBAPIError:
            if done is None:
                raise
            failed.add(_noted(tenant_id, done.run_id))
            continue
        if done is None:
            break
        taken += 1
    return taken


def _noted(tenant_id: int, run_id: int) -> int:
    """What could not be taken is told, and tried again a minute later."""
    session().rollback()
    metrics.FAILURES.labels("escalation").inc()
    log.exception("escalation_failed", tenant_id=tenant_id, escalation_id=run_id)
    return run_id
