"""Tables of fraud scoring and of its models."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    Index,
    LargeBinary,
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
    where missing. ``actual_fraud_detected`` stays NULL until somebody has looked: unreviewed is
    never genuine. One row per punch that counts, and one per shadow model.
    """

    __tablename__ = "fraud_prediction_log"

    attendance_event_id: Mapped[int]
    person_id: Mapped[int]
    site_id: Mapped[int]
    occurred_at: Mapped[dt.datetime]
    predicted_at: Mapped[dt.datetime] = stored_now()
    features: Mapped[list[Any]] = mapped_column(JSONB)
    fraud_score: Mapped[float] = mapped_column(Double)
    risk_level: Mapped[str]
    model_type: Mapped[str]
    model_version: Mapped[str]
    is_shadow: Mapped[bool] = mapped_column(server_default=text("false"))
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    actual_fraud_detected: Mapped[bool | None]
    label_source: Mapped[str | None]
    labelled_at: Mapped[dt.datetime | None]
    labelled_by: Mapped[int | None]

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
        index("ix_fraud_prediction_log_site", "site_id", "occurred_at"),
        index("ix_fraud_prediction_log_recent", "occurred_at", "fraud_score"),
        index(
            "ix_fraud_prediction_log_labelled",
            "person_id",
            "labelled_at",
            where="actual_fraud_detected IS NOT NULL",
        ),
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


class FraudModel(UuidKeyed, Base):
    """The registry (``FraudDetectionModel``): the row holds the artefact itself.

    Every worker on every host loads these bytes and checks them against ``artefact_sha256``.
    """

    __tablename__ = "fraud_detection_model"

    version: Mapped[str]
    model_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'shadow'"))
    artefact: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    artefact_sha256: Mapped[str]
    features: Mapped[list[str]] = mapped_column(ARRAY(Text))
    thresholds: Mapped[dict[str, Any]]
    calibration: Mapped[dict[str, Any]]
    train_samples: Mapped[int]
    class_imbalance_ratio: Mapped[float | None] = mapped_column(Double)
    pr_auc: Mapped[float | None] = mapped_column(Double)
    precision_at_80_recall: Mapped[float | None] = mapped_column(Double)
    is_active: Mapped[bool] = mapped_column(server_default=text("false"))
    activated_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = stored_now()
    note: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("tenant_id", "version"),
        CheckConstraint(
            one_of("status", ("shadow", "active", "retired", "rejected")), name="status"
        ),
        CheckConstraint("is_active = (status = 'active')", name="active"),
        Index(
            "uq_fraud_detection_model_active",
            "tenant_id",
            unique=True,
            postgresql_where=text("is_active"),
        ),
    )


class ModelMetrics(UuidKeyed, Base):
    """One evaluation of a model (``MLModelMetrics``): holdout, live or backtest."""

    __tablename__ = "noc_ml_model_metrics"

    model_id: Mapped[uuid.UUID | None]
    model_version: Mapped[str]
    kind: Mapped[str]
    evaluated_at: Mapped[dt.datetime] = stored_now()
    window_start: Mapped[dt.datetime]
    window_end: Mapped[dt.datetime]
    samples: Mapped[int]
    positives: Mapped[int]
    threshold: Mapped[float] = mapped_column(Double)
    precision: Mapped[float | None] = mapped_column(Double)
    recall: Mapped[float | None] = mapped_column(Double)
    f1: Mapped[float | None] = mapped_column(Double)
    pr_auc: Mapped[float | None] = mapped_column(Double)
    brier: Mapped[float | None] = mapped_column(Double)
    psi: Mapped[float | None] = mapped_column(Double)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        tenant_key(),
        belongs_to("model_id", "fraud_detection_model", ondelete="CASCADE"),
        CheckConstraint(one_of("kind", ("holdout", "live", "backtest")), name="kind"),
        index("ix_noc_ml_model_metrics_version", "model_version", "evaluated_at"),
    )
