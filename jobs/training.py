"""Training of fraud models: the runs, the daily look whose turn it is, runs left alone."""

from __future__ import annotations

import uuid

import structlog

from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud.retraining import promotion, runs
from noc.identity.tenants import each_tenant
from noc.runs.following import RunInterrupted, take_back

log = structlog.get_logger(__name__)


def run(tenant_id: int, run_id: str) -> str | None:
    """Carry out one run; its final state, None where another process has it or it is over."""
    with tenant_context(session(), tenant_id):
        return runs.carry_out(uuid.UUID(run_id), tenant_id=tenant_id, now=utcnow(), also=_give_way)


def _give_way(_: str, __: float) -> None:
    """Let another worker have the run when this one has to stop."""
    if stop_requested():
        raise RunInterrupted("the worker stops")


def daily() -> int:
    """Judge the shadows of every tenant, and train where the model is a week old; how many."""
    asked = 0
    for tenant in each_tenant():
        now = utcnow()
        promotion.judge_shadows(tenant_id=tenant.id, now=now)
        session().commit()
        if runs.due(tenant_id=tenant.id, now=now):
            _, created = runs.ask(tenant_id=tenant.id, trigger="schedule", now=now)
            session().commit()
            asked += created
    return asked


def take_up() -> int:
    """Queue the trainings that nobody works on: their queue was lost, or their process died."""
    found = 0
    for tenant in each_tenant():
        run_id = take_back(runs.NAME, tenant_id=tenant.id, now=utcnow())
        session().commit()
        if run_id is not None and runs.enqueue(run_id, tenant_id=tenant.id):
            log.info("training_taken_up", tenant_id=tenant.id, run_id=str(run_id))
            found += 1
    return found
