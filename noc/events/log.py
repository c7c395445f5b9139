"""The event log: ``emit`` and reading back. The log is the truth, Redis only the doorbell.

``seq`` is gapless per tenant and in commit order: the tenant's counter row is updated last in
the transaction, so its lock spans only the commit itself. A reader that has seen ``seq`` n has
seen, or can read, everything up to n.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Select, event, func, select
from sqlalchemy.orm import Session, SessionTransaction

from noc.database.base import new_uuid
from noc.database.tenancy import after_commit, current_tenant, tenant_context
from noc.events.appending import Row, append
from noc.events.doorbell import ring
from noc.events.models import EventCounter, EventLog
from noc.events.news import News, Told, news_committing
from noc.extensions import session
from noc.monitoring import metrics
from noc.workforce.models import Site

EventType = Literal[
    "alert_created",
    "alert_updated",
    "finding_created",
    "finding_updated",
    "anomaly_detected",
    "ticket_updated",
    "correlation_identified",
    "incident_updated",
    "job_updated",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
"""What is logged; the frames of the feed that carry a ``seq``."""

_PENDING = "noc_events"


@dataclass(slots=True)
class _Pending:
    """An event that waits for its transaction's commit, and the savepoint it was emitted in."""

    tenant_id: int
    row: Row
    within: SessionTransaction | None
    news: News | None = None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as it stands in the log, with the name of its site as it is now."""

    tenant_id: int
    seq: int
    event_id: uuid.UUID
    event_type: str
    site_id: int | None
    site_name: str | None
    payload: dict[str, Any]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Period:
    """When events were logged: from ``since`` on, before ``until``; None is without an end."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None


EVER = Period()


def emit(
    event_type: str,
    payload: dict[str, Any],
    *,
    tenant_id: int,
    site_id: int | None = None,
    alert_id: int | None = None,
    finding_id: int | None = None,
    ticket_id: int | None = None,
    incident_id: uuid.UUID | None = None,
    news: News | None = None,
) -> uuid.UUID:
    """Log an event with the caller's transaction, and ring the feed once that has committed.

    The event gets the tenant's next ``seq`` at the commit; a transaction (or savepoint) that is
    rolled back leaves neither event nor hole. ``payload`` holds the fields of the frame beyond
    the common ones; it is taken as it is now, with datetimes and UUIDs as text. ``news`` says that
    people who are not looking may want to be told of it.

    ValueError for an unknown type, a payload that JSON cannot hold (NaN among it), a tenant
    other than the one the work is for, or events of two tenants in one transaction; TypeError
    for a value without a JSON form.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"unknown event type {event_type!r}")
    _check_tenant(tenant_id)
    row = Row(
        event_id=new_uuid(),
        event_type=event_type,
        site_id=site_id,
        payload=json.dumps(payload, default=_as_text, allow_nan=False),
        alert_id=alert_id,
        finding_id=finding_id,
        ticket_id=ticket_id,
        incident_id=incident_id,
    )
    if not session().in_transaction():
        session().begin()
    within = session().get_nested_transaction()
    _pending(session()).append(_Pending(tenant_id, row, within, news))
    return row.event_id


def read_after(
    tenant_id: int,
    after: int,
    limit: int,
    *,
    site_ids: Collection[int] | None = None,
    types: Collection[str] | None = None,
    until: int | None = None,
    period: Period = EVER,
) -> list[LoggedEvent]:
    """Up to ``limit`` events with ``after`` < seq (<= ``until``), by ``seq``; one query.

    ``site_ids`` and ``types`` keep only what they name; an event of no site is then left out.
    """
    query = _selected(tenant_id, site_ids, types, period).where(EventLog.seq > after)
    if until is not None:
        query = query.where(EventLog.seq <= until)
    return [
        LoggedEvent(*row) for row in session().execute(query.order_by(EventLog.seq).limit(limit))
    ]


def read_last(
    tenant_id: int,
    count: int,
    *,
    site_ids: Collection[int] | None = None,
    types: Collection[str] | None = None,
    until: int,
    period: Period = EVER,
) -> list[LoggedEvent]:
    """The newest ``count`` events up to seq ``until`` that pass, oldest first; one query."""
    query = _selected(tenant_id, site_ids, types, period).where(EventLog.seq <= until)
    rows = session().execute(query.order_by(EventLog.seq.desc()).limit(count)).all()
    return [LoggedEvent(*row) for row in reversed(rows)]


def _selected(
    tenant_id: int,
    site_ids: Collection[int] | None,
    types: Collection[str] | None,
    period: Period,
) -> Select[Any]:
    query = (
        select(
            EventLog.tenant_id,
            EventLog.seq,
            EventLog.event_id,
            EventLog.event_type,
            EventLog.site_id,
            Site.name.label("site_name"),
            EventLog.payload,
            EventLog.created_at,
        )
        .outerjoin(Site, (Site.tenant_id == EventLog.tenant_id) & (Site.id == EventLog.site_id))
        .where(EventLog.tenant_id == tenant_id)
    )
    if period.since is not None:
        query = query.where(EventLog.created_at >= period.since)
    if period.until is not None:
        query = query.where(EventLog.created_at < period.until)
    if site_ids is not None:
        query = query.where(EventLog.site_id.in_(site_ids))
    if types is not None:
        query = query.where(EventLog.event_type.in_(types))
    return query


def bounds(tenant_id: int) -> tuple[int, int]:
    """(oldest, last) ``seq`` of the tenant's log; (last + 1, last) where it holds nothing.

    What is read after this and what retention removes meanwhile can leave a gap before the
    first event read: whoever must know asks again after reading.
    """
    oldest = select(func.min(EventLog.seq)).where(EventLog.tenant_id == tenant_id).scalar_subquery()
    row = session().execute(
        select(EventCounter.last_seq, oldest).where(EventCounter.tenant_id == tenant_id)
    )
    last, first = row.one()
    return (last + 1 if first is None else first), last


def install(session_class: type[Session] | Any) -> None:
    """Write what was emitted when sessions of ``session_class`` commit. Twice is once."""
    for name, listener in (
        ("before_commit", _before_commit),
        ("after_commit", _savepoint_released),
        ("after_transaction_end", _transaction_ended),
    ):
        if not event.contains(session_class, name, listener):
            event.listen(session_class, name, listener)


def _check_tenant(tenant_id: int) -> None:
    named = current_tenant()
    if named is not None and named != tenant_id:
        raise ValueError(f"this work is for tenant {named}; an event of {tenant_id} is not its own")
    others = {item.tenant_id for item in _pending(session())} - {tenant_id}
    if others:
        raise ValueError(
            f"one transaction, one tenant: it holds events of tenant {others.pop()} already "
            f"and cannot take one of {tenant_id}; commit between them"
        )


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"an event's payload cannot hold a {type(value).__name__}: {value!r}")


def _pending(current: Session) -> list[_Pending]:
    pending: list[_Pending] = current.info.setdefault(_PENDING, [])
    return pending


def _before_commit(current: Session) -> None:
    if current.in_nested_transaction() or not _pending(current):
        return
    # Rows first, the counter last: its lock makes the tenant's commits wait for each other.
    current.flush()
    pending = _pending(current)
    current.info[_PENDING] = []
    tenant_id = pending[0].tenant_id
    if current_tenant() == tenant_id:
        last_seq = _write(current, tenant_id, pending)
    else:
        with tenant_context(current, tenant_id):
            last_seq = _write(current, tenant_id, pending)
    after_commit(current, lambda: _announce(tenant_id, last_seq, [item.row for item in pending]))


def _write(current: Session, tenant_id: int, pending: list[_Pending]) -> int:
    told = [Told(item.news, item.row) for item in pending if item.news is not None]
    if told:
        # Before the counter is locked: what listeners write holds up nobody else's commit.
        news_committing.send("events", current=current, tenant_id=tenant_id, told=told)
    return append(current, tenant_id, [item.row for item in pending])


def _announce(tenant_id: int, last_seq: int, rows: list[Row]) -> None:
    ring(tenant_id, last_seq)
    for event_type, count in Counter(row.event_type for row in rows).items():
        metrics.EVENTS_LOGGED.labels(event_type).inc(count)


def _savepoint_released(current: Session) -> None:
    """What was emitted in a savepoint belongs from its release on to what surrounds it."""
    released = current.get_nested_transaction()
    if released is None:
        return
    outer = released.parent
    while outer is not None and not outer.nested:
        outer = outer.parent
    for item in _pending(current):
        if item.within is released:
            item.within = outer


def _transaction_ended(current: Session, ended: SessionTransaction) -> None:
    """Forget what was emitted in a transaction or savepoint that ended without a commit."""
    if ended.parent is None:
        current.info.pop(_PENDING, None)
    elif ended.nested and (pending := current.info.get(_PENDING)):
        current.info[_PENDING] = [item for item in pending if item.within is not ended]
