"""Tables of fraud scoring and of its models."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    TenantScoped,
    UuidKeyed,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)
from noc.domain import RISK_LEVELS, SEVERITIES

LABEL_SOURCES = ("ticket", "review", "audit", "import", "demo")


class PredictionLog(UuidKeyed, Base):
    """What was thought of a punch when it was scored (``FraudPredictionLog``).

    ``features`` is the vector as served, in the order of ``noc.fraud.features.FEATURES``, None
    where missing; empty in the row of a shadow model, which looked at the same vector.
    ``probability`` is what the model alone said (None from the rules), to the last bit;
    ``rule_score`` what the rules alone said. ``actual_fraud_detected`` stays NULL until somebody
    has looked: unreviewed is never genuine. One row per punch that counts, and one per shadow
    model.
    """

    __tablename__ = "fraud_prediction_log"

    attendance_event_id: Mapped[int]
    person_id: Mapped[int]
    site_id: Mapped[int]
    occurred_at: Mapped[dt.datetime]
    predicted_at: Mapped[dt.datetime] = stored_now()
    features: Mapped[list[Any]] = mapped_column(JSONB)
    fraud_score: Mapped[float] = mapped_column(Double)
    probability: Mapped[float | None] = mapped_column(Double)
    rule_score: Mapped[float | None] = mapped_column(Double)
    risk_level: Mapped[str]
    model_type: Mapped[str]
    model_version: Mapped[str]
    is_shadow: Mapped[bool] = mapped_column(server_default=text("false"))
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    actual_fraud_detected: Mapped[bool | None]
    label_source: Mapped[str | None]
    labelled_at: Mapped[dt.datetime | None]
    labelled_by: Mapped[int | None]
    label_note: Mapped[str | None]
    labelled_as: Mapped[str | None]
    overruled: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        tenant_key(),
        belongs_to("attendance_event_id", "attendance_event", ondelete="CASCADE"),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        belongs_to("labelled_by", "noc_user", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "attendance_event_id", "model_version"),
        CheckConstraint("fraud_score BETWEEN 0 AND 1", name="score"),
        CheckConstraint(one_of("risk_level", RISK_LEVELS), name="risk_level"),
        CheckConstraint(one_of("label_source", LABEL_SOURCES), name="label_source"),
        CheckConstraint("(actual_fraud_detected IS NULL) = (labelled_at IS NULL)", name="labelled"),
        Index(
            "uq_fraud_prediction_log_served",
            "tenant_id",
            "attendance_event_id",
            unique=True,
            postgresql_where=text("NOT is_shadow"),
        ),
        index("ix_fraud_prediction_log_person", "person_id", "occurred_at"),
        # The heatmap reads this index alone: a million rows of the table would take seconds.
        Index(
            "ix_fraud_prediction_log_site",
            "tenant_id",
            "site_id",
            "occurred_at",
            postgresql_include=["fraud_score", "attendance_event_id", "is_shadow"],
        ),
        index("ix_fraud_prediction_log_recent", "occurred_at", "fraud_score"),
        index(
            "ix_fraud_prediction_log_labelled",
            "person_id",
            "labelled_at",
            where="actual_fraud_detected IS NOT NULL",
        ),
        # Read alone likewise; of what is reviewed there is little, and it changes for weeks.
        Index(
            "ix_fraud_prediction_log_verdicts",
            "tenant_id",
            "occurred_at",
            postgresql_where=text("actual_fraud_detected IS NOT NULL AND NOT is_shadow"),
            postgresql_include=[
                "site_id",
                "actual_fraud_detected",
                "attendance_event_id",
                "is_shadow",
            ],
        ),
        index("ix_fraud_prediction_log_shadow", "model_version", "occurred_at", where="is_shadow"),
    )


class AnomalyLog(UuidKeyed, Base):
    """What is suspicious about a punch, at most one row a punch (``AttendanceAnomalyLog``)."""

    __tablename__ = "attendance_anomaly_log"

    attendance_event_id: Mapped[int]
    person_id: Mapped[int]
    site_id: Mapped[int]
    occurred_at: Mapped[dt.datetime]
    detected_at: Mapped[dt.datetime] = stored_now()
    anomaly_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    fraud_type: Mapped[str]
    fraud_score: Mapped[float] = mapped_column(Double)
    severity: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    alert_id: Mapped[int | None]
    ticket_id: Mapped[int | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("attendance_event_id", "attendance_event", ondelete="CASCADE"),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        belongs_to("alert_id", "noc_alert_event", ondelete="SET NULL"),
        belongs_to("ticket_id", "ticket", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "attendance_event_id"),
        CheckConstraint("fraud_score BETWEEN 0 AND 1", name="score"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        index("ix_attendance_anomaly_log_person", "person_id", "occurred_at"),
        index("ix_attendance_anomaly_log_site", "site_id", "occurred_at"),
        index("ix_attendance_anomaly_log_ticket", "ticket_id"),
    )


class ScoreDay(TenantScoped, Base):
    """The served scores of a UTC day, packed by column (:mod:`noc.fraud.score_days`).

    ``site_ids`` in order and how many ``punches`` each has (8-byte integers, big-endian), then of
    every punch, site after site, the ``times`` (as ``timestamptz_send``) and ``scores`` (as
    ``float8send``). A day without a punch has empty columns; one that changed has no row.
    """

    __tablename__ = "fraud_score_day"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    site_ids: Mapped[bytes]
    punches: Mapped[bytes]
    times: Mapped[bytes]
    scores: Mapped[bytes]

    __table_args__ = (tenant_key(),)


class BehavioralProfile(TenantScoped, Base):
    """A person's habits over the ``days`` up to ``as_of``.

    ``hour_histogram`` and ``weekday_histogram`` count clock-ins by hour of day (24) and ISO
    weekday (7, Monday first) in the site's time; ``metrics`` holds mean, deviation and count of
    the numeric features, for reasons that compare with the person's own habits.
    """

    __tablename__ = "behavioral_profile"

    person_id: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[dt.datetime]
    days: Mapped[int] = mapped_column(server_default=text("90"))
    punches: Mapped[int]
    hour_histogram: Mapped[list[Any]] = mapped_column(JSONB)
    weekday_histogram: Mapped[list[Any]] = mapped_column(JSONB)
    sites: Mapped[dict[str, Any]]
    devices: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]

    __table_args__ = (tenant_key(), belongs_to("person_id", "person", ondelete="CASCADE"))
