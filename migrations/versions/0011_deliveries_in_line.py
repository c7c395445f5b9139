"""Deliveries that wait stand in line in their index, those of one moment by their events.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_notification_delivery_due", "notification_delivery"
_COLUMNS = ["tenant_id", "route_id", "next_attempt_at"]


def upgrade() -> None:
    """The same index, with the event at its end."""
    _index([*_COLUMNS, "event_id"])


def downgrade() -> None:
    """The index as it was."""
    _index(_COLUMNS)


def _index(columns: list[str]) -> None:
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, columns, postgresql_where=sa.text("state = 'pending'"))
