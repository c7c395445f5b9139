"""By when tickets are to be done, which version of them somebody has read; open alerts by time.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KINDS = (
    "'alert_opened', 'alert_escalated', 'alert_reopened', 'alert_unmuted', 'ticket_opened', "
    "'ticket_assigned', {}'incident_identified', 'finding_opened', 'test'"
)

# What is open has the hours that are the settings' defaults: a migration does not read settings.
# What is late already is not told of again.
_BEGIN = """
UPDATE ticket SET
    due_given = due_at IS NOT NULL,
    due_at = coalesce(due_at, created_at + make_interval(
        hours => CASE priority WHEN 'HIGH' THEN 4 WHEN 'MEDIUM' THEN 24 ELSE 72 END)),
    clock_stopped_at = CASE WHEN status IN ('NEW', 'ASSIGNED', 'IN_PROGRESS') THEN NULL
                            ELSE coalesce(resolved_at, updated_at) END
"""
_LATE = """
UPDATE ticket SET overdue_at = now()
WHERE due_at <= now() AND status IN ('NEW', 'ASSIGNED', 'IN_PROGRESS')
"""


def upgrade() -> None:
    """Add them."""
    op.add_column("ticket", _column("due_given", sa.Boolean(), "false"))
    op.add_column("ticket", sa.Column("clock_stopped_at", sa.DateTime(timezone=True)))
    op.add_column("ticket", _column("paused_seconds", sa.Float(), "0"))
    op.add_column("ticket", sa.Column("overdue_at", sa.DateTime(timezone=True)))
    op.add_column("ticket", _column("version", sa.BigInteger(), "1"))
    op.execute(_BEGIN)
    op.execute(_LATE)
    op.create_index(
        "ix_ticket_due",
        "ticket",
        ["tenant_id", "due_at"],
        postgresql_where=sa.text("status IN ('NEW', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD')"),
    )
    op.create_index(
        "ix_noc_alert_event_open",
        "noc_alert_event",
        ["tenant_id", "occurred_at", "id"],
        postgresql_where=sa.text("status <> 'RESOLVED'"),
    )
    _allow_kinds("'ticket_overdue', ")


def downgrade() -> None:
    """Forget them."""
    op.execute("DELETE FROM notification_delivery WHERE kind = 'ticket_overdue'")
    _allow_kinds("")
    op.drop_index("ix_noc_alert_event_open", "noc_alert_event")
    op.drop_index("ix_ticket_due", "ticket")
    for name in ("version", "overdue_at", "paused_seconds", "clock_stopped_at", "due_given"):
        op.drop_column("ticket", name)


def _column(name: str, kind: sa.types.TypeEngine, default: str) -> sa.Column:
    return sa.Column(name, kind, server_default=sa.text(default), nullable=False)


def _allow_kinds(more: str) -> None:
    name = op.f("ck_notification_delivery_kind")
    op.drop_constraint(name, "notification_delivery", type_="check")
    op.create_check_constraint(name, "notification_delivery", f"kind IN ({_KINDS.format(more)})")
