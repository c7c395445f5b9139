"""What is sent out; what failed is tried again, with pauses that grow."""

from __future__ import annotations

import random
import time
from collections import deque
from contextlib import suppress

import redis

from jobs.apart import kept_to
from jobs.batches import in_batches
from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.tenants import each_tenant
from noc.notifications import deliveries, outbox, retention, training


def mail_admins(tenant_id: int, subject: str, body: str) -> int:
    """Mail the tenant's admins; to how many."""
    with tenant_context(session(), tenant_id):
        return training.mail_admins(tenant_id, subject, body)


def deliver(tenant_id: int) -> int:
    """Send what is due in the tenant, route after route, for one turn; how many attempts.

    Several may run for the same tenant: each delivery is one worker's while it is sent. A route by
    which an attempt fails is held, and has no other turn. What is left is asked for again, behind
    what other tenants have asked for meanwhile.
    """
    with suppress(redis.RedisError):
        outbox.sending_begins(tenant_id)
    until = time.monotonic() + outbox.TURN_SECONDS
    attempts = 0
    with tenant_context(session(), tenant_id):
        due = outbox.due_routes(tenant_id=tenant_id, now=utcnow())
        # In no order: else the first ones, if they are slow, would use up every turn.
        random.shuffle(due)
        waiting = deque(due)
        while waiting:
            route_id = waiting.popleft()
            if deliveries.send_next(route_id, tenant_id=tenant_id, now=utcnow()) is None:
                continue
            session().commit()
            attempts += 1
            waiting.append(route_id)
            if stop_requested() or time.monotonic() > until:
                outbox.request_sending(tenant_id)
                break
        session().rollback()
    return attempts


def sweep() -> int:
    """Ask for the sending of what is due, whoever forgot it: Redis, or a worker that died.

    In how many tenants.
    """
    asked = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "notification_sweep", "deliveries_not_looked_for"):
            if outbox.due_routes(tenant_id=tenant.id, now=utcnow()):
                asked += outbox.request_sending(tenant.id)
    return asked


def tidy() -> int:
    """Delete deliveries that ended long ago, tenant by tenant, inactive ones too; how many.

    In batches, see :func:`jobs.batches.in_batches`.
    """
    deleted = 0
    now = utcnow()
    for tenant in each_tenant(inactive=True):
        with kept_to(tenant.id, "deliveries", "deliveries_not_tidied"):
            deleted += in_batches(lambda: retention.forget_old(now=now))
        if stop_requested():
            break
    return deleted
