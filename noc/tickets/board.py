"""Tickets by what is to be done next: what is due first, the columns of a board, and counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import case, false, func, select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.tickets import clock
from noc.tickets.models import OPEN_STATUSES, Ticket
from noc.tickets.queries import filtered, shown, visible
from noc.tickets.schemas import TicketFilters

COLUMNS: dict[str, tuple[str, ...]] = {
    "waiting": ("NEW", "ASSIGNED"),
    "working": ("IN_PROGRESS",),
    "on_hold": ("ON_HOLD",),
    "resolved": ("RESOLVED",),
}
"""The columns of the board, by the statuses that stand in each."""

RESOLVED_FOR = dt.timedelta(hours=24)
"""How long the board keeps what is resolved."""


def list_due(
    filters: TicketFilters,
    *,
    now: dt.datetime,
    limit: int,
    site_ids: Collection[int] | None = None,
) -> list[dict[str, Any]]:
    """The tickets that are due first, as lists show them. One query.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    query = filtered(visible(shown(now), site_ids), filters, now)
    rows = session().execute(query.order_by(Ticket.due_at.nulls_last(), Ticket.id).limit(limit))
    return [dict(row) for row in rows.mappings()]


def board(
    filters: TicketFilters,
    *,
    now: dt.datetime,
    limit: int,
    site_ids: Collection[int] | None = None,
) -> dict[str, dict[str, Any]]:
    """The board's columns: ``count`` of each, and ``tickets``, the first ``limit``. One query.

    Open ones by when they are due; those resolved in the last :data:`RESOLVED_FOR`, latest first.
    """
    column = case(*((Ticket.status.in_(found), name) for name, found in COLUMNS.items()))
    resolved_at = case((Ticket.status == "RESOLVED", Ticket.resolved_at))
    order = (resolved_at.desc().nulls_last(), Ticket.due_at.nulls_last(), Ticket.id)
    placed = (
        column.label("board_column"),
        func.row_number().over(partition_by=column, order_by=order).label("board_place"),
        func.count().over(partition_by=column).label("board_count"),
    )
    rows = filtered(visible((*shown(now), *placed), site_ids), filters, now).where(
        Ticket.status.in_(OPEN_STATUSES)
        | ((Ticket.status == "RESOLVED") & (Ticket.resolved_at > now - RESOLVED_FOR))
    )
    inner = rows.subquery()
    found = session().execute(
        select(inner).where(inner.c.board_place <= limit).order_by(inner.c.board_place)
    )
    columns: dict[str, dict[str, Any]] = {name: {"count": 0, "tickets": []} for name in COLUMNS}
    for row in found.mappings():
        ticket = dict(row)
        here = columns[ticket.pop("board_column")]
        here["count"] = ticket.pop("board_count")
        del ticket["board_place"]
        here["tickets"].append(ticket)
    return columns


def open_counts(
    filters: TicketFilters,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> dict[str, int]:
    """Of the open tickets that the filters keep: all, ``overdue``, ``at_risk``, ``mine``.

    One query. ``mine`` are those of ``user_id``.
    """
    standing = clock.standing(now)
    # Nobody's tickets are not those of whoever is no user.
    mine = false() if user_id is None else Ticket.assignee_id == user_id
    counted: tuple[Any, ...] = (
        func.count().label("open"),
        func.count().filter(standing == "overdue").label("overdue"),
        func.count().filter(standing == "at_risk").label("at_risk"),
        func.count().filter(mine).label("mine"),
    )
    query = select(*counted).where(
        Ticket.tenant_id == required_tenant(), Ticket.status.in_(OPEN_STATUSES)
    )
    if site_ids is not None:
        query = query.where(Ticket.site_id.in_(site_ids))
    return dict(session().execute(filtered(query, filters, now)).mappings().one())
