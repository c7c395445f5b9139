"""What happened to tickets: kept as history, counted as versions, and told to the feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.tickets.frames import announce_tickets
from noc.tickets.models import Ticket, TicketEvent

BEFORE = (
    "status", "assignee_id", "priority", "resolution", "resolved_at", "due_at", "due_given",
    "clock_stopped_at", "paused_seconds", "overdue_at",
)  # fmt: skip
"""What people change of a ticket."""


def before(ticket: Ticket) -> dict[str, Any]:
    """The ticket as it is, for the history of what is about to change it; as JSON has it."""
    found = {name: getattr(ticket, name) for name in BEFORE}
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in found.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a ticket. ``old_status`` is None where it was opened."""

    ticket: Ticket
    action: str
    old_status: str | None
    detail: Mapping[str, Any] | None = None
    comment: str | None = None


def record(
    ticket: Ticket,
    action: str,
    old_status: str,
    user_id: int | None,
    now: dt.datetime,
    *,
    comment: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """:func:`record_all` of one change to a ticket that was there before."""
    change = Change(ticket, action, old_status, detail, comment)
    record_all([change], user_id=user_id, now=now)


def record_all(changes: Sequence[Change], *, user_id: int | None, now: dt.datetime) -> None:
    """Keep the changes as history, each a new version of its ticket, and tell the feed.

    ``user_id`` made them, None where nobody did. A constant number of statements.
    """
    if not changes:
        return
    session().flush()
    _touch([change.ticket.id for change in changes if change.old_status is not None], now)
    rows = [
        {
            "tenant_id": change.ticket.tenant_id,
            "ticket_id": change.ticket.id,
            "at": now,
            "user_id": user_id,
            "action": change.action,
            "old_status": change.old_status,
            "new_status": change.ticket.status,
            "comment": change.comment,
            "detail": dict(change.detail) if change.detail else None,
        }
        for change in changes
    ]
    session().execute(insert(TicketEvent), rows)
    announce_tickets([(change.ticket, change.old_status, change.action) for change in changes])


def _touch(ticket_ids: Collection[int], now: dt.datetime) -> None:
    if ticket_ids:
        session().execute(
            update(Ticket)
            .where(Ticket.tenant_id == required_tenant(), Ticket.id.in_(sorted(ticket_ids)))
            .values(updated_at=now, version=Ticket.version + 1)
            .execution_options(synchronize_session="evaluate")
        )
