"""Suppression windows, and which alerts they muted.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from noc.database.policies import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SEVERITIES = "('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')"


def upgrade() -> None:
    """Add them."""
    _windows()
    _spans()
    op.add_column("noc_alert_event", sa.Column("muted_by", sa.BigInteger(), nullable=True))
    op.add_column(
        "noc_alert_event", sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_noc_alert_event_tenant_id_muted_by"),
        "noc_alert_event",
        "alert_suppression",
        ["tenant_id", "muted_by"],
        ["tenant_id", "id"],
        ondelete="SET NULL (muted_by)",
    )
    op.create_index(
        "ix_noc_alert_event_muted",
        "noc_alert_event",
        ["tenant_id", "muted_until"],
        postgresql_where=sa.text("muted_until IS NOT NULL AND status <> 'RESOLVED'"),
    )


def _windows() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alert_suppression",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("alert_types", ARRAY(sa.Text()), nullable=True),
        sa.Column("least_severity", sa.Text(), nullable=True),
        sa.Column("most_severity", sa.Text(), nullable=True),
        sa.Column("include_critical", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("include_sos", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("starts_at", moment, nullable=True),
        sa.Column("ends_at", moment, nullable=True),
        sa.Column("rrule", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("start_time", sa.Text(), nullable=True),
        sa.Column("duration_minutes", sa.BigInteger(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("prepared_until", moment, nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", moment, nullable=True),
        sa.Column("cancelled_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            f"least_severity IN {SEVERITIES}", name=op.f("ck_alert_suppression_least_severity")
        ),
        sa.CheckConstraint(
            f"most_severity IN {SEVERITIES}", name=op.f("ck_alert_suppression_most_severity")
        ),
        sa.CheckConstraint(
            "CASE WHEN rrule IS NULL THEN starts_at < ends_at"
            " AND num_nonnulls(starts_at, ends_at) = 2"
            " AND num_nonnulls(starts_on, start_time, duration_minutes) = 0"
            " ELSE num_nonnulls(starts_at, ends_at) = 0"
            " AND num_nonnulls(starts_on, start_time, duration_minutes) = 3 END",
            name=op.f("ck_alert_suppression_once_or_again"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"], ["site.tenant_id", "site.id"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            ondelete="SET NULL (created_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cancelled_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            ondelete="SET NULL (cancelled_by)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "ix_alert_suppression_recent", "alert_suppression", ["tenant_id", "created_at", "id"]
    )
    for statement in protect("alert_suppression"):
        op.execute(statement)


def _spans() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alert_suppression_span",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("suppression_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_alert_suppression_span_order")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suppression_id"],
            ["alert_suppression.tenant_id", "alert_suppression.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "suppression_id", "starts_at"),
    )
    op.create_index(
        "ix_alert_suppression_span_start", "alert_suppression_span", ["tenant_id", "starts_at"]
    )
    for statement in protect("alert_suppression_span"):
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_noc_alert_event_muted", table_name="noc_alert_event")
    op.drop_column("noc_alert_event", "muted_until")
    op.drop_column("noc_alert_event", "muted_by")
    op.drop_table("alert_suppression_span")
    op.drop_table("alert_suppression")
