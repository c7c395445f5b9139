"""The one way in which tickets change. Every change is a TicketEvent and an event on the feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from noc.identity.assignees import find_assignee
from noc.rest.problems import Problem
from noc.tickets import clock, consequences, slots
from noc.tickets.evidence import linked_punches
from noc.tickets.history import before, record
from noc.tickets.locking import find_locked
from noc.tickets.models import PRIORITIES, RESOLUTIONS, Ticket
from noc.tickets.opening import OpenedTicket, TicketDraft, open_once
from noc.tickets.reopening import take_slot_back
from noc.tickets.transitions import VERDICTS, check_move, check_open, is_open

__all__ = [
    "OpenedTicket",
    "TicketDraft",
    "assign",
    "comment",
    "open_once",
    "prioritise",
    "transition",
]


def transition(
    ticket_id: int,
    new_status: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    resolution: str | None = None,
    comment: str | None = None,
    verdicts: Mapping[int, str] | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> Ticket:
    """Move a ticket along the workflow's table.

    RESOLVED takes a ``resolution`` (CONFIRMED, FALSE_POSITIVE, INCONCLUSIVE, DUPLICATE, FIXED)
    and, where punches of the evidence differ, ``verdicts``: punch id to CONFIRMED or
    FALSE_POSITIVE; it sends ``ticket_resolved``. Leaving the open states frees the ticket's
    deduplication slot; reopening takes it back, and what the resolution had set off elsewhere
    (:mod:`noc.aftermath`, ``taken_back`` of the entry). Who takes or starts a ticket of nobody
    has it.

    Problem 404; 409 for a move that the table does not have, naming those it has, for ASSIGNED
    to nobody, and for reopening while another ticket has taken the slot; 422 for what
    does not fit the move. ``site_ids``: the sites whoever acts is limited to, None for all.
    ``version``: the one that whoever acts has seen; 409 where the ticket has changed since.
    """
    withdrawal = None
    if new_status == "RESOLVED":
        consequences.resolving(ticket_id, resolution)
    elif new_status == "IN_PROGRESS":
        withdrawal = consequences.reopening(ticket_id, exact=False, user_id=user_id, now=now)
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    old_status, was = ticket.status, before(ticket)
    check_move(old_status, new_status)
    _check_resolution(ticket, new_status, resolution, verdicts or {})
    if new_status == "ASSIGNED" and ticket.assignee_id is None and user_id is None:
        raise Problem(409, f"Nobody has ticket {ticket.number} yet: assign it to a user.")
    detail: dict[str, Any] = {"before": was}
    if is_open(new_status) and not is_open(old_status):
        take_slot_back(ticket, now)
        if back := consequences.reopened(ticket, withdrawal, now):
            detail["taken_back"] = back
    _apply(ticket, new_status, resolution, user_id, now)
    if is_open(old_status) and not is_open(new_status):
        slots.let_go(ticket.id)
    if resolution is not None:
        detail["resolution"] = resolution
    if verdicts:
        detail["verdicts"] = {str(punch): verdict for punch, verdict in verdicts.items()}
    record(ticket, "transition", old_status, user_id, now, comment=comment, detail=detail)
    if new_status == "RESOLVED":
        consequences.resolved(ticket, resolution, verdicts or {}, user_id=user_id, now=now)
    return ticket


def assign(
    ticket_id: int,
    assignee_id: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    comment: str | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> Ticket:
    """Give an open ticket to a user; a NEW one becomes ASSIGNED, others keep their status.

    404; 409 for a ticket that is not open, or has changed since ``version``; 422 for who cannot
    work on it.
    """
    assignee = find_assignee(assignee_id)
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    check_open(ticket.status, "assigned")
    if not assignee.sees_site(ticket.site_id):
        reason = f"{assignee.name} does not see the ticket's site"
        raise _refused("assignee_id", reason)
    old_status = ticket.status
    detail = {"from": ticket.assignee_id, "to": assignee_id, "before": before(ticket)}
    ticket.assignee_id = assignee_id
    if old_status == "NEW":
        ticket.status = "ASSIGNED"
    record(ticket, "assign", old_status, user_id, now, comment=comment, detail=detail)
    return ticket


def prioritise(
    ticket_id: int,
    priority: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    due_at: dt.datetime | None = None,
    comment: str | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> Ticket:
    """Say how urgent an open ticket is, and by when it is to be done.

    Without ``due_at`` it has the hours of its priority from its opening, the time on hold not
    counted. 404; 409 for a ticket that is not open, or has changed since ``version``; 422 for a
    priority there is not.
    """
    if priority not in PRIORITIES:
        raise _refused("priority", f"must be one of {', '.join(PRIORITIES)}")
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    check_open(ticket.status, "given another priority")
    old_priority, old_due, was = ticket.priority, ticket.due_at, before(ticket)
    ticket.priority, ticket.due_given = priority, due_at is not None
    due_at = due_at or clock.due_by_priority(ticket, priority, clock.read_hours())
    clock.set_due(ticket, due_at, now)
    detail = {
        "priority": {"from": old_priority, "to": priority},
        "due_at": {"from": old_due and old_due.isoformat(), "to": due_at.isoformat()},
        "before": was,
    }
    record(ticket, "priority", ticket.status, user_id, now, comment=comment, detail=detail)
    return ticket


def comment(
    ticket_id: int,
    text: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
    said_by: str | None = None,
) -> Ticket:
    """Write something down about a ticket, whatever its status. 404; 422 for nothing.

    ``said_by`` is kept beside: ``"guard"`` for what the guard says, whoever writes it down.
    """
    if not text.strip():
        raise _refused("comment", "must not be empty")
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    detail = {"said_by": said_by} if said_by else None
    record(ticket, "comment", ticket.status, user_id, now, comment=text, detail=detail)
    return ticket


def _apply(
    ticket: Ticket,
    new_status: str,
    resolution: str | None,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    ticket.status = new_status
    clock.keep_time(ticket, now)
    if new_status == "RESOLVED":
        ticket.resolution = resolution
        ticket.resolved_at = now
    elif is_open(new_status):
        ticket.resolution = None
        ticket.resolved_at = None
    if new_status == "NEW":
        ticket.assignee_id = None
    elif new_status in ("ASSIGNED", "IN_PROGRESS") and ticket.assignee_id is None:
        ticket.assignee_id = user_id


def _check_resolution(
    ticket: Ticket, new_status: str, resolution: str | None, verdicts: Mapping[int, str]
) -> None:
    if new_status == "RESOLVED" and resolution not in RESOLUTIONS:
        raise _refused("resolution", f"must be one of {', '.join(RESOLUTIONS)}")
    if new_status != "RESOLVED" and resolution is not None:
        raise _refused("resolution", "belongs to RESOLVED alone")
    if not verdicts:
        return
    if new_status != "RESOLVED":
        raise _refused("verdicts", "belong to RESOLVED alone")
    strange = sorted(set(verdicts) - linked_punches(ticket.id))
    if strange:
        reason = f"punch {strange[0]} is not among the evidence of {ticket.number}"
        raise _refused("verdicts", reason)
    if not set(verdicts.values()) <= set(VERDICTS):
        raise _refused("verdicts", f"a verdict is one of {', '.join(VERDICTS)}")


def _refused(field: str, reason: str) -> Problem:
    return Problem(422, "The ticket was not changed.", errors=[{"field": field, "reason": reason}])
