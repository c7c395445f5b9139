"""The audit of every tenant: the heartbeat, the comprehensive cycle, the weekly tuning."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import DBAPIError

from noc.audit import cycle, tuning
from noc.audit.cycle import Kind
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import TenantRef, each_tenant
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data of one tenant can raise; the other tenants' audit goes on."""


def heartbeat() -> int:
    """Who should be on duty, and is anything heard of them; how many findings were new."""
    return _each("audit_heartbeat", lambda tenant: _run("heartbeat", tenant))


def comprehensive() -> int:
    """All rules, baselines asked and fed, correlation; how many findings were new."""
    return _each("audit_comprehensive", lambda tenant: _run("comprehensive", tenant))


def tune_baselines() -> int:
    """Thresholds from a month of verdicts; how many changed."""
    return _each("baseline_tuning", _tune)


def _run(kind: Kind, tenant: TenantRef) -> int:
    started = time.perf_counter()
    now = utcnow()
    outcome = cycle.run(kind, now, tenant_id=tenant.id, now=now)
    session().commit()
    seconds = time.perf_counter() - started
    metrics.AUDIT_CYCLE.labels(kind).observe(seconds)
    log.info(
        "audit_done",
        kind=kind,
        tenant_id=tenant.id,
        on_duty=outcome.on_duty,
        created=len(outcome.created),
        closed=len(outcome.closed),
        escalated=outcome.escalated,
        incidents=outcome.incidents,
        seconds=round(seconds, 3),
    )
    return len(outcome.created)


def _tune(tenant: TenantRef) -> int:
    changes = tuning.tune(tenant_id=tenant.id, now=utcnow())
    session().commit()
    if changes:
        log.info("baselines_tuned", tenant_id=tenant.id, changes=len(changes))
    return len(changes)


def _each(name: str, work: Callable[[TenantRef], int]) -> int:
    done = 0
    for tenant in each_tenant():
        try:
            done += work(tenant)
        except FAULTS as error:
            session().rollback()
            metrics.FAILURES.labels(name).inc()
            log.exception(
                "audit_failed", work=name, tenant_id=tenant.id, error_type=type(error).__name__
            )
    return done
