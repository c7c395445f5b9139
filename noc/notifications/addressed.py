"""Messages to a person, or by a route that is named: whoever has to act is told, and nobody else.

How a person is reached: by their personal routes that are active; where they have none but the one
to their own address, by that, which is made when it is first needed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import text

from noc.database.tenancy import required_tenant
from noc.domain import Severity
from noc.extensions import session
from noc.notifications.models import ESCALATION
from noc.notifications.outbox import ask_for

OWN_MAIL = "E-mail"
"""The name of the route to the address with which a user signs in."""

# Two that need it at once: the unique index lets one make it, the other waits and finds it.
_MAKE = text(
    """
    INSERT INTO notification_route (tenant_id, user_id, name, channel)
    SELECT :tenant, u.id, :name, 'email'
    FROM noc_user u
    WHERE u.tenant_id = :tenant AND u.id = ANY(CAST(:users AS bigint[])) AND u.active
      AND NOT EXISTS (SELECT FROM notification_route r
                      WHERE r.tenant_id = u.tenant_id AND r.user_id = u.id)
    ORDER BY u.id
    ON CONFLICT (tenant_id, user_id) WHERE channel = 'email' AND addresses = '{}' DO NOTHING
    """
)

_FIND = text(
    """
    SELECT id, user_id, channel = 'email' AND addresses = '{}' AS own_mail
    FROM notification_route
    WHERE tenant_id = :tenant AND user_id = ANY(CAST(:users AS bigint[])) AND active
    ORDER BY id
    """
)

_NAMED = text(
    """
    SELECT id, name FROM notification_route
    WHERE tenant_id = :tenant AND id = ANY(CAST(:routes AS bigint[])) AND active
      AND user_id IS NULL
      AND (site_ids = '{}' OR CAST(:site AS bigint) = ANY(site_ids))
    ORDER BY id
    """
)

# A simulated company sends no mail: nothing is stored that could only die.
_STORE = text(
    """
    INSERT INTO notification_delivery AS delivery (
        tenant_id, id, route_id, event_id, kind, severity, site_id, payload)
    SELECT :tenant, gen_random_uuid(), route.id, :event_id, :kind, :severity,
           CAST(:site AS bigint), CAST(:payload AS jsonb)
    FROM notification_route route
    JOIN tenant ON tenant.id = route.tenant_id
    WHERE route.tenant_id = :tenant AND route.id = ANY(CAST(:routes AS bigint[])) AND route.active
      AND (tenant.simulated IS NULL OR route.channel <> 'email')
    ORDER BY route.id
    FOR KEY SHARE OF route
    ON CONFLICT (tenant_id, route_id, event_id) DO NOTHING
    RETURNING delivery.route_id
    """
)


class Addressed(NamedTuple):
    """What is told: the event it comes with, and how grave it is."""

    event_id: uuid.UUID
    severity: Severity
    site_id: int | None
    payload: Mapping[str, Any]


def ways_to(user_ids: Collection[int]) -> dict[int, list[int]]:
    """The routes by which each of the users is reached; who has switched all off is left out.

    Two statements, none for nobody.
    """
    if not user_ids:
        return {}
    tenant_id, users = required_tenant(), sorted(set(user_ids))
    session().execute(_MAKE, {"tenant": tenant_id, "users": users, "name": OWN_MAIL})
    found = session().execute(_FIND, {"tenant": tenant_id, "users": users}).all()
    ways: dict[int, list[int]] = {}
    chosen = {row.user_id for row in found if not row.own_mail}
    for row in found:
        if not (row.own_mail and row.user_id in chosen):
            ways.setdefault(row.user_id, []).append(row.id)
    return ways


def named_routes(route_ids: Collection[int], *, site_id: int | None) -> dict[int, str]:
    """The names of those routes that are active and may have news of the site; nobody's own."""
    if not route_ids:
        return {}
    values = {"tenant": required_tenant(), "routes": sorted(set(route_ids)), "site": site_id}
    return {row.id: row.name for row in session().execute(_NAMED, values)}


def send_to(route_ids: Collection[int], message: Addressed) -> int:
    """Store a delivery for each of the routes, to be sent once the transaction has committed.

    How many; each route takes an event once. What is deleted or switched off meanwhile takes none.
    """
    if not route_ids:
        return 0
    tenant_id = required_tenant()
    stored = (
        session()
        .scalars(
            _STORE,
            {
                "tenant": tenant_id,
                "routes": sorted(set(route_ids)),
                "event_id": message.event_id,
                "kind": ESCALATION,
                "severity": message.severity,
                "site": message.site_id,
                "payload": json.dumps(dict(message.payload), allow_nan=False),
            },
        )
        .all()
    )
    if stored:
        ask_for(session(), tenant_id, [ESCALATION] * len(stored))
    return len(stored)
