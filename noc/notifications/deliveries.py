"""The life of a delivery: taken for a minute, tried, and sent, put off, or dead; and sent anew."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from sqlalchemy import CursorResult, Row, text, update

from noc.database.tenancy import required_tenant
from noc.extensions import session, settings
from noc.monitoring import metrics
from noc.notifications import sending
from noc.notifications.messages import Message
from noc.notifications.models import NotificationDelivery as Delivery
from noc.notifications.models import NotificationRoute as Route
from noc.notifications.sending import Result, Target

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 14
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 7200.0
"""Seconds. Pauses double from the first to the longest: about twelve hours in all."""

JITTER = 0.2
"""A pause is up to a fifth shorter or longer, so that what failed together comes back apart."""

HOLD = dt.timedelta(seconds=30)
"""After a failure nothing else is sent by the route for so long: a server that does not answer

would otherwise cost a worker ten seconds for each delivery that waits for it.
"""

LEASE = dt.timedelta(seconds=60)
"""Whoever takes a delivery has it to themselves for so long: longer than any attempt lasts, and

how long it takes until another worker takes it up from one that died.
"""

# First which one, by the index in which those that wait stand in line, and what is said of it then:
# asked for together, all that wait would be looked up and sorted for each that is sent.
# The route is locked first, here and in _settle, as whoever deletes it does: the other way about
# a deletion and a sender would wait for each other.
_TAKE = text(
    """
    WITH taken AS MATERIALIZED (
        SELECT d.tenant_id, d.id, d.kind, d.severity, d.site_id, d.event_id, d.payload, d.attempts,
               d.created_at, d.left_over, route.id AS route_id, route.name AS route_name,
               route.user_id, route.channel, route.url, route.addresses, route.signing_secret
        FROM notification_delivery d
        JOIN notification_route route ON route.tenant_id = d.tenant_id AND route.id = d.route_id
        WHERE d.tenant_id = :tenant AND d.route_id = :route AND d.state = 'pending'
          AND (d.attempts = 0 OR d.next_attempt_at <= :now)
          AND (route.active OR d.kind = 'test')
          AND (route.held_until IS NULL OR route.held_until <= :now)
        ORDER BY d.next_attempt_at, d.event_id
        LIMIT 1
        FOR UPDATE OF d SKIP LOCKED FOR KEY SHARE OF route SKIP LOCKED
    )
    SELECT taken.id, taken.kind, taken.severity, taken.site_id, taken.event_id, taken.payload,
           taken.attempts, taken.created_at, taken.route_id, taken.route_name, taken.channel,
           taken.url, taken.signing_secret, taken.left_over,
           CASE WHEN taken.channel = 'email' AND taken.addresses = '{}' THEN ARRAY[person.email]
                ELSE taken.addresses END AS addresses,
           person.active IS FALSE AS disabled, tenant.name AS tenant_name,
           tenant.simulated IS NOT NULL AS simulated, site.name AS site_name, site.timezone,
           log.seq, coalesce(log.created_at, taken.created_at) AS moment
    FROM taken
    JOIN tenant ON tenant.id = taken.tenant_id
    LEFT JOIN noc_user person ON person.tenant_id = taken.tenant_id AND person.id = taken.user_id
    LEFT JOIN site ON site.tenant_id = taken.tenant_id AND site.id = taken.site_id
    LEFT JOIN noc_event_log log
           ON log.event_id = taken.event_id AND log.tenant_id = taken.tenant_id
    """
)


class Done(NamedTuple):
    """What came of one attempt."""

    delivery_id: uuid.UUID
    outcome: str


def send_next(
    route_id: int,
    *,
    tenant_id: int,
    now: dt.datetime,
    chance: Callable[[], float] = random.random,
) -> Done | None:
    """Send what is due next by the route; None where nothing is, or others are at it.

    Commits before it sends, so that nothing is held while the other side takes its time: the
    delivery is this worker's for :data:`LEASE`, and the attempt counts though the worker die in
    it. What came of it is the caller's to commit, at once. ``chance`` in [0, 1) spreads the pauses.
    """
    session().flush()
    row = (
        session().execute(_TAKE, {"tenant": tenant_id, "route": route_id, "now": now}).one_or_none()
    )
    if row is None:
        return None
    _claim(row, tenant_id, now)
    session().commit()
    result = _attempt(row, tenant_id, now)
    outcome = _settle(row, result, tenant_id, now, chance())
    metrics.NOTIFICATIONS.labels(row.channel, outcome).inc()
    if outcome == "sent":
        waited = (now - row.created_at).total_seconds()
        metrics.NOTIFICATION_LATENCY.labels(row.channel).observe(max(waited, 0.0))
    else:
        log.warning(
            "notification_failed",
            tenant_id=tenant_id,
            route_id=route_id,
            delivery_id=str(row.id),
            attempt=row.attempts + 1,
            outcome=outcome,
            error=result.error,
        )
    return Done(row.id, outcome)


def _claim(row: Row[Any], tenant_id: int, now: dt.datetime) -> None:
    session().execute(
        update(Delivery)
        .where(Delivery.tenant_id == tenant_id, Delivery.id == row.id)
        .values(attempts=row.attempts + 1, next_attempt_at=now + LEASE)
        .execution_options(synchronize_session=False)
    )


def _attempt(row: Row[Any], tenant_id: int, now: dt.datetime) -> Result:
    """One that we fail to put into words is dead: it must not keep the others waiting for ever.

    So is one whose last attempt never came to an end: what ended the worker may be in it.
    """
    if row.attempts >= MOST_ATTEMPTS:
        return Result("dead", "no worker came to an end with it")
    if row.disabled:
        return Result("dead", "the user is disabled")
    if row.left_over and not _recipients(row):
        return Result("sent", "who was left has been taken from the route")
    try:
        return sending.attempt(_target(row), _message(row, tenant_id), settings(), now=now)
    except (LookupError, TypeError, ValueError) as error:
        metrics.FAILURES.labels("notification").inc()
        log.exception("notification_unsendable", delivery_id=str(row.id))
        return Result("dead", f"could not be put into words ({type(error).__name__})")


def pause(attempts: int, chance: float) -> float:
    """Seconds to wait after the ``attempts``-th failure: doubling, bounded, spread by a fifth."""
    doubled = min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE)
    return doubled * (1 - JITTER + 2 * JITTER * chance)


def _settle(row: Row[Any], result: Result, tenant_id: int, now: dt.datetime, chance: float) -> str:
    """Store what came of the attempt, unless the delivery is gone or another's by now.

    That it was sent is true whoever has it.
    """
    attempts = row.attempts + 1
    values: dict[str, Any] = {"last_error": result.error}
    held_until: dt.datetime | None = None
    if result.outcome == "again":
        wait = pause(attempts, chance) if result.after is None else result.after
        if result.left:
            # The server works: it keeps nothing else waiting.
            values["left_over"] = list(result.left)
        else:
            held_until = now + max(HOLD, dt.timedelta(seconds=result.after or 0))
        values["next_attempt_at"] = now + dt.timedelta(seconds=wait)
    if result.outcome != "again" or attempts >= MOST_ATTEMPTS:
        state = "sent" if result.outcome == "sent" else "dead"
        values |= {"state": state, "finished_at": now}
    session().execute(
        update(Route)
        .where(
            Route.tenant_id == tenant_id,
            Route.id == row.route_id,
            Route.held_until.is_distinct_from(held_until),
        )
        .values(held_until=held_until)
        .execution_options(synchronize_session=False)
    )
    ours = Delivery.state == "pending"
    if result.outcome != "sent":
        ours &= Delivery.attempts == attempts
    session().execute(
        update(Delivery)
        .where(Delivery.tenant_id == tenant_id, Delivery.id == row.id, ours)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return str(values.get("state", "again"))


def _target(row: Row[Any]) -> Target:
    return Target(
        channel=row.channel,
        simulated=row.simulated,
        url=row.url or "",
        secret=row.signing_secret or "",
        addresses=_recipients(row),
    )


def _recipients(row: Row[Any]) -> tuple[str, ...]:
    """The route's addresses; of a mail that some have, those who are left and still the route's."""
    return tuple(one for one in row.addresses if not row.left_over or one in row.left_over)


def _message(row: Row[Any], tenant_id: int) -> Message:
    return Message(
        delivery_id=row.id,
        route_name=row.route_name,
        tenant_id=tenant_id,
        tenant_name=row.tenant_name,
        kind=row.kind,
        severity=row.severity,
        site_id=row.site_id,
        site_name=row.site_name,
        timezone=row.timezone,
        event_id=row.event_id,
        seq=row.seq,
        moment=row.moment,
        payload=row.payload,
    )


_ANEW = {"state": "pending", "attempts": 0, "finished_at": None, "last_error": None}


def replay(delivery_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Send a dead delivery anew, under the same id; False where it is not dead.

    Its route is locked already.
    """
    result = session().execute(
        update(Delivery)
        .where(
            Delivery.tenant_id == required_tenant(),
            Delivery.id == delivery_id,
            Delivery.state == "dead",
        )
        .values(**_ANEW, next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )
    return _count(result) > 0


def replay_route(route_id: int, *, now: dt.datetime) -> int:
    """Send all dead deliveries of the route anew; how many."""
    result = session().execute(
        update(Delivery)
        .where(
            Delivery.tenant_id == required_tenant(),
            Delivery.route_id == route_id,
            Delivery.state == "dead",
        )
        .values(**_ANEW, next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )
    return _count(result)


def _count(result: Any) -> int:
    return int(result.rowcount) if isinstance(result, CursorResult) else 0
