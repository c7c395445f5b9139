"""Tables of findings and baselines."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Double, UniqueConstraint, text
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

CATEGORIES = ("DEVICE_HEALTH", "OPERATIONAL", "COMPLIANCE", "SAFETY", "SECURITY")
STATUSES = ("NEW", "ACKNOWLEDGED", "RESOLVED")
RESOLUTIONS = ("CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE", "EXPIRED")
METRICS = (
    "phone_events_count",
    "location_updates_count",
    "movement_distance_meters",
    "tasks_completed_count",
    "tour_checkpoints_scanned",
)
LEVELS = ("hour_of_week", "hour_of_day", "all")


class Finding(IntKeyed, Base):
    """What an audit cycle found (``AuditFinding``): one per person, type and window.

    A ``self_closing`` one says that something is so at this moment (a phone is silent): there is
    at most one open per person and type, and it is resolved when that is no longer so.
    """

    __tablename__ = "audit_finding"

    finding_type: Mapped[str]
    category: Mapped[str]
    severity: Mapped[str]
    title: Mapped[str]
    site_id: Mapped[int | None]
    person_id: Mapped[int | None]
    subject: Mapped[str]
    window_start: Mapped[dt.datetime]
    window_end: Mapped[dt.datetime]
    evidence: Mapped[dict[str, Any]]
    evidence_summary: Mapped[str]
    alert_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default=text("'NEW'"))
    resolution: Mapped[str | None]
    detected_at: Mapped[dt.datetime] = stored_now()
    acknowledged_at: Mapped[dt.datetime | None]
    acknowledged_by: Mapped[int | None]
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[int | None]
    resolution_note: Mapped[str | None]
    self_closing: Mapped[bool] = mapped_column(server_default=text("false"))
    escalated_to_ticket: Mapped[bool] = mapped_column(server_default=text("false"))
    escalation_ticket_id: Mapped[int | None]
    escalated_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site"),
        belongs_to("person_id", "person"),
        belongs_to("alert_id", "noc_alert_event", ondelete="SET NULL"),
        belongs_to("acknowledged_by", "noc_user", ondelete="SET NULL"),
        belongs_to("resolved_by", "noc_user", ondelete="SET NULL"),
        belongs_to("escalation_ticket_id", "ticket", ondelete="SET NULL"),
        # ``subject`` is "person:<id>" or "site:<id>": a unique key may not rest on NULLs.
        UniqueConstraint("tenant_id", "subject", "finding_type", "window_start"),
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint(one_of("resolution", RESOLUTIONS), name="resolution"),
        CheckConstraint("window_end > window_start", name="span"),
        index(
            "uq_audit_finding_self_closing",
            "subject",
            "finding_type",
            where="self_closing AND status <> 'RESOLVED'",
            unique=True,
        ),
        index("ix_audit_finding_open", "finding_type", where="status <> 'RESOLVED'"),
        index("ix_audit_finding_recent", "detected_at", "id"),
        index("ix_audit_finding_site", "site_id", "detected_at"),
        index("ix_audit_finding_person", "person_id", "detected_at"),
        index("ix_audit_finding_alert", "alert_id"),
        index("ix_audit_finding_ticket", "escalation_ticket_id"),
    )


class BaselineProfile(IntKeyed, Base):
    """What is usual for a metric on a site, at one level and one slot of it.

    ``slot`` is the hour of the week (0 is Monday 00:00), the hour of the day, or 0, in the
    site's time. ``m2`` is the sum of squared differences from the mean (Welford 1962), from
    which ``std_dev`` follows; ``sample_count`` guards per completed hour.
    """

    __tablename__ = "baseline_profile"

    site_id: Mapped[int]
    metric_type: Mapped[str]
    level: Mapped[str]
    slot: Mapped[int]
    mean: Mapped[float] = mapped_column(Double, server_default=text("0"))
    m2: Mapped[float] = mapped_column(Double, server_default=text("0"))
    std_dev: Mapped[float] = mapped_column(Double, server_default=text("0"))
    sample_count: Mapped[int] = mapped_column(server_default=text("0"))
    first_sample_at: Mapped[dt.datetime | None]
    last_sample_at: Mapped[dt.datetime | None]
    is_stable: Mapped[bool] = mapped_column(server_default=text("false"))
    false_positive_rate: Mapped[float] = mapped_column(Double, server_default=text("0"))
    dynamic_threshold: Mapped[float] = mapped_column(Double, server_default=text("3.0"))
    pinned_threshold: Mapped[float | None] = mapped_column(Double)
    last_threshold_update: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "site_id", "metric_type", "level", "slot"),
        CheckConstraint(one_of("metric_type", METRICS), name="metric_type"),
        CheckConstraint(one_of("level", LEVELS), name="level"),
        CheckConstraint("false_positive_rate BETWEEN 0 AND 1", name="false_positive_rate"),
        CheckConstraint("dynamic_threshold BETWEEN 1.5 AND 5.0", name="dynamic_threshold"),
        CheckConstraint("pinned_threshold > 0", name="pinned_threshold"),
    )


class BaselineHour(TenantScoped, Base):
    """An hour of a site that its baselines have been fed with: no hour feeds twice."""

    __tablename__ = "baseline_hour"

    site_id: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[dt.datetime] = mapped_column(primary_key=True)
    samples: Mapped[int]
    fed_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (tenant_key(), belongs_to("site_id", "site", ondelete="CASCADE"))


BASELINE_ACTIONS = ("tuned", "pinned", "unpinned", "reset")


class BaselineChange(IntKeyed, Base):
    """A change of a baseline's threshold: when, by whom (None: the weekly tuning), and why.

    Thresholds are the ones in force, in standard deviations.
    """

    __tablename__ = "baseline_change"

    baseline_id: Mapped[int]
    at: Mapped[dt.datetime] = stored_now()
    user_id: Mapped[int | None]
    action: Mapped[str]
    old_threshold: Mapped[float] = mapped_column(Double)
    new_threshold: Mapped[float] = mapped_column(Double)
    old_false_positive_rate: Mapped[float] = mapped_column(Double)
    new_false_positive_rate: Mapped[float] = mapped_column(Double)
    reason: Mapped[str]

    __table_args__ = (
        tenant_key(),
        belongs_to("baseline_id", "baseline_profile", ondelete="CASCADE"),
        belongs_to("user_id", "noc_user", ondelete="SET NULL"),
        CheckConstraint(one_of("action", BASELINE_ACTIONS), name="action"),
        index("ix_baseline_change_baseline", "baseline_id", "at"),
    )
