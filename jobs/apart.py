"""Tenants kept apart: what fails with one of them keeps no other waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import DBAPIError

from noc.extensions import session
from noc.monitoring import metrics

log = structlog.get_logger(__name__)


@contextmanager
def kept_to(tenant_id: int, work: str, event: str) -> Iterator[None]:
    """Roll back what the database refuses of the tenant's ``work``, count it, and log ``event``.

    The job that goes over all tenants goes on with the next one.
    """
    try:
        yield
    except DBAPIError as error:
        session().rollback()
        metrics.FAILURES.labels(work).inc()
        log.error(event, tenant_id=tenant_id, error=str(error.orig))
