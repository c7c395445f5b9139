"""What the fraud heatmap adds up, in the index by site and time.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_fraud_prediction_log_site", "fraud_prediction_log"
_COLUMNS = ["tenant_id", "site_id", "occurred_at"]
_ADDED_UP = ["fraud_score", "attendance_event_id", "actual_fraud_detected", "is_shadow"]


def upgrade() -> None:
    """The same index, with what is added up beside it."""
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, _COLUMNS, postgresql_include=_ADDED_UP)


def downgrade() -> None:
    """The index alone again."""
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, _COLUMNS)
