"""The daily random audits of every tenant."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DBAPIError

from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.review.audits import draw_missing
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data of one tenant can raise; the other tenants' audits are drawn all the same."""


def draw_audits() -> int:
    """Draw the audits of the completed days that nobody drew; how many punches were drawn.

    A tenant that fails is logged and counted, and its days are drawn by the next run.
    """
    drawn = 0
    for tenant in each_tenant():
        try:
            days = draw_missing(tenant_id=tenant.id, now=utcnow())
            session().commit()
        except FAULTS as error:
            session().rollback()
            metrics.FAILURES.labels("audit_draw").inc()
            log.exception("audit_draw_failed", tenant_id=tenant.id, error_type=type(error).__name__)
            continue
        count = sum(day.drawn for day in days)
        if days:
            log.info("audits_drawn", tenant_id=tenant.id, days=len(days), drawn=count)
        drawn += count
    return drawn
