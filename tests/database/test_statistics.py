"""What the planner may believe about tenants."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database.partitions import ensure_partitions

_KEPT = text(
    """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND a.attname = 'tenant_id' AND a.attstattarget IS DISTINCT FROM 0
    """
)


def test_no_table_keeps_statistics_of_its_tenants(session: Session) -> None:
    ensure_partitions(session, [dt.datetime(2031, 5, 1, tzinfo=dt.UTC)])
    assert session.scalars(_KEPT).all() == []


def test_statements_are_planned_for_the_tables_as_they_are(session: Session) -> None:
    assert session.scalar(text("SHOW plan_cache_mode")) == "force_custom_plan"
