"""What a ticket's resolution set off elsewhere: kept in its history, and taken back with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text

from noc.aftermath import answered, joined, set_off
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem
from noc.tickets.models import OPEN_STATUSES, Ticket, TicketEvent
from noc.tickets.signals import (
    ticket_reopened,
    ticket_reopening,
    ticket_resolved,
    ticket_resolving,
)
from noc.tickets.transitions import is_open

_KEEP = text(
    """
    UPDATE ticket_event
    SET detail = coalesce(detail, '{}') || jsonb_build_object('set_off', CAST(:told AS jsonb))
    WHERE tenant_id = :tenant AND id = (
        SELECT max(id) FROM ticket_event
        WHERE tenant_id = :tenant AND ticket_id = :ticket AND new_status = 'RESOLVED')
    """
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A resolution that is being taken back: its entry of the history, what came back so far."""

    event_id: int
    set_off: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)


def resolving(ticket_id: int, resolution: str | None) -> None:
    """Have everybody lock what has to be locked before the ticket."""
    if resolution is not None:
        ticket_resolving.send("tickets", ticket_id=ticket_id, resolution=resolution)


def resolved(
    ticket: Ticket,
    resolution: str | None,
    verdicts: Mapping[int, str],
    *,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    """Tell those above, and keep what that set off in the entry that was just made of it."""
    sent = ticket_resolved.send(
        "tickets",
        ticket=ticket,
        resolution=resolution,
        verdicts=dict(verdicts),
        user_id=user_id,
        now=now,
    )
    if told := set_off(sent, now):
        asked = {"tenant": required_tenant(), "ticket": ticket.id, "told": json.dumps(told)}
        session().execute(_KEEP, asked)


def reopening(
    ticket_id: int, *, exact: bool, user_id: int | None, now: dt.datetime
) -> Withdrawal | None:
    """Take back what the ticket's resolution set off and what is locked before tickets.

    To be called before the ticket is locked, and :func:`reopened` once it is. None where it is not
    resolved. ``exact``: as if it had never been, else it is taken up again. Whoever raises after
    this has to roll back.
    """
    event = resolution_of(ticket_id)
    if event is None:
        return None
    found: Mapping[str, Any] = (event.detail or {}).get("set_off", {})
    if not found:
        return Withdrawal(event.id)
    sent = ticket_reopening.send(
        "tickets", ticket_id=ticket_id, set_off=found, exact=exact, user_id=user_id, now=now
    )
    return Withdrawal(event.id, found, answered(sent))


def reopened(ticket: Ticket, withdrawal: Withdrawal | None, now: dt.datetime) -> dict[str, Any]:
    """Take back the rest, of the locked ticket; all that was taken back.

    Problem 409 where it is another resolution by now than the one that was taken back.
    """
    event = resolution_of(ticket.id)
    if (event and event.id) != (withdrawal and withdrawal.event_id):
        raise Problem(
            409,
            f"Ticket {ticket.number} has changed at the same moment: look at it as it is now.",
            current_version=ticket.version,
            current_status=ticket.status,
        )
    if withdrawal is None or not withdrawal.set_off:
        return {}
    sent = ticket_reopened.send("tickets", ticket=ticket, set_off=withdrawal.set_off, now=now)
    return joined([withdrawal.told, answered(sent)])


def resolution_of(ticket_id: int) -> TicketEvent | None:
    """The entry by which the ticket is resolved; None where it is open. Not locked. One query."""
    was_open = TicketEvent.old_status.in_(OPEN_STATUSES)
    turned = was_open != TicketEvent.new_status.in_(OPEN_STATUSES)
    query = select(TicketEvent).where(
        TicketEvent.tenant_id == required_tenant(), TicketEvent.ticket_id == ticket_id, turned
    )
    query = query.order_by(TicketEvent.id.desc()).limit(1)
    event = session().scalar(query.execution_options(populate_existing=True))
    return None if event is None or is_open(event.new_status) else event
