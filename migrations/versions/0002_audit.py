"""Findings that close themselves, hours that fed baselines, and changes of thresholds.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from noc.database.policies import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("audit_finding", sa.Column("resolution_note", sa.Text(), nullable=True))
    op.add_column(
        "audit_finding",
        sa.Column("self_closing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "uq_audit_finding_self_closing",
        "audit_finding",
        ["tenant_id", "subject", "finding_type"],
        unique=True,
        postgresql_where=sa.text("self_closing AND status <> 'RESOLVED'"),
    )
    op.create_index(
        "ix_audit_finding_open",
        "audit_finding",
        ["tenant_id", "finding_type"],
        postgresql_where=sa.text("status <> 'RESOLVED'"),
    )
    op.create_table(
        "baseline_hour",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column(
            "fed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"], ["site.tenant_id", "site.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "hour"),
    )
    op.create_table(
        "baseline_change",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("baseline_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("old_threshold", sa.Double(), nullable=False),
        sa.Column("new_threshold", sa.Double(), nullable=False),
        sa.Column("old_false_positive_rate", sa.Double(), nullable=False),
        sa.Column("new_false_positive_rate", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "action IN ('tuned', 'pinned', 'unpinned', 'reset')",
            name=op.f("ck_baseline_change_action"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "baseline_id"],
            ["baseline_profile.tenant_id", "baseline_profile.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            ondelete="SET NULL (user_id)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "ix_baseline_change_baseline", "baseline_change", ["tenant_id", "baseline_id", "at"]
    )
    for table in ("baseline_hour", "baseline_change"):
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("baseline_change")
    op.drop_table("baseline_hour")
    op.drop_index("ix_audit_finding_open", table_name="audit_finding")
    op.drop_index("uq_audit_finding_self_closing", table_name="audit_finding")
    op.drop_column("audit_finding", "self_closing")
    op.drop_column("audit_finding", "resolution_note")
