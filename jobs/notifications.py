"""What is sent out; what failed is tried again, with pauses that grow."""

from __future__ import annotations

import time
from contextlib import suppress

import redis

from jobs.apart import kept_to
from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.tenants import each_tenant
from noc.notifications import deliveries, outbox, training


def mail_admins(tenant_id: int, subject: str, body: str) -> int:
    """Mail the tenant's admins; to how many."""
    with tenant_context(session(), tenant_id):
        return training.mail_admins(tenant_id, subject, body)


def deliver(tenant_id: int, route_id: int) -> int:
    """Send what is due by the route, one after another, for a minute at most; how many attempts.

    Several may run for the same route: each delivery is one worker's while it is sent. Ends after
    a failure, since the route is then held. What is left another job takes up.
    """
    with suppress(redis.RedisError):
        outbox.sending_begins(tenant_id, route_id)
    until = time.monotonic() + outbox.SENDING_SECONDS
    attempts = 0
    with tenant_context(session(), tenant_id):
        while deliveries.send_next(route_id, tenant_id=tenant_id, now=utcnow()) is not None:
            session().commit()
            attempts += 1
            if stop_requested() or time.monotonic() > until:
                outbox.request_sending(tenant_id, route_id)
                break
        session().rollback()
    return attempts


def sweep() -> int:
    """Ask for the sending of what is due, whoever forgot it: Redis, or a worker that died.

    How many routes.
    """
    asked = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "notification_sweep", "deliveries_not_looked_for"):
            for route_id in outbox.due_routes(tenant_id=tenant.id, now=utcnow()):
                asked += outbox.request_sending(tenant.id, route_id)
    return asked


def tidy() -> int:
    """Delete deliveries that ended long ago, tenant by tenant; how many."""
    deleted = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "deliveries", "deliveries_not_tidied"):
            deleted += deliveries.forget_old(now=utcnow())
            session().commit()
    return deleted
