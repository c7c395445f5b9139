"""Whom a mail server refused for now, so that they alone are sent the mail again.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them to each delivery."""
    op.add_column("notification_delivery", sa.Column("left_over", ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("notification_delivery", "left_over")
