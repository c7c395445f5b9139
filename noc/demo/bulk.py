"""Fast storing of simulated history: numpy columns, binary COPY, insert from a temporary table.

COPY straight into a table is refused under row-level security; a temporary table that vanishes
with the transaction takes the rows, and an ordinary INSERT, to which the policies apply, moves
them on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from noc.extensions import session

_T = TypeVar("_T")

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_EPOCH_2000 = 946_684_800
"""PostgreSQL counts microseconds from 2000-01-01, everybody else from 1970-01-01."""

NEVER = -2_000_000_000.0
"""Stands for a time that never came: before 1970, so that ``nullif`` knows it."""

NEVER_AT = dt.datetime.fromtimestamp(NEVER, dt.UTC)
"""The same, as the database's drivers take it."""

_TYPES = {"i": ("bigint", ">i8"), "f": ("float8", ">f8"), "M": ("timestamptz", ">i8")}


def times(seconds: NDArray[np.float64]) -> NDArray[Any]:
    """Epoch seconds as a column of points in time; NaN becomes a time before history."""
    known = np.where(np.isnan(seconds), NEVER, seconds)
    return (known * 1e6).astype(np.int64).astype("datetime64[us]")


def uuids(keys: Sequence[uuid.UUID]) -> NDArray[Any]:
    """Ids as a column."""
    return np.frombuffer(b"".join(key.bytes for key in keys), dtype="V16")


def drawn_uuids(rng: np.random.Generator, count: int) -> NDArray[Any]:
    """``count`` random ids as a column."""
    return np.frombuffer(rng.bytes(16 * count), dtype="V16")


@contextmanager
def loaded(table: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[None]:
    """Have the columns in a temporary table for the length of the block.

    Integers become ``bigint``, floats ``float8`` with NaN kept as NaN, times ``timestamptz``,
    16-byte values ``uuid``. No value is NULL: the INSERT says what NaN or -1 stand for.
    """
    types = {name: _column(values)[0] for name, values in columns.items()}
    definition = ", ".join(f"{name} {kind}" for name, kind in types.items())
    driver = session().connection().connection.driver_connection
    if driver is None:
        raise RuntimeError("the database connection is closed")
    with driver.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({definition}) ON COMMIT DROP")
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_SIGNATURE)
            copy.write(_rows(columns).tobytes())
            copy.write(_END)
        # Nobody else gathers statistics of a temporary table, and joins depend on them.
        cursor.execute(f"ANALYZE {table}")
        yield
        cursor.execute(f"DROP TABLE {table}")


def _column(values: NDArray[Any]) -> tuple[str, Any]:
    if values.dtype.kind == "V":
        return "uuid", "V16"
    return _TYPES[values.dtype.kind]


def _rows(columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Rows as COPY wants them: number of fields, then length and value of each."""
    fields: list[tuple[str, Any]] = [("_fields", ">i2")]
    for name, values in columns.items():
        fields += [(f"_length_{name}", ">i4"), (name, _column(values)[1])]
    count = len(next(iter(columns.values())))
    rows = np.empty(count, dtype=np.dtype(fields))
    rows["_fields"] = len(columns)
    for name, values in columns.items():
        rows[f"_length_{name}"] = values.dtype.itemsize
        rows[name] = _wire(values)
    return rows


def _wire(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "M":
        return values
    return values.astype("datetime64[us]").astype(np.int64) - _EPOCH_2000 * 1_000_000


def joined(parts: Sequence[_T]) -> _T:
    """Several of the same kind as one, column by column."""
    kind: Any = type(parts[0])
    columns = [[getattr(part, field.name) for part in parts] for field in fields(kind)]
    whole: _T = kind(*map(np.concatenate, columns))
    return whole
