"""Tables of alerts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)
from noc.domain import SEVERITIES

STATUSES = ("NEW", "ACKNOWLEDGED", "ASSIGNED", "SHELVED", "RESOLVED")
RESOLUTIONS = ("CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE", "EXPIRED")


class Alert(IntKeyed, Base):
    """Something a detector or a monitor says is wrong (``NOCAlertEvent``).

    At most one alert that is not resolved exists per ``dedup_key``; repeats raise its
    ``suppressed_count`` and ``last_seen_at``. It is muted while it has a ``muted_until``, by the
    suppression window ``muted_by``.
    """

    __tablename__ = "noc_alert_event"

    alert_type: Mapped[str]
    severity: Mapped[str]
    message: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'NEW'"))
    dedup_key: Mapped[str]
    suppressed_count: Mapped[int] = mapped_column(server_default=text("0"))
    entity_type: Mapped[str | None]
    entity_id: Mapped[str | None]
    person_id: Mapped[int | None]
    site_id: Mapped[int | None]
    occurred_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = stored_now()
    last_seen_at: Mapped[dt.datetime]
    acknowledged_at: Mapped[dt.datetime | None]
    acknowledged_by: Mapped[int | None]
    assignee_id: Mapped[int | None]
    shelved_until: Mapped[dt.datetime | None]
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[int | None]
    resolution: Mapped[str | None]
    muted_by: Mapped[int | None]
    muted_until: Mapped[dt.datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(
        "metadata", JSONB, server_default=text("'{}'::jsonb")
    )

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        belongs_to("acknowledged_by", "noc_user", ondelete="SET NULL"),
        belongs_to("assignee_id", "noc_user", ondelete="SET NULL"),
        belongs_to("resolved_by", "noc_user", ondelete="SET NULL"),
        belongs_to("muted_by", "alert_suppression", ondelete="SET NULL"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint(one_of("resolution", RESOLUTIONS), name="resolution"),
        CheckConstraint("(status = 'RESOLVED') = (resolution IS NOT NULL)", name="resolved"),
        Index(
            "uq_noc_alert_event_open",
            "tenant_id",
            "dedup_key",
            unique=True,
            postgresql_where=text("status <> 'RESOLVED'"),
        ),
        index(
            "ix_noc_alert_event_muted",
            "muted_until",
            where="muted_until IS NOT NULL AND status <> 'RESOLVED'",
        ),
        index("ix_noc_alert_event_recent", "occurred_at", "id"),
        index("ix_noc_alert_event_open", "occurred_at", "id", where="status <> 'RESOLVED'"),
        index("ix_noc_alert_event_status", "status", "occurred_at", "id"),
        index("ix_noc_alert_event_person", "person_id", "occurred_at"),
        index("ix_noc_alert_event_site", "site_id", "occurred_at"),
    )


class AlertChange(IntKeyed, Base):
    """One step in an alert's life: who did what, from which status to which, and why.

    ``detail`` holds what the step set: the resolution, the assignee, the end of the shelving,
    the severities it went from and to.
    """

    __tablename__ = "noc_alert_change"

    alert_id: Mapped[int]
    at: Mapped[dt.datetime] = stored_now()
    user_id: Mapped[int | None]
    action: Mapped[str]
    old_status: Mapped[str | None]
    new_status: Mapped[str]
    note: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        tenant_key(),
        belongs_to("alert_id", "noc_alert_event", ondelete="CASCADE"),
        belongs_to("user_id", "noc_user", ondelete="SET NULL"),
        index("ix_noc_alert_change_alert", "alert_id", "id"),
    )
