"""Training of fraud models: the runs, the daily look whose turn it is, runs left alone."""

from __future__ import annotations

import uuid

import structlog

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud.retraining import promotion, runs
from noc.identity.tenants import each_tenant

log = structlog.get_logger(__name__)


def run(tenant_id: int, run_id: str) -> str | None:
    """Carry out one run; its final state, None where another process has it or it is over."""
    with tenant_context(session(), tenant_id):
        return runs.carry_out(uuid.UUID(run_id), tenant_id=tenant_id, now=utcnow())


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
