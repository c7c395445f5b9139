"""Tables of suppression windows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
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
from noc.domain import SEVERITIES


class Suppression(IntKeyed, Base):
    """A window: alerts that are raised in it, and that it is about, are stored muted.

    Either once, from ``starts_at`` to ``ends_at``, or again and again: ``rrule`` (RFC 5545)
    counted from ``starts_on``, each time at ``start_time`` (HH:MM) by the clocks of ``timezone``
    for ``duration_minutes`` of elapsed time. Its times up to ``prepared_until`` are spans.
    """

    __tablename__ = "alert_suppression"

    name: Mapped[str]
    reason: Mapped[str]
    site_id: Mapped[int | None]
    alert_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    least_severity: Mapped[str | None]
    most_severity: Mapped[str | None]
    include_critical: Mapped[bool] = mapped_column(server_default=text("false"))
    include_sos: Mapped[bool] = mapped_column(server_default=text("false"))
    starts_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    rrule: Mapped[str | None]
    starts_on: Mapped[dt.date | None]
    start_time: Mapped[str | None]
    duration_minutes: Mapped[int | None]
    timezone: Mapped[str]
    prepared_until: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = stored_now()
    created_by: Mapped[int | None]
    cancelled_at: Mapped[dt.datetime | None]
    cancelled_by: Mapped[int | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        belongs_to("created_by", "noc_user", ondelete="SET NULL"),
        belongs_to("cancelled_by", "noc_user", ondelete="SET NULL"),
        CheckConstraint(one_of("least_severity", SEVERITIES), name="least_severity"),
        CheckConstraint(one_of("most_severity", SEVERITIES), name="most_severity"),
        CheckConstraint(
            "CASE WHEN rrule IS NULL THEN starts_at < ends_at"
            " AND num_nonnulls(starts_at, ends_at) = 2"
            " AND num_nonnulls(starts_on, start_time, duration_minutes) = 0"
            " ELSE num_nonnulls(starts_at, ends_at) = 0"
            " AND num_nonnulls(starts_on, start_time, duration_minutes) = 3 END",
            name="once_or_again",
        ),
        index("ix_alert_suppression_recent", "created_at", "id"),
    )


class SuppressionSpan(TenantScoped, Base):
    """One time of a window in UTC, the end excluded: what an alert's moment is compared with."""

    __tablename__ = "alert_suppression_span"

    suppression_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[dt.datetime]

    __table_args__ = (
        tenant_key(),
        ForeignKeyConstraint(
            ["tenant_id", "suppression_id"],
            ["alert_suppression.tenant_id", "alert_suppression.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("starts_at < ends_at", name="order"),
        index("ix_alert_suppression_span_start", "starts_at"),
    )
