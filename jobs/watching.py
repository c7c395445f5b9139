"""The weekly look at what scores each tenant's punches."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DBAPIError

from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.watching import drift
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data of one tenant can raise; the other tenants are watched all the same."""


def watch_models() -> int:
    """Watch the model, or the rules, of every tenant; how many weeks were kept anew."""
    kept = 0
    for tenant in each_tenant():
        try:
            found = drift.watch(tenant_id=tenant.id, now=utcnow())
            session().commit()
            kept += found is not None
        except FAULTS as error:
            session().rollback()
            metrics.FAILURES.labels("model_watch").inc()
            log.exception("model_not_watched", tenant_id=tenant.id, error_type=type(error).__name__)
    return kept
