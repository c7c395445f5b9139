"""Tables of who is on call and of what is told to whom until somebody answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import Base, IntKeyed, belongs_to, index, one_of, stored_now, tenant_key
from noc.domain import SEVERITIES
from noc.oncall.rotation import WEEKDAYS

PERIODS = ("daily", "weekly")
STATES = ("active", "answered", "exhausted", "ended")


class OnCallSchedule(IntKeyed, Base):
    """Whose turn it is: ``members`` (users, in order) by a rotation, see ``noc.oncall.rotation``.

    ``handover_time`` is HH:MM by the clocks of ``timezone``.
    """

    __tablename__ = "on_call_schedule"

    name: Mapped[str]
    timezone: Mapped[str]
    rotation: Mapped[str]
    handover_time: Mapped[str]
    handover_weekday: Mapped[str | None]
    starts_on: Mapped[dt.date]
    members: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    created_at: Mapped[dt.datetime] = stored_now()
    updated_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        CheckConstraint(one_of("rotation", PERIODS), name="rotation"),
        CheckConstraint(one_of("handover_weekday", WEEKDAYS), name="handover_weekday"),
        CheckConstraint("(rotation = 'weekly') = (handover_weekday IS NOT NULL)", name="weekly"),
        CheckConstraint("cardinality(members) > 0", name="members"),
        index("uq_on_call_schedule_name", "name", unique=True),
    )


class OnCallOverride(IntKeyed, Base):
    """For a time somebody else is on call; where two overlap, the later made holds."""

    __tablename__ = "on_call_override"

    schedule_id: Mapped[int]
    user_id: Mapped[int]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = stored_now()
    created_by: Mapped[int | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("schedule_id", "on_call_schedule", ondelete="CASCADE"),
        belongs_to("user_id", "noc_user", ondelete="CASCADE"),
        belongs_to("created_by", "noc_user", ondelete="SET NULL"),
        CheckConstraint("starts_at < ends_at", name="order"),
        index("ix_on_call_override_schedule", "schedule_id", "ends_at"),
    )


class EscalationPolicy(IntKeyed, Base):
    """Which alerts are told to whom until somebody answers; of several the first ``position``.

    Empty ``site_ids`` or ``alert_types`` leave nothing out. ``steps`` are a list of
    ``{"after_minutes", "users", "schedules", "routes"}``, ids all of them.
    """

    __tablename__ = "escalation_policy"

    name: Mapped[str]
    position: Mapped[int]
    min_severity: Mapped[str]
    site_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    alert_types: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    steps: Mapped[list[Any]]
    repeats: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = stored_now()
    updated_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        CheckConstraint(one_of("min_severity", SEVERITIES), name="min_severity"),
        CheckConstraint("jsonb_array_length(steps) BETWEEN 1 AND 10", name="steps"),
        CheckConstraint("repeats BETWEEN 0 AND 5", name="repeats"),
        index("uq_escalation_policy_name", "name", unique=True),
    )


class AlertEscalation(IntKeyed, Base):
    """An alert on its way through the steps of a policy: at most one at a time (``active``).

    ``step`` counts the steps taken in this ``round`` (from 1): at ``next_at`` comes the one after
    it, or the end of the list. ``reason`` is the action that ended it.
    """

    __tablename__ = "alert_escalation"

    alert_id: Mapped[int]
    policy_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    round: Mapped[int] = mapped_column(server_default=text("1"))
    step: Mapped[int] = mapped_column(server_default=text("0"))
    begun_at: Mapped[dt.datetime]
    next_at: Mapped[dt.datetime | None]
    last_told_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    answered_by: Mapped[int | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("alert_id", "noc_alert_event", ondelete="CASCADE"),
        belongs_to("policy_id", "escalation_policy", ondelete="SET NULL"),
        belongs_to("answered_by", "noc_user", ondelete="SET NULL"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint(
            "(state = 'active') = (next_at IS NOT NULL)"
            " AND (state = 'active') = (ended_at IS NULL)",
            name="active",
        ),
        index("uq_alert_escalation_active", "alert_id", where="state = 'active'", unique=True),
        index("ix_alert_escalation_due", "next_at", where="state = 'active'"),
        index("ix_alert_escalation_alert", "alert_id", "id"),
        index("ix_alert_escalation_recent", "begun_at", "id"),
    )
