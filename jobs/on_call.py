"""Whoever is next is told of alerts that nobody answers."""

from __future__ import annotations

import structlog

from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics
from noc.oncall import escalation

log = structlog.get_logger(__name__)


def escalate() -> int:
    """Take the steps that are due, of every tenant; how many.

    Each is committed by itself: a job that dies leaves the rest to the next, a minute later, and
    one that fails holds up no other.
    """
    return sum(_of_tenant(tenant.id) for tenant in each_tenant() if not stop_requested())


def _of_tenant(tenant_id: int) -> int:
    taken, failed = 0, set[int]()
    while not stop_requested():
        try:
            done = escalation.take_next(now=utcnow(), beside=failed)
            session().commit()
        except escalation.StepFailed as error:
            session().rollback()
            failed.add(error.run_id)
            metrics.FAILURES.labels("escalation").inc()
            log.exception("escalation_failed", tenant_id=tenant_id, escalation_id=error.run_id)
            continue
        if done is None:
            break
        taken += 1
    return taken
