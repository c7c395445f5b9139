"""By when a ticket is to be done: a clock that stands while nobody can work on it.

A ticket has so many hours from its opening, by its priority and its site's settings, or until the
moment that somebody gave it. The clock runs while it is NEW, ASSIGNED or IN_PROGRESS. It stands
while it is ON_HOLD, and from its resolution on; where it goes on, ``due_at`` moves by as long as it
stood. So ``due_at`` is always the moment that counts, and nothing has to be added up to compare it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, literal

from noc.database.tenancy import required_tenant
from noc.identity.site_settings import SiteSettings, read_site_settings
from noc.settings import Settings
from noc.tickets.models import OPEN_STATUSES, RUNNING_STATUSES, Ticket

HOURS = {
    "HIGH": "ticket_due_hours_high",
    "MEDIUM": "ticket_due_hours_medium",
    "LOW": "ticket_due_hours_low",
}
"""The setting that says how many hours a ticket of a priority has."""

AT_RISK = 0.25
"""At risk is what has less than this share of its time left."""


def read_hours() -> SiteSettings:
    """The hours of each priority, as they hold at the tenant's sites. One query."""
    return read_site_settings(required_tenant(), tuple(HOURS.values()))


def hours_at(config: SiteSettings, site_id: int | None, priority: str) -> float:
    """Hours that a ticket of this priority has, of a site or of none."""
    here: Settings = config.tenant if site_id is None else config.at(site_id)
    return float(getattr(here, HOURS[priority]))


def due_by_priority(ticket: Ticket, priority: str, config: SiteSettings) -> dt.datetime:
    """By when it is to be done with this priority, the time that its clock stood not counted."""
    hours = hours_at(config, ticket.site_id, priority)
    return ticket.created_at + dt.timedelta(hours=hours, seconds=ticket.paused_seconds)


def keep_time(ticket: Ticket, now: dt.datetime) -> None:
    """Stop or start the clock, as the status asks that the ticket has come to."""
    runs = ticket.status in RUNNING_STATUSES
    if not runs and ticket.clock_stopped_at is None:
        ticket.clock_stopped_at = now
    elif runs and ticket.clock_stopped_at is not None:
        stood = max(now - ticket.clock_stopped_at, dt.timedelta(0))
        ticket.clock_stopped_at = None
        ticket.paused_seconds += stood.total_seconds()
        if ticket.due_at is not None:
            ticket.due_at += stood


def set_due(ticket: Ticket, due_at: dt.datetime | None, now: dt.datetime) -> None:
    """Give it another time; what is in time again can become overdue again."""
    ticket.due_at = due_at
    if due_at is None or due_at > (ticket.clock_stopped_at or now):
        ticket.overdue_at = None


def standing(now: dt.datetime) -> ColumnElement[str]:
    """How a ticket stands with its time, in SQL.

    ``none`` (it has no time, or was cancelled), ``met`` and ``missed`` (it is resolved),
    ``overdue``, ``paused`` (on hold, in time), ``at_risk`` (a quarter of its time is left, or
    less), ``on_time``.
    """
    stands_at = _stands_at(now)
    in_time = Ticket.due_at > stands_at
    given = _seconds(Ticket.due_at - Ticket.created_at) - Ticket.paused_seconds
    left = _seconds(Ticket.due_at - stands_at)
    return case(
        (Ticket.due_at.is_(None) | (Ticket.status == "CANCELLED"), "none"),
        (Ticket.status.not_in(OPEN_STATUSES), case((in_time, "met"), else_="missed")),
        (~in_time, "overdue"),
        (Ticket.status == "ON_HOLD", "paused"),
        (left <= AT_RISK * given, "at_risk"),
        else_="on_time",
    )


def remaining(now: dt.datetime) -> ColumnElement[Any]:
    """Whole seconds left, in SQL; below zero where it is late, NULL where it has no time."""
    return func.floor(_seconds(Ticket.due_at - _stands_at(now)))


def stood(now: dt.datetime) -> ColumnElement[Any]:
    """Whole seconds that an open ticket's clock has stood, in SQL, this time included."""
    this_time = case(
        (Ticket.status.in_(OPEN_STATUSES), _seconds(literal(now) - Ticket.clock_stopped_at)),
    )
    return func.floor(Ticket.paused_seconds + func.greatest(func.coalesce(this_time, 0), 0))


def _stands_at(now: dt.datetime) -> ColumnElement[dt.datetime]:
    return func.coalesce(Ticket.clock_stopped_at, literal(now))


def _seconds(interval: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", interval)
