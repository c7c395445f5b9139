"""Training of fraud models: the runs, the daily look whose turn it is, runs left alone."""

from __future__ import annotations

import uuid

import structlog
from sqlalchemy.exc import DBAPIError

from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud.retraining import promotion, runs
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics
from noc.runs.following import RunInterrupted

log = structlog.get_logger(__name__)

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data of one tenant can raise; the other tenants have their turn all the same."""


def run(tenant_id: int, run_id: str) -> str | None:
    """Carry out one run; its final state, None where another process has it or it is over."""
    with tenant_context(session(), tenant_id):
        return runs.carry_out(uuid.UUID(run_id), tenant_id=tenant_id, now=utcnow(), also=_give_way)


def _give_way(_: str, __: float) -> None:
    """Let another worker have the run when this one has to stop."""
    if stop_requested():
        raise RunInterrupted("the worker stops")


def daily() -> int:
    """Judge the shadows of every tenant, and train where the model is a week old; how many.

    A tenant that fails is logged and counted, and has its turn again tomorrow.
    """
    asked = 0
    for tenant in each_tenant():
        for step in (_judge, _ask):
            try:
                asked += step(tenant.id)
                session().commit()
            except FAULTS as error:
                session().rollback()
                metrics.FAILURES.labels("fraud_training_daily").inc()
                log.exception(
                    "training_not_looked_after",
                    tenant_id=tenant.id,
                    step=step.__name__.strip("_"),
                    error_type=type(error).__name__,
                )
    return asked


def _judge(tenant_id: int) -> int:
    promotion.judge_shadows(tenant_id=tenant_id, now=utcnow())
    return 0


def _ask(tenant_id: int) -> int:
    now = utcnow()
    if not runs.due(tenant_id=tenant_id, now=now):
        return 0
    _, created = runs.ask(tenant_id=tenant_id, trigger="schedule", now=now)
    return int(created)


def take_up() -> int:
    """Queue the trainings that nobody works on: their queue was lost, or their process died."""
    found = 0
    for tenant in each_tenant():
        if runs.take_up(tenant_id=tenant.id, now=utcnow()):
            log.info("training_taken_up", tenant_id=tenant.id)
            found += 1
    return found
