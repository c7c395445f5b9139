"""How often a run was begun: one that ends its process each time is not begun for ever.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count them."""
    op.add_column(
        "job_run",
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_column("job_run", "attempts")
