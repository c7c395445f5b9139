"""Reading tickets: lists, and one with its evidence and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, select
from sqlalchemy.orm import aliased

from noc.database.tenancy import required_tenant
from noc.events.targets import Place
from noc.extensions import session
from noc.identity.models import User
from noc.rest.keyset import Key, Page, newest_first, page_of
from noc.tickets import clock
from noc.tickets.models import OPEN_STATUSES, Ticket, TicketEvent, TicketEvidence
from noc.tickets.schemas import TicketFilters
from noc.workforce.models import Person, Site

_Assignee = aliased(User, name="assignee")
_Creator = aliased(User, name="creator")


def shown(now: dt.datetime) -> tuple[Any, ...]:
    """What a list tells of each ticket; how it stands with its time is as of ``now``."""
    return (
        Ticket.id,
        Ticket.number,
        Ticket.version,
        Ticket.title,
        Ticket.priority,
        Ticket.category,
        Ticket.source,
        Ticket.status,
        Ticket.resolution,
        Ticket.assignee_id,
        _Assignee.name.label("assignee_name"),
        Ticket.site_id,
        Site.name.label("site_name"),
        Ticket.person_id,
        Person.name.label("person_name"),
        Ticket.due_at,
        clock.standing(now).label("sla"),
        cast(clock.remaining(now), BigInteger).label("remaining_seconds"),
        Ticket.created_at,
        Ticket.updated_at,
        Ticket.resolved_at,
    )


def list_tickets(
    filters: TicketFilters,
    *,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    limit: int = 50,
    after: Key | None = None,
) -> Page:
    """A page of tickets, latest first, without description and metadata. One query.

    ``sla`` and ``remaining_seconds`` are those of ``now``. ``site_ids``: the sites whoever asks is
    limited to, None for all.
    """
    query = filtered(visible(shown(now), site_ids), filters, now)
    query = newest_first(query, Ticket.created_at, Ticket.id, limit=limit, after=after)
    rows = [dict(row) for row in session().execute(query).mappings()]
    return page_of(rows, "created_at", limit=limit)


def find_ticket(
    ticket_id: int, *, now: dt.datetime, site_ids: Collection[int] | None = None
) -> dict[str, Any] | None:
    """A ticket with description, metadata, evidence and history; None if it is not to be seen.

    Evidence and history are oldest first.
    """
    columns = (
        *shown(now),
        cast(clock.stood(now), BigInteger).label("paused_seconds"),
        Ticket.due_given,
        Ticket.overdue_at,
        Ticket.description,
        Ticket.created_by,
        _Creator.name.label("created_by_name"),
        Ticket.detail.label("metadata"),
    )
    query = (
        visible(columns, site_ids)
        .outerjoin(
            _Creator, (_Creator.tenant_id == Ticket.tenant_id) & (_Creator.id == Ticket.created_by)
        )
        .where(Ticket.id == ticket_id)
    )
    row = session().execute(query).mappings().one_or_none()
    if row is None:
        return None
    return {**row, "evidence": _evidence(ticket_id), "history": _history(ticket_id)}


def ticket_place(ticket_id: int) -> Place | None:
    """Where the ticket stands; None if there is none."""
    row = session().execute(
        select(Ticket.site_id).where(Ticket.tenant_id == required_tenant(), Ticket.id == ticket_id)
    )
    found = row.one_or_none()
    return None if found is None else Place(found.site_id)


def _evidence(ticket_id: int) -> list[dict[str, Any]]:
    rows = session().execute(
        select(
            TicketEvidence.kind,
            TicketEvidence.ref,
            TicketEvidence.added_at,
            TicketEvidence.note,
        )
        .where(TicketEvidence.tenant_id == required_tenant(), TicketEvidence.ticket_id == ticket_id)
        .order_by(TicketEvidence.added_at, TicketEvidence.kind, TicketEvidence.ref)
    )
    return [dict(row) for row in rows.mappings()]


def _history(ticket_id: int) -> list[dict[str, Any]]:
    rows = session().execute(
        select(
            TicketEvent.at,
            TicketEvent.action,
            TicketEvent.old_status,
            TicketEvent.new_status,
            TicketEvent.user_id,
            User.name.label("user_name"),
            TicketEvent.comment,
            TicketEvent.detail,
        )
        .outerjoin(
            User, (User.tenant_id == TicketEvent.tenant_id) & (User.id == TicketEvent.user_id)
        )
        .where(TicketEvent.tenant_id == required_tenant(), TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.id)
    )
    return [dict(row) for row in rows.mappings()]


def visible(columns: Sequence[Any], site_ids: Collection[int] | None) -> Select[Any]:
    """The tenant's tickets with the names that :func:`shown` tells, as far as they are seen."""
    query = (
        select(*columns)
        .select_from(Ticket)
        .outerjoin(Person, (Person.tenant_id == Ticket.tenant_id) & (Person.id == Ticket.person_id))
        .outerjoin(Site, (Site.tenant_id == Ticket.tenant_id) & (Site.id == Ticket.site_id))
        .outerjoin(
            _Assignee,
            (_Assignee.tenant_id == Ticket.tenant_id) & (_Assignee.id == Ticket.assignee_id),
        )
        .where(Ticket.tenant_id == required_tenant())
    )
    return query if site_ids is None else query.where(Ticket.site_id.in_(site_ids))


def filtered(query: Select[Any], filters: TicketFilters, now: dt.datetime) -> Select[Any]:
    """What the filters keep."""
    for name in ("status", "category", "priority", "source", "resolution", "site_id"):
        if wanted := getattr(filters, name):
            query = query.where(getattr(Ticket, name).in_(wanted))
    for name in ("person_id", "assignee_id", "number"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(getattr(Ticket, name) == value)
    return query.where(*_of_time(filters, now))


def _of_time(filters: TicketFilters, now: dt.datetime) -> Iterator[ColumnElement[bool]]:
    if filters.open is not None:
        is_open = Ticket.status.in_(OPEN_STATUSES)
        yield is_open if filters.open else ~is_open
    if filters.sla:
        yield clock.standing(now).in_(filters.sla)
        if not {"none", "met", "missed"} & set(filters.sla):
            # The expression says so too, but not to the planner, who knows an index over the open.
            yield Ticket.status.in_(OPEN_STATUSES)
    if filters.due_before is not None:
        yield Ticket.due_at < filters.due_before
    if filters.since is not None:
        yield Ticket.created_at >= filters.since
    if filters.until is not None:
        yield Ticket.created_at < filters.until
