"""Taking back the last change of a ticket: what was before it is so again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.problems import Problem
from noc.tickets import slots
from noc.tickets.history import BEFORE, record
from noc.tickets.locking import find_locked
from noc.tickets.models import Ticket, TicketEvent
from noc.tickets.reopening import take_slot_back
from noc.tickets.transitions import is_open

UNDOABLE = frozenset({"transition", "assign", "priority"})
"""Changes that overwrite; what only adds (comments, evidence) and mergers are not taken back."""

_MOMENTS = ("resolved_at", "due_at", "clock_stopped_at", "overdue_at")


def undo(
    ticket_id: int,
    *,
    version: int,
    user_id: int | None,
    now: dt.datetime,
    comment: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Ticket:
    """Take back the change that made ``version``, as if it had never been made.

    Status, assignee, priority, resolution and clock are what they were; a ticket that is open again
    holds its deduplication slot again. 404; 409 where it has changed since ``version``, where that
    was no move, assignment or priority, and where another ticket has taken the slot.

    What was told on the strength of a resolution stays until the ticket is resolved again, as with
    reopening: verdicts on punches, findings that ended with it.
    """
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    last = _last(ticket)
    detail = last.detail or {}
    if last.action not in UNDOABLE or "before" not in detail:
        raise Problem(
            409,
            f"The last change of {ticket.number} cannot be taken back: {last.action}.",
            current_version=ticket.version,
            current_status=ticket.status,
        )
    old_status = ticket.status
    _restore(ticket, detail["before"])
    if is_open(ticket.status) and not is_open(old_status):
        take_slot_back(ticket, now)
    elif is_open(old_status) and not is_open(ticket.status):
        slots.let_go(ticket.id)
    undone = {"undone": last.action}
    record(ticket, "undo", old_status, user_id, now, comment=comment, detail=undone)
    return ticket


def _last(ticket: Ticket) -> TicketEvent:
    """The latest entry of the history: the ticket is locked, and every change makes one."""
    query = select(TicketEvent).where(
        TicketEvent.tenant_id == required_tenant(), TicketEvent.ticket_id == ticket.id
    )
    return session().scalars(query.order_by(TicketEvent.id.desc()).limit(1)).one()


def _restore(ticket: Ticket, before: Mapping[str, Any]) -> None:
    for name in BEFORE:
        value = before.get(name)
        if value is not None and name in _MOMENTS:
            value = dt.datetime.fromisoformat(value)
        setattr(ticket, name, value)
    if ticket.assignee_id is not None and not _still_there(ticket.assignee_id):
        ticket.assignee_id = None


def _still_there(user_id: int) -> bool:
    query = select(User.id).where(User.tenant_id == required_tenant(), User.id == user_id)
    with session().no_autoflush:
        return session().scalar(query) is not None
