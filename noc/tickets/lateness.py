"""Tickets whose time is over are said to be overdue, once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.tickets.history import Change, record_all
from noc.tickets.models import RUNNING_STATUSES, Ticket


def mark_overdue(*, now: dt.datetime, limit: int = 1000) -> int:
    """Say of up to ``limit`` tickets of the tenant that they are overdue; how many.

    Each is told once (``ticket_overdue``), and again where it was given more time meanwhile. What
    is on hold is not late, however long. What another process has locked is left for the next
    time. A constant number of statements; the caller commits.
    """
    late = session().scalars(
        select(Ticket)
        .where(
            Ticket.tenant_id == required_tenant(),
            Ticket.status.in_(RUNNING_STATUSES),
            Ticket.due_at <= now,
            Ticket.overdue_at.is_(None),
        )
        .order_by(Ticket.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    tickets = late.all()
    if not tickets:
        return 0
    session().execute(
        update(Ticket)
        .where(
            Ticket.tenant_id == required_tenant(), Ticket.id.in_([ticket.id for ticket in tickets])
        )
        .values(overdue_at=now)
        .execution_options(synchronize_session="evaluate")
    )
    changes = [Change(ticket, "overdue", ticket.status) for ticket in tickets]
    record_all(changes, user_id=None, now=now)
    return len(tickets)
