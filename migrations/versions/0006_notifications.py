"""Who is told of what outside of the house, and what became of each telling.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from noc.database.policies import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SEVERITIES = "('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')"
_KINDS = (
    "('alert_opened', 'alert_escalated', 'alert_reopened', 'alert_unmuted', 'ticket_opened', "
    "'ticket_assigned', 'incident_identified', 'finding_opened', 'test')"
)


def upgrade() -> None:
    """Add them."""
    _routes()
    _deliveries()
    for table in ("notification_route", "notification_delivery"):
        for statement in protect(table):
            op.execute(statement)


def _routes() -> None:
    op.create_table(
        "notification_route",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("addresses", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("signing_secret", sa.Text(), nullable=True),
        sa.Column(
            "site_ids", ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("min_severity", sa.Text(), server_default=sa.text("'INFO'"), nullable=False),
        sa.Column("kinds", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.CheckConstraint(
            "channel IN ('email', 'slack', 'webhook')", name=op.f("ck_notification_route_channel")
        ),
        sa.CheckConstraint(
            f"min_severity IN {_SEVERITIES}", name=op.f("ck_notification_route_min_severity")
        ),
        sa.CheckConstraint(
            "(channel = 'email') = (url IS NULL) AND (channel = 'email') = (addresses <> '{}')",
            name=op.f("ck_notification_route_target"),
        ),
        sa.CheckConstraint(
            "(channel = 'webhook') = (signing_secret IS NOT NULL)",
            name=op.f("ck_notification_route_secret"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "uq_notification_route_name", "notification_route", ["tenant_id", "name"], unique=True
    )


def _deliveries() -> None:
    op.create_table(
        "notification_delivery",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("created_at"),
        _moment("next_attempt_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_notification_delivery_kind")),
        sa.CheckConstraint(
            f"severity IN {_SEVERITIES}", name=op.f("ck_notification_delivery_severity")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'dead')", name=op.f("ck_notification_delivery_state")
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (finished_at IS NULL)",
            name=op.f("ck_notification_delivery_finished"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "route_id"],
            ["notification_route.tenant_id", "notification_route.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    for name, columns, options in (
        ("uq_notification_delivery_event", ["route_id", "event_id"], {"unique": True}),
        ("ix_notification_delivery_due", ["route_id", "next_attempt_at"], _where("pending")),
        ("ix_notification_delivery_dead", ["created_at", "id"], _where("dead")),
        ("ix_notification_delivery_recent", ["created_at", "id"], {}),
        ("ix_notification_delivery_route", ["route_id", "created_at", "id"], {}),
    ):
        op.create_index(name, "notification_delivery", ["tenant_id", *columns], **options)


def _moment(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _where(state: str) -> dict[str, sa.TextClause]:
    return {"postgresql_where": sa.text(f"state = '{state}'")}


def downgrade() -> None:
    """Forget them."""
    op.drop_table("notification_delivery")
    op.drop_table("notification_route")
