"""Alerts that time brings on: off the shelf, out of a window, past an acknowledgement, expired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog
from sqlalchemy.exc import DBAPIError

from noc.alerts.lapsing import expire_stale, lapse_acknowledgements
from noc.alerts.lifecycle import expire_shelved
from noc.alerts.suppression import unmuting
from noc.alerts.suppression.windows import prepare
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import TenantRef, each_tenant
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

BATCH = 500
"""Alerts moved in one transaction: each is an event, and the tenant's feed waits for it."""


class Work(Protocol):
    """Moves up to ``limit`` alerts of the tenant; says how many."""

    def __call__(self, *, now: dt.datetime, limit: int) -> int: ...


def unshelve() -> int:
    """Bring back the alerts of every tenant whose time on the shelf is over; how many."""
    return _everywhere(expire_shelved)


def unmute() -> int:
    """Let the alerts be heard of whose suppression window is over; how many.

    And have the times of recurring windows ready.
    """
    for tenant in each_tenant():
        with _kept_to(tenant):
            prepare(now=utcnow())
            session().commit()
    return _everywhere(unmuting.unmute)


def lapse() -> int:
    """Take back the acknowledgements of every tenant that nobody acted on; how many."""
    return _everywhere(lapse_acknowledgements)


def expire() -> int:
    """Resolve the alerts of every tenant that are not heard of any more; how many."""
    return _everywhere(expire_stale)


def _everywhere(work: Work) -> int:
    moved = 0
    for tenant in each_tenant():
        with _kept_to(tenant):
            while True:
                count = work(now=utcnow(), limit=BATCH)
                session().commit()
                moved += count
                if count < BATCH:
                    break
    return moved


@contextmanager
def _kept_to(tenant: TenantRef) -> Iterator[None]:
    """Log and count what fails with one tenant: the others have their turn."""
    try:
        yield
    except DBAPIError as error:
        session().rollback()
        metrics.FAILURES.labels("alerts").inc()
        log.error("alerts_not_moved", tenant_id=tenant.id, error=str(error.orig))
