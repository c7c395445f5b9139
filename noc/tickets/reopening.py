"""What a ticket that is open again needs: the slot by which there is one of its kind."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem
from noc.tickets import slots
from noc.tickets.models import Ticket, TicketEvent


def take_slot_back(ticket: Ticket, now: dt.datetime) -> None:
    """Hold the slot again for the rest of its time, so that there is still one open ticket.

    Problem 409 with ``open_ticket_id`` where another ticket has been opened for the same.
    """
    opened = session().scalar(
        select(TicketEvent.detail).where(
            TicketEvent.tenant_id == required_tenant(),
            TicketEvent.ticket_id == ticket.id,
            TicketEvent.action == "opened",
        )
    )
    if not opened or "slot" not in opened:
        return
    until = dt.datetime.fromisoformat(opened["slot_until"])
    if until > now and not slots.take_back(opened["slot"], ticket.id, expires_at=until, now=now):
        holder = slots.holders([opened["slot"]]).get(opened["slot"])
        raise Problem(
            409,
            f"Ticket {holder} has been opened for the same since: go on with that one.",
            open_ticket_id=holder,
        )
