"""Tables of the event log."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Double, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import Base, TenantScoped, index, stored_now, tenant_key


class EventCounter(TenantScoped, Base):
    """The last ``seq`` given out in a tenant. Its row lock makes ``seq`` gapless."""

    __tablename__ = "noc_event_counter"

    last_seq: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (tenant_key(),)


class EventLog(TenantScoped, Base):
    """What happened, in commit order. The feed tells it; the log is the truth.

    The ids of alert, finding, ticket and incident are for searching; they are no foreign keys,
    since the log outlives what it tells of. ``broadcast_latency_ms`` is from the commit to the
    first socket, ``recipient_count`` over all web processes.
    """

    __tablename__ = "noc_event_log"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    event_type: Mapped[str]
    site_id: Mapped[int | None]
    payload: Mapped[dict[str, Any]]
    alert_id: Mapped[int | None]
    finding_id: Mapped[int | None]
    ticket_id: Mapped[int | None]
    incident_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = stored_now()
    broadcast_at: Mapped[dt.datetime | None]
    broadcast_latency_ms: Mapped[float | None] = mapped_column(Double)
    broadcast_success: Mapped[bool | None]
    recipient_count: Mapped[int | None]
    error_message: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        index("ix_noc_event_log_created", "created_at"),
        index("ix_noc_event_log_alert", "alert_id", where="alert_id IS NOT NULL"),
        index("ix_noc_event_log_ticket", "ticket_id", where="ticket_id IS NOT NULL"),
    )
