"""Tables of tickets."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    TenantScoped,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)

OPEN_STATUSES = ("NEW", "ASSIGNED", "IN_PROGRESS", "ON_HOLD")
RUNNING_STATUSES = ("NEW", "ASSIGNED", "IN_PROGRESS")
"""Those in which a ticket's clock runs."""
STATUSES = (*OPEN_STATUSES, "RESOLVED", "CLOSED", "CANCELLED")
RESOLUTIONS = ("CONFIRMED", "FALSE_POSITIVE", "INCONCLUSIVE", "DUPLICATE", "FIXED")
PRIORITIES = ("LOW", "MEDIUM", "HIGH")
EVIDENCE_KINDS = ("punch", "finding", "alert", "incident")


class Ticket(IntKeyed, Base):
    """Work for a person. ``number`` is what people say, unique in the tenant.

    ``version`` counts its changes. ``due_at`` is the moment that counts now, see
    ``noc.tickets.clock``: ``due_given`` by a person, else by the priority. ``clock_stopped_at``:
    since when the clock stands, None while it runs; ``paused_seconds``: how long it stood before.
    ``overdue_at``: when it was said that it is late.
    """

    __tablename__ = "ticket"

    number: Mapped[str]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    priority: Mapped[str]
    category: Mapped[str]
    source: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'NEW'"))
    resolution: Mapped[str | None]
    assignee_id: Mapped[int | None]
    site_id: Mapped[int | None]
    person_id: Mapped[int | None]
    due_at: Mapped[dt.datetime | None]
    due_given: Mapped[bool] = mapped_column(server_default=text("false"))
    clock_stopped_at: Mapped[dt.datetime | None]
    paused_seconds: Mapped[float] = mapped_column(server_default=text("0"))
    overdue_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[dt.datetime] = stored_now()
    created_by: Mapped[int | None]
    updated_at: Mapped[dt.datetime] = stored_now()
    resolved_at: Mapped[dt.datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(
        "metadata", JSONB, server_default=text("'{}'::jsonb")
    )

    __table_args__ = (
        tenant_key(),
        belongs_to("assignee_id", "noc_user", ondelete="SET NULL"),
        belongs_to("created_by", "noc_user", ondelete="SET NULL"),
        belongs_to("site_id", "site"),
        belongs_to("person_id", "person"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint(one_of("priority", PRIORITIES), name="priority"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint(one_of("resolution", RESOLUTIONS), name="resolution"),
        index("ix_ticket_recent", "created_at", "id"),
        index("ix_ticket_status", "status", "created_at", "id"),
        index("ix_ticket_person", "person_id", "created_at"),
        index("ix_ticket_site", "site_id", "created_at"),
        index("ix_ticket_assignee", "assignee_id", "status"),
        index("ix_ticket_due", "due_at", where=one_of("status", OPEN_STATUSES)),
    )


class TicketEvent(IntKeyed, Base):
    """Every change of a ticket: status, assignee, comment, evidence."""

    __tablename__ = "ticket_event"

    ticket_id: Mapped[int]
    at: Mapped[dt.datetime] = stored_now()
    user_id: Mapped[int | None]
    action: Mapped[str]
    old_status: Mapped[str | None]
    new_status: Mapped[str]
    comment: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        tenant_key(),
        belongs_to("ticket_id", "ticket", ondelete="CASCADE"),
        belongs_to("user_id", "noc_user", ondelete="SET NULL"),
        index("ix_ticket_event_ticket", "ticket_id", "id"),
    )


class TicketEvidence(TenantScoped, Base):
    """What a ticket is about: punches, findings, alerts, incidents, each linked once.

    ``ref`` is the id in its own table, as text, since incidents are numbered by UUID.
    """

    __tablename__ = "ticket_evidence"

    ticket_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[dt.datetime] = stored_now()
    note: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("ticket_id", "ticket", ondelete="CASCADE"),
        CheckConstraint(one_of("kind", EVIDENCE_KINDS), name="kind"),
        index("ix_ticket_evidence_ref", "kind", "ref"),
    )


class TicketSlot(TenantScoped, Base):
    """The deduplication slot: whoever takes it by a conditional upsert opens the ticket.

    The upsert asks this row's own ``expires_at``, never the ticket table: a sub-query there
    would keep its old snapshot and let two openers through. Leaving an open state sets
    ``expires_at`` in the same transaction.
    """

    __tablename__ = "ticket_slot"

    slot: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None]
    expires_at: Mapped[dt.datetime]

    __table_args__ = (
        tenant_key(),
        belongs_to("ticket_id", "ticket", ondelete="SET NULL"),
        index("ix_ticket_slot_ticket", "ticket_id"),
    )


class TicketCounter(TenantScoped, Base):
    """The last ticket number given out in a tenant."""

    __tablename__ = "ticket_counter"

    last_number: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (tenant_key(),)
