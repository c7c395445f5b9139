"""What is going on now: the end of the event log, and the numbers above the feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select

from dashboards.queries.reader import seen_sites
from dashboards.queries.work import FRAUD_ALERTS
from noc.alerts.models import Alert
from noc.alerts.queries import alert_facets, list_alerts
from noc.alerts.schemas import AlertFilters
from noc.attendance.models import AttendanceEvent
from noc.events import log
from noc.events.frames import event_fields
from noc.extensions import session
from noc.identity.principal import required_principal
from noc.tickets.models import OPEN_STATUSES, Ticket

FEED_LENGTH = 200
"""Events of the log that the live page begins with."""


_ALERT_FIELDS = (
    "alert_type", "severity", "message", "status", "person_id", "person_name", "muted",
    "assignee_id", "site_id", "site_name",
)  # fmt: skip


def last_seq() -> int:
    """Where the tenant's event log ends."""
    return log.bounds(required_principal().tenant_id)[1]


def seed() -> list[dict[str, Any]]:
    """What the live page begins with, as the feed's frames: the end of the log, and behind it

    the grave alerts that are open though nothing was logged of them for long.
    """
    return [*recent_frames(), *open_frames()]


def open_frames() -> list[dict[str, Any]]:
    """The newest open alerts of severity HIGH or CRITICAL, as frames without a ``seq``."""
    filters = AlertFilters(
        status=("NEW", "ACKNOWLEDGED", "ASSIGNED"), severity=("CRITICAL", "HIGH"), muted=False
    )
    page = list_alerts(filters, site_ids=seen_sites(), limit=FEED_LENGTH)
    return [
        {
            "type": "alert_updated",
            "seq": 0,
            "alert_id": alert["id"],
            "timestamp": alert["occurred_at"].isoformat(),
        }
        | {name: alert[name] for name in _ALERT_FIELDS}
        for alert in page.items
    ]


def recent_frames() -> list[dict[str, Any]]:
    """The last events of the log as the feed's frames, oldest first.

    With ``occurred_at`` beside: when the alert began or the ticket was opened, which may be long
    before it was logged; and with whom it is now, which events of older releases do not tell.
    """
    principal = required_principal()
    after = max(0, last_seq() - FEED_LENGTH)
    events = log.read_after(principal.tenant_id, after, FEED_LENGTH, site_ids=principal.site_ids)
    frames = [event_fields(event) for event in events]
    found = {
        name: _standing(model, moment, {frame[name] for frame in frames if frame.get(name)})
        for name, model, moment in (
            ("alert_id", Alert, Alert.occurred_at),
            ("ticket_id", Ticket, Ticket.created_at),
        )
    }
    for frame in frames:
        name = "ticket_id" if frame["type"] == "ticket_updated" else "alert_id"
        at, assignee_id = found[name].get(frame.get(name) or 0, (None, None))
        frame["occurred_at"] = at.isoformat() if at else None
        frame["assignee_id"] = assignee_id
    return frames


def _standing(
    model: Any, moment: Any, keys: Collection[int]
) -> dict[int, tuple[dt.datetime | None, int | None]]:
    rows = session().execute(
        select(model.id, moment, model.assignee_id).where(
            model.tenant_id == required_principal().tenant_id, model.id.in_(keys)
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def counts(now: dt.datetime) -> dict[str, Any]:
    """The numbers above the feed: what is open, and how much is going on."""
    principal = required_principal()
    limited = seen_sites()
    open_alerts = alert_facets(AlertFilters(open=True), site_ids=limited)
    fraud = AlertFilters(alert_type=FRAUD_ALERTS, since=now - dt.timedelta(hours=24))
    punches = select(func.count()).where(
        AttendanceEvent.tenant_id == principal.tenant_id,
        AttendanceEvent.occurred_at > now - dt.timedelta(hours=1),
        AttendanceEvent.occurred_at <= now,
    )
    if limited is not None:
        punches = punches.where(AttendanceEvent.site_id.in_(limited))
    return {
        "alerts": open_alerts["total"],
        "by_severity": {item["value"]: item["count"] for item in open_alerts["severity"]},
        "tickets": _open_tickets(limited),
        "punches": session().scalar(punches) or 0,
        "fraud": alert_facets(fraud, site_ids=limited)["total"],
    }


def _open_tickets(limited: Collection[int] | None) -> int:
    query = select(func.count()).where(
        Ticket.tenant_id == required_principal().tenant_id, Ticket.status.in_(OPEN_STATUSES)
    )
    if limited is not None:
        query = query.where(Ticket.site_id.in_(limited))
    return session().scalar(query) or 0
