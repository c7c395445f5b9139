"""Tickets to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.events.models import EventLog
from noc.identity import tenants
from noc.tickets.models import Ticket, TicketEvent, TicketEvidence
from noc.tickets.signals import ticket_resolved
from noc.tickets.workflow import TicketDraft, open_once
from tests.factories import NOW, Make

Open = Callable[..., Ticket]
Told = Callable[[], list[dict[str, Any]]]


def draft(**values: Any) -> TicketDraft:
    """A suspicion to be looked into."""
    defaults: dict[str, Any] = {
        "title": "[FRAUD ALERT] Ravi - GPS_SPOOFING",
        "description": "The phone pretends to be elsewhere.",
        "priority": "MEDIUM",
        "category": "SECURITY_FRAUD",
        "source": "AUTOMATED_FRAUD",
    }
    return TicketDraft(**(defaults | values))


def slotted(slot: str = "ravi", hours: float = 24, **values: Any) -> TicketDraft:
    """A suspicion of which one open ticket is enough."""
    return draft(slot=slot, slot_hours=hours, **values)


def history(session: Session, ticket_id: int) -> list[TicketEvent]:
    """A ticket's changes, oldest first."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)
    return list(session.scalars(query.order_by(TicketEvent.id)))


def told_of(event: TicketEvent) -> dict[str, Any]:
    """What an entry of the history says, apart from how the ticket was before."""
    return {name: value for name, value in (event.detail or {}).items() if name != "before"}


def evidence(session: Session, ticket_id: int) -> set[tuple[str, str]]:
    """What is linked to a ticket."""
    rows = session.scalars(select(TicketEvidence).where(TicketEvidence.ticket_id == ticket_id))
    return {(row.kind, row.ref) for row in rows}


@contextmanager
def listening() -> Iterator[list[dict[str, Any]]]:
    """What ``ticket_resolved`` is sent with."""
    heard: list[dict[str, Any]] = []

    def listen(_: Any, **news: Any) -> None:
        heard.append(news)

    with ticket_resolved.connected_to(listen):
        yield heard


@pytest.fixture
def opened(session: Session, make: Make) -> Open:
    """Opens a ticket and returns it."""

    def open_ticket(**values: Any) -> Ticket:
        (one,) = open_once([draft(**values)], now=NOW)
        return session.get_one(Ticket, (make.tenant_id, one.ticket_id))

    return open_ticket


@pytest.fixture
def rivals_ticket(session: Session, make: Make) -> int:
    """The id of another tenant's ticket."""
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        (one,) = open_once([draft()], now=NOW)
        session.commit()
    return one.ticket_id


@pytest.fixture
def told(session: Session, make: Make) -> Told:
    """What the feed was told of tickets so far, once what is open is committed."""

    def frames() -> list[dict[str, Any]]:
        session.commit()
        rows = session.scalars(select(EventLog).order_by(EventLog.seq))
        return [row.payload for row in rows if row.event_type == "ticket_updated"]

    return frames
