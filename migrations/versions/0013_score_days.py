"""Days that are over, with their scores packed by column.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from noc.database.policies import protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SITE_INDEX = ("ix_fraud_prediction_log_site", "fraud_prediction_log")
_SITE_COLUMNS = ["tenant_id", "site_id", "occurred_at"]
_VERDICTS = ("ix_fraud_prediction_log_verdicts", "fraud_prediction_log")
_VERDICT_COLUMNS = ["tenant_id", "occurred_at"]
_REVIEWED = sa.text("actual_fraud_detected IS NOT NULL AND NOT is_shadow")

# Whoever changes what a packed day was made of takes the day away, in the same transaction. The
# lock is shared by all who change and taken alone by who packs (noc.fraud.score_days): a day is
# never packed while a change to it is under way, and a change waits for a packing that has begun.
_FORGET = """
    CREATE FUNCTION forget_score_day() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(
            hashtextextended('score-days:' || coalesce(OLD.tenant_id, NEW.tenant_id), 0));
        DELETE FROM fraud_score_day
        WHERE tenant_id = coalesce(OLD.tenant_id, NEW.tenant_id)
          AND day IN ((OLD.occurred_at AT TIME ZONE 'UTC')::date,
                      (NEW.occurred_at AT TIME ZONE 'UTC')::date);
        RETURN NULL;
    END $body$
"""
# Days are packed two days after their end: what is not a day old is in none, and punches as they
# come cost no call.
_OLD = "{row}.occurred_at < now() - interval '1 day'"
_TRIGGERS = (
    ("scored", "fraud_prediction_log", "INSERT", f"NOT NEW.is_shadow AND {_OLD.format(row='NEW')}"),
    ("unscored", "fraud_prediction_log", "DELETE", f"NOT OLD.is_shadow AND {_OLD.format(row='OLD')}"),
    (
        "scored_again",
        "fraud_prediction_log",
        "UPDATE",
        "(OLD.fraud_score, OLD.site_id, OLD.occurred_at, OLD.is_shadow) IS DISTINCT FROM "
        "(NEW.fraud_score, NEW.site_id, NEW.occurred_at, NEW.is_shadow) "
        f"AND ({_OLD.format(row='OLD')} OR {_OLD.format(row='NEW')})",
    ),
    (
        "voided",
        "attendance_event",
        "UPDATE",
        "(OLD.voided_at IS NULL) <> (NEW.voided_at IS NULL) AND " + _OLD.format(row="OLD"),
    ),
)  # fmt: skip


def upgrade() -> None:
    """Add the packed days, and the triggers that take away those that are no longer true."""
    op.create_table(
        "fraud_score_day",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("site_ids", sa.LargeBinary(), nullable=False),
        sa.Column("punches", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.Column("scores", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_fraud_score_day_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "day", name=op.f("pk_fraud_score_day")),
    )
    # Read far more often than written, and numbers of eight bytes hardly shrink.
    for column in ("site_ids", "punches", "times", "scores"):
        op.execute(f"ALTER TABLE fraud_score_day ALTER COLUMN {column} SET STORAGE EXTERNAL")
    for statement in protect("fraud_score_day"):
        op.execute(statement)
    op.execute(_FORGET)
    for name, table, when, condition in _TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name}_forgets_day AFTER {when} ON {table} FOR EACH ROW "
            f"WHEN ({condition}) EXECUTE FUNCTION forget_score_day()"
        )
    op.drop_index(*_SITE_INDEX)
    op.create_index(
        *_SITE_INDEX,
        _SITE_COLUMNS,
        postgresql_include=["fraud_score", "attendance_event_id", "is_shadow"],
    )
    op.drop_index(*_VERDICTS)
    op.create_index(
        *_VERDICTS,
        _VERDICT_COLUMNS,
        postgresql_where=_REVIEWED,
        postgresql_include=["site_id", "actual_fraud_detected", "attendance_event_id", "is_shadow"],
    )


def downgrade() -> None:
    """Forget them; the heatmap's index as it was."""
    for name, table, _, _ in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name}_forgets_day ON {table}")
    op.execute("DROP FUNCTION forget_score_day()")
    op.drop_table("fraud_score_day")
    op.drop_index(*_VERDICTS)
    op.create_index(*_VERDICTS, _VERDICT_COLUMNS, postgresql_where=_REVIEWED)
    op.drop_index(*_SITE_INDEX)
    op.create_index(
        *_SITE_INDEX,
        _SITE_COLUMNS,
        postgresql_include=[
            "fraud_score",
            "attendance_event_id",
            "actual_fraud_detected",
            "is_shadow",
        ],
    )
