"""Writes signals into their tables, a batch a statement.

Arrays and one ``INSERT ... SELECT FROM unnest`` cost as much as COPY into a temporary table
and an insert from it (1,000 fixes: 15 ms either way, most of it indexes and foreign keys), half
of pipelined single inserts, and leave no temporary table on each connection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

from noc.extensions import session

_KEY = {"external_id": "text", "occurred_at": "timestamptz", "person_id": "bigint"}


class Key(NamedTuple):
    """What a signal is told apart by within its tenant and table."""

    external_id: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Table:
    """The statements of one table. Only the names below ever reach SQL as text."""

    name: str
    columns: tuple[str, ...]
    insert: TextClause
    find: TextClause


def _table(name: str, **values: str) -> Table:
    sent = _KEY | {column: "text" if kind == "jsonb" else kind for column, kind in values.items()}
    arrays = ", ".join(f"CAST(:{column} AS {kind}[])" for column, kind in sent.items())
    chosen = ", ".join(
        f"CAST(r.{column} AS jsonb)" if values.get(column) == "jsonb" else f"r.{column}"
        for column in sent
    )
    # In an order that the rows themselves give: the same signals sent twice at the same moment,
    # in whatever order, never deadlock.
    insert = f"""
        INSERT INTO {name} (tenant_id, received_at, {", ".join(sent)})
        SELECT :tenant_id, :now, {chosen} FROM unnest({arrays}) AS r ({", ".join(sent)})
        ORDER BY r.occurred_at, r.external_id
        ON CONFLICT (tenant_id, occurred_at, external_id) DO NOTHING
        RETURNING external_id, occurred_at, id
    """  # noqa: S608
    find = f"""
        SELECT s.external_id, s.occurred_at, s.id FROM {name} s
          JOIN unnest(CAST(:external_id AS text[]), CAST(:occurred_at AS timestamptz[]))
            AS r (external_id, occurred_at)
            ON s.external_id = r.external_id AND s.occurred_at = r.occurred_at
         WHERE s.tenant_id = :tenant_id
           AND s.occurred_at = ANY(CAST(:occurred_at AS timestamptz[]))
    """  # noqa: S608
    return Table(name, tuple(sent), text(insert), text(find))


PHONE_EVENTS = _table("phone_event", event_type="text", detail="jsonb")
LOCATIONS = _table("location_update", lat="float8", lon="float8", accuracy="float8")
TASKS = _table("task_completion", task="text", detail="jsonb")


def insert(
    table: Table, rows: Sequence[Mapping[str, Any]], *, tenant_id: int, now: dt.datetime
) -> dict[Key, int]:
    """Ids of the rows that were not there yet. One query; the months must have partitions."""
    columns = {name: [row.get(name) for row in rows] for name in table.columns}
    new = session().execute(table.insert, {"tenant_id": tenant_id, "now": now} | columns)
    return {Key(external_id, at): key for external_id, at, key in new}


def find(table: Table, keys: Sequence[Key], *, tenant_id: int) -> dict[Key, int]:
    """Ids of the rows with these keys. One query, or none."""
    if not keys:
        return {}
    rows = session().execute(
        table.find,
        {
            "tenant_id": tenant_id,
            "external_id": [key.external_id for key in keys],
            "occurred_at": [key.occurred_at for key in keys],
        },
    )
    return {Key(external_id, at): key for external_id, at, key in rows}
