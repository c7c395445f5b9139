"""Who is on call, who is told next when nobody answers, and how a person is reached.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from noc.database.policies import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SEVERITIES = "('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')"
_WEEKDAYS = "('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')"
_OLD_KINDS = (
    "'alert_opened', 'alert_escalated', 'alert_reopened', 'alert_unmuted', 'ticket_opened', "
    "'ticket_assigned', 'ticket_overdue', 'incident_identified', 'finding_opened', 'test'"
)
_KINDS = (
    "'alert_opened', 'alert_escalated', 'alert_reopened', 'alert_unmuted', 'alert_returned', "
    "'escalation_exhausted', 'ticket_opened', 'ticket_assigned', 'ticket_overdue', "
    "'incident_identified', 'finding_opened', 'escalation', 'test'"
)
_OLD_TARGET = "(channel = 'email') = (url IS NULL) AND (channel = 'email') = (addresses <> '{}')"
_TARGET = (
    "(channel = 'email') = (url IS NULL) AND "
    "CASE WHEN channel = 'email' THEN addresses <> '{}' OR user_id IS NOT NULL "
    "ELSE addresses = '{}' END"
)
_TABLES = ("on_call_schedule", "on_call_override", "escalation_policy", "alert_escalation")


def upgrade() -> None:
    """Add them."""
    _personal_routes()
    _schedules()
    _policies()
    _escalations()
    for table in _TABLES:
        for statement in protect(table):
            op.execute(statement)


def _personal_routes() -> None:
    op.add_column("notification_route", sa.Column("user_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        None,
        "notification_route",
        "noc_user",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    _check("notification_route", "target", _TARGET)
    op.drop_index("uq_notification_route_name", "notification_route")
    for name, columns, where in (
        ("uq_notification_route_name", ["name"], "user_id IS NULL"),
        ("uq_notification_route_own_mail", ["user_id"], "channel = 'email' AND addresses = '{}'"),
    ):
        op.create_index(
            name,
            "notification_route",
            ["tenant_id", *columns],
            unique=True,
            postgresql_where=sa.text(where),
        )
    op.create_index("ix_notification_route_user", "notification_route", ["tenant_id", "user_id"])
    _check("notification_delivery", "kind", f"kind IN ({_KINDS})")


def _schedules() -> None:
    op.create_table(
        "on_call_schedule",
        *_key(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("rotation", sa.Text(), nullable=False),
        sa.Column("handover_time", sa.Text(), nullable=False),
        sa.Column("handover_weekday", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("members", ARRAY(sa.BigInteger()), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        _named_check("on_call_schedule", "rotation", "rotation IN ('daily', 'weekly')"),
        _named_check("on_call_schedule", "handover_weekday", f"handover_weekday IN {_WEEKDAYS}"),
        _named_check(
            "on_call_schedule", "weekly", "(rotation = 'weekly') = (handover_weekday IS NOT NULL)"
        ),
        _named_check("on_call_schedule", "members", "cardinality(members) > 0"),
    )
    _index("uq_on_call_schedule_name", "on_call_schedule", "name", unique=True)
    op.create_table(
        "on_call_override",
        *_key(),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        _now("created_at"),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        _to("schedule_id", "on_call_schedule", "CASCADE"),
        _to("user_id", "noc_user", "CASCADE"),
        _to("created_by", "noc_user", "SET NULL (created_by)"),
        _named_check("on_call_override", "order", "starts_at < ends_at"),
    )
    _index("ix_on_call_override_schedule", "on_call_override", "schedule_id", "ends_at")


def _policies() -> None:
    op.create_table(
        "escalation_policy",
        *_key(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("min_severity", sa.Text(), nullable=False),
        sa.Column(
            "site_ids", ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("alert_types", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("steps", JSONB(), nullable=False),
        sa.Column("repeats", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        _named_check("escalation_policy", "min_severity", f"min_severity IN {_SEVERITIES}"),
        _named_check("escalation_policy", "steps", "jsonb_array_length(steps) BETWEEN 1 AND 10"),
        _named_check("escalation_policy", "repeats", "repeats BETWEEN 0 AND 5"),
    )
    _index("uq_escalation_policy_name", "escalation_policy", "name", unique=True)


def _escalations() -> None:
    op.create_table(
        "alert_escalation",
        *_key(),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("round", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        _to("alert_id", "noc_alert_event", "CASCADE"),
        _to("policy_id", "escalation_policy", "SET NULL (policy_id)"),
        _to("answered_by", "noc_user", "SET NULL (answered_by)"),
        _named_check(
            "alert_escalation", "state", "state IN ('active', 'answered', 'exhausted', 'ended')"
        ),
        _named_check(
            "alert_escalation",
            "active",
            "(state = 'active') = (next_at IS NOT NULL)"
            " AND (state = 'active') = (ended_at IS NULL)",
        ),
    )
    active = sa.text("state = 'active'")
    _index(
        "uq_alert_escalation_active",
        "alert_escalation",
        "alert_id",
        unique=True,
        postgresql_where=active,
    )
    _index("ix_alert_escalation_due", "alert_escalation", "next_at", postgresql_where=active)
    _index("ix_alert_escalation_alert", "alert_escalation", "alert_id", "id")
    _index("ix_alert_escalation_recent", "alert_escalation", "begun_at", "id")


def _key() -> tuple[sa.SchemaItem, ...]:
    return (
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )


def _to(column: str, table: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete
    )


def _now(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _named_check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _index(name: str, table: str, *columns: str, **options: object) -> None:
    op.create_index(name, table, ["tenant_id", *columns], **options)


def downgrade() -> None:
    """Forget them, and what was sent because of them."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DELETE FROM notification_route WHERE user_id IS NOT NULL")
    op.execute(f"DELETE FROM notification_delivery WHERE kind NOT IN ({_OLD_KINDS})")  # noqa: S608
    _check("notification_delivery", "kind", f"kind IN ({_OLD_KINDS})")
    for name in (
        "uq_notification_route_name",
        "uq_notification_route_own_mail",
        "ix_notification_route_user",
    ):
        op.drop_index(name, "notification_route")
    _check("notification_route", "target", _OLD_TARGET)
    op.drop_column("notification_route", "user_id")
    _index("uq_notification_route_name", "notification_route", "name", unique=True)
