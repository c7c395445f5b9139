"""What the feed is told about a ticket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.domain import Severity
from noc.events.log import emit
from noc.events.news import News, NewsKind
from noc.extensions import session
from noc.identity.models import User
from noc.tickets.models import Ticket


def announce_tickets(
    changes: Iterable[tuple[Ticket, str | None, str]],
) -> None:
    """Log ``ticket_updated`` for each ticket, the status it had (None for a new one), the action.

    In the fields of the feed's frame; ``assignee`` is the user's name. One query.
    """
    known = list(changes)
    names = assignee_names(ticket.assignee_id for ticket, _, _ in known)
    for ticket, old_status, action in known:
        emit(
            "ticket_updated",
            {
                "ticket_id": ticket.id,
                "ticket_number": ticket.number,
                "title": ticket.title,
                "person_id": ticket.person_id,
                "old_status": old_status,
                "new_status": ticket.status,
                "priority": ticket.priority,
                "category": ticket.category,
                "assignee_id": ticket.assignee_id,
                "assignee": names.get(ticket.assignee_id or 0),
                "due_at": ticket.due_at,
                "version": ticket.version,
                "updated_at": ticket.updated_at,
            },
            tenant_id=required_tenant(),
            site_id=ticket.site_id,
            ticket_id=ticket.id,
            news=_news(ticket, action),
        )


_NEWS: dict[str, NewsKind] = {
    "opened": "ticket_opened",
    "assign": "ticket_assigned",
    "overdue": "ticket_overdue",
}


def _news(ticket: Ticket, action: str) -> News | None:
    kind = _NEWS.get(action)
    return News(kind, cast(Severity, ticket.priority)) if kind else None


def assignee_names(user_ids: Iterable[int | None]) -> dict[int, str]:
    """Names of users by id; no query where nobody is asked for."""
    wanted = sorted({key for key in user_ids if key is not None})
    if not wanted:
        return {}
    rows = session().execute(
        select(User.id, User.name).where(User.tenant_id == required_tenant(), User.id.in_(wanted))
    )
    return {row.id: row.name for row in rows}
