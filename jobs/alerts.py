"""Alerts whose time on the shelf is over come back."""

from __future__ import annotations

from noc.alerts.lifecycle import expire_shelved
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import each_tenant

BATCH = 500
"""Alerts brought back in one transaction: each is an event, and the tenant's feed waits for it."""


def unshelve() -> int:
    """Bring back the alerts of every tenant whose time on the shelf is over; how many."""
    returned = 0
    for _ in each_tenant():
        while True:
            count = expire_shelved(now=utcnow(), limit=BATCH)
            session().commit()
            returned += count
            if count < BATCH:
                break
    return returned
