"""Alerts that time brings on: off the shelf, out of a window, past an acknowledgement, expired."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from jobs.apart import kept_to
from noc.alerts.lapsing import expire_stale, lapse_acknowledgements
from noc.alerts.lifecycle import expire_shelved
from noc.alerts.suppression import unmuting
from noc.alerts.suppression.windows import prepare
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import each_tenant

_FAILED = ("alerts", "alerts_not_moved")

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
        with kept_to(tenant.id, *_FAILED):
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
        with kept_to(tenant.id, *_FAILED):
            while True:
                count = work(now=utcnow(), limit=BATCH)
                session().commit()
                moved += count
                if count < BATCH:
                    break
    return moved
