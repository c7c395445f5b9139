"""Tickets as they are now, kept from changing under whoever is about to change them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem, not_found
from noc.tickets import slots
from noc.tickets.models import Ticket


def find_locked(
    ticket_id: int, *, site_ids: Collection[int] | None = None, version: int | None = None
) -> Ticket:
    """The ticket, locked together with the slots it holds; 404 if it is not to be seen.

    ``version``: the one that whoever acts has seen; 409 where the ticket has changed since. None
    for who acts whatever it has become.
    """
    slots.lock([ticket_id])
    ticket = lock_tickets([ticket_id], site_ids=site_ids).get(ticket_id)
    if ticket is None:
        raise not_found("ticket")
    check_version(ticket, version)
    return ticket


def check_version(ticket: Ticket, version: int | None) -> None:
    """Problem 409 where the locked ticket is no longer the version that was seen."""
    if version is not None and version != ticket.version:
        raise Problem(
            409,
            f"Ticket {ticket.number} has changed since you read it: look at it as it is now.",
            current_version=ticket.version,
            current_status=ticket.status,
        )


def lock_tickets(
    ticket_ids: Collection[int], *, site_ids: Collection[int] | None = None
) -> dict[int, Ticket]:
    """The tickets, as they are now, locked against other writers until the transaction ends.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    if not ticket_ids:
        return {}
    # Not FOR UPDATE: who holds a slot and refers to its ticket must not wait for us.
    query = (
        select(Ticket)
        .where(Ticket.tenant_id == required_tenant(), Ticket.id.in_(ticket_ids))
        .order_by(Ticket.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if site_ids is not None:
        query = query.where(Ticket.site_id.in_(site_ids))
    return {ticket.id: ticket for ticket in session().scalars(query)}
