"""Tables of the random audits: which punches were drawn, of how many."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Double
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import Base, TenantScoped, belongs_to, index, stored_now, tenant_key


class AuditDay(TenantScoped, Base):
    """A day (UTC) whose random audits were drawn: once, whoever comes first."""

    __tablename__ = "fraud_audit_day"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    population: Mapped[int]
    drawn: Mapped[int]
    drawn_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (tenant_key(),)


class AuditDraw(TenantScoped, Base):
    """A punch drawn at random for review; ``inclusion_probability`` is what its chance was."""

    __tablename__ = "fraud_audit_draw"

    attendance_event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    site_id: Mapped[int]
    occurred_at: Mapped[dt.datetime]
    drawn_at: Mapped[dt.datetime] = stored_now()
    inclusion_probability: Mapped[float] = mapped_column(Double)

    __table_args__ = (
        tenant_key(),
        belongs_to("attendance_event_id", "attendance_event", ondelete="CASCADE"),
        belongs_to("site_id", "site"),
        CheckConstraint(
            "inclusion_probability > 0 AND inclusion_probability <= 1", name="probability"
        ),
        index("ix_fraud_audit_draw_time", "occurred_at"),
    )
