"""Tickets that time brings on: those whose time is over are said to be overdue."""

from __future__ import annotations

from jobs.apart import kept_to
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.tenants import each_tenant
from noc.tickets import lateness

BATCH = 500
"""Tickets in one transaction: each is an event, and the tenant's feed waits for it."""


def mark_overdue() -> int:
    """Say of the tickets of every tenant whose time is over that they are overdue; how many."""
    marked = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "tickets", "tickets_not_marked"):
            while True:
                count = lateness.mark_overdue(now=utcnow(), limit=BATCH)
                session().commit()
                marked += count
                if count < BATCH:
                    break
    return marked
