"""How often a run was begun, who changed which model scores, and verdicts that were overruled.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from noc.database.policies import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column(
        "job_run",
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("fraud_prediction_log", sa.Column("labelled_as", sa.Text(), nullable=True))
    op.add_column("fraud_prediction_log", sa.Column("overruled", JSONB(), nullable=True))
    op.create_table(
        "fraud_model_change",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "change IN ('registered', 'activated', 'taken_back', 'retired')",
            name=op.f("ck_fraud_model_change_change"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "model_id"],
            ["fraud_detection_model.tenant_id", "fraud_detection_model.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "ix_fraud_model_change_model", "fraud_model_change", ["tenant_id", "model_id", "changed_at"]
    )
    for statement in protect("fraud_model_change"):
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("fraud_model_change")
    op.drop_column("fraud_prediction_log", "overruled")
    op.drop_column("fraud_prediction_log", "labelled_as")
    op.drop_column("job_run", "attempts")
