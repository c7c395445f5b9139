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
from noc.tickets import consequences, slots
from noc.tickets.consequences import Withdrawal
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

    What a resolution had set off elsewhere is taken back with it, and where a reopening is taken
    back, the resolution holds again for all that it was said of (:mod:`noc.aftermath`).
    :func:`taken_back` tells what that was, and what could not be.
    """
    seen = _last(ticket_id)
    withdrawal = _prepare(ticket_id, seen, user_id, now)
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    last = _last(ticket_id)
    if last is None or seen is None or last.id != seen.id:
        raise Problem(409, f"Ticket {ticket.number} has changed at the same moment.")
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
    undone: dict[str, Any] = {"undone": last.action}
    if is_open(ticket.status) and not is_open(old_status):
        take_slot_back(ticket, now)
        if back := consequences.reopened(ticket, withdrawal, now):
            undone["taken_back"] = back
    elif is_open(old_status) and not is_open(ticket.status):
        slots.let_go(ticket.id)
    record(ticket, "undo", old_status, user_id, now, comment=comment, detail=undone)
    if is_open(old_status) and ticket.status == "RESOLVED":
        _say_again(ticket)
    return ticket


def taken_back(ticket: Ticket) -> dict[str, Any]:
    """What its last change took back elsewhere. One query."""
    last = _last(ticket.id)
    found: dict[str, Any] = ((last and last.detail) or {}).get("taken_back", {})
    return found


def _prepare(
    ticket_id: int, seen: TicketEvent | None, user_id: int | None, now: dt.datetime
) -> Withdrawal | None:
    """What has to be done, and locked, before the ticket is: by its latest entry as it seems."""
    before: Mapping[str, Any] = ((seen and seen.detail) or {}).get("before", {})
    status = before.get("status")
    if seen is None or status is None:
        return None
    if is_open(status) and not is_open(seen.new_status):
        return consequences.reopening(ticket_id, exact=True, user_id=user_id, now=now)
    if is_open(seen.new_status) and status == "RESOLVED":
        consequences.resolving(ticket_id, before.get("resolution"))
    return None


def _say_again(ticket: Ticket) -> None:
    """The resolution holds again, by whom and since when it did."""
    said = session().scalar(
        select(TicketEvent)
        .where(
            TicketEvent.tenant_id == required_tenant(),
            TicketEvent.ticket_id == ticket.id,
            TicketEvent.action == "transition",
            TicketEvent.new_status == "RESOLVED",
        )
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    if said is None or ticket.resolved_at is None:
        return
    verdicts = {int(punch): word for punch, word in (said.detail or {}).get("verdicts", {}).items()}
    consequences.resolved(
        ticket, ticket.resolution, verdicts, user_id=said.user_id, now=ticket.resolved_at
    )


def _last(ticket_id: int) -> TicketEvent | None:
    """The latest entry of the history: every change of a ticket makes one."""
    query = select(TicketEvent).where(
        TicketEvent.tenant_id == required_tenant(), TicketEvent.ticket_id == ticket_id
    )
    query = query.order_by(TicketEvent.id.desc()).limit(1)
    return session().scalar(query.execution_options(populate_existing=True))


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
