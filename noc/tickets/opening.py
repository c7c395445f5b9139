"""Opening tickets: once for each slot, numbered without a gap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, update

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.tickets import clock, slots
from noc.tickets.evidence import Link, link
from noc.tickets.history import Change, record_all
from noc.tickets.locking import lock_tickets
from noc.tickets.models import PRIORITIES, Ticket, TicketCounter


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket to be opened, unless one that holds its ``slot`` is open.

    ``evidence`` is of kind (punch, finding, alert, incident) and id as text. ``slot`` names what
    at most one open ticket may be about for ``slot_hours``; without one each draft opens.
    Without ``due_at`` it has the hours of its priority (TICKET_DUE_HOURS_*).
    ValueError for a priority there is not, or a slot without hours.
    """

    title: str
    description: str
    priority: str
    category: str
    source: str
    site_id: int | None = None
    person_id: int | None = None
    assignee_id: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    evidence: Sequence[Link] = ()
    slot: str | None = None
    slot_hours: float = 0
    due_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        if self.priority not in PRIORITIES:
            raise ValueError(f"priority is one of {', '.join(PRIORITIES)}, not {self.priority!r}")
        if self.slot is not None and self.slot_hours <= 0:
            raise ValueError(f"slot {self.slot!r} needs the hours for which it is held")


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """The ticket that a draft became, or whose evidence it joined."""

    ticket_id: int
    number: str
    created: bool


def open_once(
    drafts: Sequence[TicketDraft], *, now: dt.datetime, user_id: int | None = None
) -> list[OpenedTicket]:
    """Open a ticket for each draft, or join the open ticket that holds the draft's slot.

    Answers are in the order of ``drafts``. However many openers there are at once, a slot has
    one ticket; the others' evidence joins it, and the higher priority holds. When the slot's
    time is over, or its ticket is no longer open, the next draft opens a new ticket. Emits
    ``ticket_updated`` for each ticket that is new or got new evidence. A constant number of
    statements. ``user_id`` opened them, None where nobody did.
    """
    if not drafts:
        return []
    session().flush()
    won = slots.take(_expiries(drafts, now), now=now)
    openers = _openers(drafts, won)
    opened = _insert([drafts[index] for index in openers], now, user_id)
    by_draft = dict(zip(openers, opened, strict=True))
    by_slot = {
        slot: by_draft[index] for index in openers if (slot := drafts[index].slot) is not None
    }
    slots.fill({slot: ticket.id for slot, ticket in by_slot.items()})
    held = slots.holders({draft.slot for draft in drafts if draft.slot} - by_slot.keys())
    joined = lock_tickets(held.values())
    by_slot |= {slot: joined[ticket_id] for slot, ticket_id in held.items()}
    tickets = [
        by_draft.get(index) or by_slot[draft.slot or ""] for index, draft in enumerate(drafts)
    ]
    _record(drafts, tickets, {ticket.id for ticket in opened}, now, user_id)
    return [
        OpenedTicket(ticket.id, ticket.number, created=index in by_draft)
        for index, ticket in enumerate(tickets)
    ]


def _expiries(drafts: Sequence[TicketDraft], now: dt.datetime) -> dict[str, dt.datetime]:
    expiries: dict[str, dt.datetime] = {}
    for draft in drafts:
        if draft.slot is not None:
            expiries.setdefault(draft.slot, now + dt.timedelta(hours=draft.slot_hours))
    return expiries


def _openers(drafts: Sequence[TicketDraft], won: Collection[str]) -> list[int]:
    """Indices of the drafts that open: the first of each slot that was won, and all without."""
    left = set(won)
    openers = []
    for index, draft in enumerate(drafts):
        if draft.slot is None:
            openers.append(index)
        elif draft.slot in left:
            left.remove(draft.slot)
            openers.append(index)
    return openers


def _insert(
    drafts: Sequence[TicketDraft], now: dt.datetime, user_id: int | None
) -> Sequence[Ticket]:
    if not drafts:
        return []
    tenant_id = required_tenant()
    # The counter's row is locked until the commit: a rolled-back opening leaves no gap.
    last = session().scalar(
        update(TicketCounter)
        .where(TicketCounter.tenant_id == tenant_id)
        .values(last_number=TicketCounter.last_number + len(drafts))
        .returning(TicketCounter.last_number)
        .execution_options(synchronize_session=False)
    )
    if last is None:
        raise LookupError(f"tenant {tenant_id} has no ticket counter: it cannot have tickets")
    first = last - len(drafts) + 1
    config = clock.read_hours()
    rows = [
        {
            "tenant_id": tenant_id,
            "number": f"T-{number:06d}",
            "title": draft.title,
            "description": draft.description,
            "priority": draft.priority,
            "category": draft.category,
            "source": draft.source,
            "status": "ASSIGNED" if draft.assignee_id else "NEW",
            "assignee_id": draft.assignee_id,
            "site_id": draft.site_id,
            "person_id": draft.person_id,
            "due_at": draft.due_at
            or now + dt.timedelta(hours=clock.hours_at(config, draft.site_id, draft.priority)),
            "due_given": draft.due_at is not None,
            "created_at": now,
            "created_by": user_id,
            "updated_at": now,
            "detail": draft.metadata,
        }
        for number, draft in enumerate(drafts, first)
    ]
    # Sorted here: asked to keep the order itself, the database layer inserts row by row.
    opened = session().scalars(insert(Ticket).returning(Ticket), rows)
    return sorted(opened, key=lambda ticket: int(ticket.number.removeprefix("T-")))


def _record(
    drafts: Sequence[TicketDraft],
    tickets: Sequence[Ticket],
    opened: Collection[int],
    now: dt.datetime,
    user_id: int | None,
) -> None:
    """Link the evidence, keep the history, and tell the feed."""
    evidence: dict[int, list[Link]] = {}
    for draft, ticket in zip(drafts, tickets, strict=True):
        evidence.setdefault(ticket.id, []).extend(draft.evidence)
    new = link(evidence, now=now)
    first = {
        ticket.id: draft for draft, ticket in reversed(list(zip(drafts, tickets, strict=True)))
    }
    raised = _raise_priorities(drafts, tickets, now)
    changes = []
    for ticket in dict.fromkeys(tickets):
        detail: dict[str, Any] = {"evidence": new[ticket.id]} if ticket.id in new else {}
        if ticket.id in raised:
            detail["priority"] = raised[ticket.id]
        if ticket.id in opened:
            changes.append(
                Change(ticket, "opened", None, detail | _slot_detail(first[ticket.id], now))
            )
        elif detail:
            changes.append(Change(ticket, "evidence", ticket.status, detail))
    record_all(changes, user_id=user_id, now=now)


def _slot_detail(draft: TicketDraft, now: dt.datetime) -> dict[str, Any]:
    if draft.slot is None:
        return {}
    until = now + dt.timedelta(hours=draft.slot_hours)
    return {"slot": draft.slot, "slot_until": until.isoformat()}


def _raise_priorities(
    drafts: Sequence[TicketDraft], tickets: Sequence[Ticket], now: dt.datetime
) -> Mapping[int, dict[str, str]]:
    """Let a more urgent draft make the ticket that it joins more urgent; what was raised.

    Then there is less time for it, unless somebody has said by when it is to be done.
    """
    raised: dict[int, dict[str, str]] = {}
    urgent: dict[int, Ticket] = {}
    for draft, ticket in zip(drafts, tickets, strict=True):
        stands = raised.get(ticket.id, {}).get("to", ticket.priority)
        if PRIORITIES.index(draft.priority) > PRIORITIES.index(stands):
            raised[ticket.id] = {"from": ticket.priority, "to": draft.priority}
            urgent[ticket.id] = ticket
    if not urgent:
        return {}
    config = clock.read_hours()
    for ticket in urgent.values():
        ticket.priority = raised[ticket.id]["to"]
        if ticket.due_at is not None and not ticket.due_given:
            due_at = clock.due_by_priority(ticket, ticket.priority, config)
            clock.set_due(ticket, min(ticket.due_at, due_at), now)
    session().flush()
    return raised
