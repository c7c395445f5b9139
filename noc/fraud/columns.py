"""Rows of a query as numpy columns, without a Python object per value.

``COPY (query) TO STDOUT (FORMAT BINARY)`` sends rows of fixed width when no column is NULL, and
numpy reads such rows in place: 50,000 rows of history cost some 10 ms where fetching tuples
costs 100. Row-level security holds, since PostgreSQL runs the query as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noc.extensions import session

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]

Kind = Literal["int", "float", "flag", "time"]

_WIRE: dict[Kind, tuple[str, int]] = {
    "int": (">i8", 8),
    "float": (">f8", 8),
    "flag": ("?", 1),
    "time": (">i8", 8),
}
_NATIVE: dict[Kind, Any] = {
    "int": np.int64,
    "float": np.float64,
    "flag": np.bool_,
    "time": np.int64,
}
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HEADER = len(_SIGNATURE) + 8
_TRAILER = 2

_EPOCH_2000_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01; everybody else from 1970-01-01."""


def read_columns(query: str, params: Mapping[str, Any], columns: Mapping[str, Kind]) -> Columns:
    """Run ``query`` in the current transaction and return its columns as arrays.

    ``columns`` names them in the order of the query, each ``int`` (bigint), ``float`` (double
    precision), ``flag`` (boolean) or ``time`` (timestamptz, returned as int64 microseconds of
    Unix time). No value may be NULL: the query says what stands for a missing one. ``params``
    fill ``%(name)s`` and are quoted by the driver. ValueError where the rows do not fit.
    """
    driver = session().connection().connection.driver_connection
    if driver is None:
        raise RuntimeError("the database connection is closed")
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", params) as copy,
    ):
        data = b"".join(bytes(block) for block in copy)
    return _parse(data, columns)


def _parse(data: bytes, columns: Mapping[str, Kind]) -> Columns:
    fields: list[tuple[str, str]] = [("_fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"_width_{name}", ">i4"), (name, _WIRE[kind][0])]
    row = np.dtype(fields)
    body = memoryview(data)[_HEADER : len(data) - _TRAILER]
    if not data.startswith(_SIGNATURE) or len(body) % row.itemsize:
        raise ValueError("the query's rows are not of fixed width: is a column NULL?")
    rows = np.frombuffer(body, dtype=row)
    for name, kind in columns.items():
        if len(rows) and not (rows[f"_width_{name}"] == _WIRE[kind][1]).all():
            raise ValueError(f"column {name} is not a {kind}, or is NULL somewhere")
    return {name: _native(rows[name], kind) for name, kind in columns.items()}


def _native(values: NDArray[Any], kind: Kind) -> NDArray[Any]:
    native = values.astype(_NATIVE[kind])
    return native + _EPOCH_2000_US if kind == "time" else native


def ids_literal(ids: Sequence[int] | IntArray) -> list[int]:
    """Ids as the driver takes them."""
    return [int(value) for value in ids]
