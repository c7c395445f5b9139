"""Models that watch, are judged and can be taken back; runs that people follow; random audits.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from noc.database.policies import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

EMPTY = sa.text("'{}'::jsonb")
NEW_TABLES = ("job_run", "fraud_audit_day", "fraud_audit_draw")


def _moment(name: str, *, stored_now: bool = False) -> sa.Column:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=sa.text("now()") if stored_now else None,
        nullable=not stored_now,
    )


def upgrade() -> None:
    """Add them."""
    _predictions()
    _registry()
    _runs()
    _audits()
    for table in NEW_TABLES:
        for statement in protect(table):
            op.execute(statement)


def _predictions() -> None:
    for column in (
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("rule_score", sa.Double(), nullable=True),
        sa.Column("label_note", sa.Text(), nullable=True),
    ):
        op.add_column("fraud_prediction_log", column)
    op.create_index(
        "ix_fraud_prediction_log_verdicts",
        "fraud_prediction_log",
        ["tenant_id", "occurred_at"],
        postgresql_where=sa.text("actual_fraud_detected IS NOT NULL AND NOT is_shadow"),
    )
    op.create_index(
        "ix_fraud_prediction_log_shadow",
        "fraud_prediction_log",
        ["tenant_id", "model_version", "occurred_at"],
        postgresql_where=sa.text("is_shadow"),
    )


def _registry() -> None:
    table = "fraud_detection_model"
    for column in (
        sa.Column("positives", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("window_start"),
        _moment("window_end"),
        _moment("retired_at"),
        sa.Column("ancestor_id", sa.Uuid(), nullable=True),
        sa.Column("gate", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("report", JSONB(), server_default=EMPTY, nullable=False),
    ):
        op.add_column(table, column)
    op.alter_column(table, "artefact", nullable=True)
    op.create_check_constraint(
        op.f("ck_fraud_detection_model_artefact"),
        table,
        "artefact IS NOT NULL OR status IN ('retired', 'rejected')",
    )
    op.create_foreign_key(
        op.f("fk_fraud_detection_model_tenant_id_fraud_detection_model"),
        table,
        table,
        ["tenant_id", "ancestor_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (ancestor_id)",
    )
    op.create_index(
        "uq_noc_ml_model_metrics_live",
        "noc_ml_model_metrics",
        ["tenant_id", "model_version", "window_end"],
        unique=True,
        postgresql_where=sa.text("kind = 'live'"),
    )


def _runs() -> None:
    op.create_table(
        "job_run",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("parameters", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("result", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        _moment("requested_at", stored_now=True),
        _moment("started_at"),
        _moment("beat_at"),
        _moment("finished_at"),
        _moment("cancel_requested_at"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'refused', 'failed', 'cancelled')",
            name=op.f("ck_job_run_state"),
        ),
        sa.CheckConstraint(
            "trigger IN ('schedule', 'manual', 'demo')", name=op.f("ck_job_run_trigger")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_job_run_progress")),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state NOT IN ('queued', 'running'))",
            name=op.f("ck_job_run_finished"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "requested_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            ondelete="SET NULL (requested_by)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "uq_job_run_open",
        "job_run",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_job_run_recent", "job_run", ["tenant_id", "name", "requested_at"])


def _audits() -> None:
    op.create_table(
        "fraud_audit_day",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.BigInteger(), nullable=False),
        _moment("drawn_at", stored_now=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "day"),
    )
    op.create_table(
        "fraud_audit_draw",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("attendance_event_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        _moment("drawn_at", stored_now=True),
        sa.Column("inclusion_probability", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "inclusion_probability > 0 AND inclusion_probability <= 1",
            name=op.f("ck_fraud_audit_draw_probability"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attendance_event_id"],
            ["attendance_event.tenant_id", "attendance_event.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id", "site_id"], ["site.tenant_id", "site.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "attendance_event_id"),
    )
    op.create_index("ix_fraud_audit_draw_time", "fraud_audit_draw", ["tenant_id", "occurred_at"])


def downgrade() -> None:
    """Take them away. A registry whose old artefacts were dropped cannot go back."""
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    op.drop_index("uq_noc_ml_model_metrics_live", table_name="noc_ml_model_metrics")
    table = "fraud_detection_model"
    op.drop_constraint(
        op.f("fk_fraud_detection_model_tenant_id_fraud_detection_model"), table, type_="foreignkey"
    )
    op.drop_constraint(op.f("ck_fraud_detection_model_artefact"), table, type_="check")
    op.alter_column(table, "artefact", nullable=False)
    for name in (
        "report",
        "gate",
        "ancestor_id",
        "retired_at",
        "window_end",
        "window_start",
        "positives",
    ):
        op.drop_column(table, name)
    op.drop_index("ix_fraud_prediction_log_shadow", table_name="fraud_prediction_log")
    op.drop_index("ix_fraud_prediction_log_verdicts", table_name="fraud_prediction_log")
    for name in ("label_note", "rule_score", "probability"):
        op.drop_column("fraud_prediction_log", name)
