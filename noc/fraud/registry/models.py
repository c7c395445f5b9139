"""Tables of the models: the registry and the evaluations."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Double, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import Base, UuidKeyed, belongs_to, index, one_of, stored_now, tenant_key

STATUSES = ("shadow", "active", "retired", "rejected")
"""A shadow watches, the active one scores, a retired one was active or a shadow once, a rejected

one did not pass the gate.
"""

_EMPTY = text("'{}'::jsonb")


class FraudModel(UuidKeyed, Base):
    """The registry (``FraudDetectionModel``): the row holds the artefact itself.

    Every worker on every host loads these bytes and checks them against ``artefact_sha256``.
    ``artefact`` is NULL once a version is too old to be rolled back to; what was measured stays.
    ``report`` is that of :func:`noc.fraud.training.fit`, ``gate`` the verdict in words,
    ``ancestor_id`` the model that was active before this one.
    """

    __tablename__ = "fraud_detection_model"

    version: Mapped[str]
    model_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'shadow'"))
    artefact: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    artefact_sha256: Mapped[str]
    features: Mapped[list[str]] = mapped_column(ARRAY(Text))
    thresholds: Mapped[dict[str, Any]]
    calibration: Mapped[dict[str, Any]]
    train_samples: Mapped[int]
    positives: Mapped[int] = mapped_column(server_default=text("0"))
    window_start: Mapped[dt.datetime | None]
    window_end: Mapped[dt.datetime | None]
    class_imbalance_ratio: Mapped[float | None] = mapped_column(Double)
    pr_auc: Mapped[float | None] = mapped_column(Double)
    precision_at_80_recall: Mapped[float | None] = mapped_column(Double)
    is_active: Mapped[bool] = mapped_column(server_default=text("false"))
    activated_at: Mapped[dt.datetime | None]
    retired_at: Mapped[dt.datetime | None]
    ancestor_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = stored_now()
    note: Mapped[str | None]
    gate: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY, deferred=True)

    __table_args__ = (
        tenant_key(),
        belongs_to("ancestor_id", "fraud_detection_model", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "version"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint("is_active = (status = 'active')", name="active"),
        CheckConstraint(
            "artefact IS NOT NULL OR status IN ('retired', 'rejected')", name="artefact"
        ),
        Index(
            "uq_fraud_detection_model_active",
            "tenant_id",
            unique=True,
            postgresql_where=text("is_active"),
        ),
    )


CHANGES = ("registered", "activated", "taken_back", "retired")


class ModelChange(UuidKeyed, Base):
    """What happened to a version, when, who wanted it (None: the product itself) and why."""

    __tablename__ = "fraud_model_change"

    model_id: Mapped[uuid.UUID]
    change: Mapped[str]
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[str | None]
    note: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("model_id", "fraud_detection_model", ondelete="CASCADE"),
        CheckConstraint(one_of("change", CHANGES), name="change"),
        index("ix_fraud_model_change_model", "model_id", "changed_at"),
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
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY)

    __table_args__ = (
        tenant_key(),
        belongs_to("model_id", "fraud_detection_model", ondelete="CASCADE"),
        CheckConstraint(one_of("kind", ("holdout", "live", "backtest")), name="kind"),
        index("ix_noc_ml_model_metrics_version", "model_version", "evaluated_at"),
        index(
            "uq_noc_ml_model_metrics_live",
            "model_version",
            "window_end",
            where="kind = 'live'",
            unique=True,
        ),
    )
