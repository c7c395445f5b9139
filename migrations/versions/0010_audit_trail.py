"""Who did what.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from noc.database.policies import protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trail: the application may read it and add to it, nothing else."""
    op.create_table(
        "audit_trail",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("token_id", sa.BigInteger()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint("action ~ '^[a-z_]+[.][a-z_]+$'", name=op.f("ck_audit_trail_action")),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_audit_trail_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_audit_trail_tenant_id_user_id"),
            ondelete="SET NULL (user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "token_id"],
            ["api_token.tenant_id", "api_token.id"],
            name=op.f("fk_audit_trail_tenant_id_token_id"),
            ondelete="SET NULL (token_id)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_trail")),
    )
    op.create_index("ix_audit_trail_recent", "audit_trail", ["tenant_id", "at", "id"])
    op.create_index("ix_audit_trail_action", "audit_trail", ["tenant_id", "action", "at"])
    for statement in protect("audit_trail", grant="SELECT, INSERT"):
        op.execute(statement)


def downgrade() -> None:
    """Forget it."""
    op.drop_table("audit_trail")
