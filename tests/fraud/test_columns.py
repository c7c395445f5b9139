"""Packed columns are the rows themselves."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from sqlalchemy.orm import Session

from noc.fraud.columns import Kind, read_columns

COLUMNS: dict[str, Kind] = {"n": "int", "x": "float", "yes": "flag", "at": "time"}
QUERY = """
    SELECT n::bigint, n / 8.0::float8, n % 2 = 0, :start + n * interval '1.000001 seconds'
    FROM generate_series(-3, CAST(:last AS bigint)) n
"""
START = dt.datetime(1995, 5, 5, 12, tzinfo=dt.UTC)


def read(session: Session, last: int) -> dict[str, np.ndarray]:
    return read_columns(QUERY, {"start": START, "last": last}, COLUMNS)


def test_every_kind_arrives_as_it_is(session: Session) -> None:
    columns = read(session, 40)

    n = np.arange(-3, 41)
    np.testing.assert_array_equal(columns["n"], n)
    np.testing.assert_array_equal(columns["x"], n / 8)
    np.testing.assert_array_equal(columns["yes"], n % 2 == 0)
    np.testing.assert_array_equal(columns["at"], START.timestamp() * 1e6 + n * 1_000_001)


def test_no_rows_are_empty_columns(session: Session) -> None:
    columns = read(session, -4)

    assert [len(values) for values in columns.values()] == [0, 0, 0, 0]
    assert columns["yes"].dtype == np.bool_


def test_a_null_is_refused_and_named(session: Session) -> None:
    query = "SELECT nullif(n, 2)::bigint FROM generate_series(1, 3) n"

    with pytest.raises(ValueError, match="column n is NULL in 1 of 3 rows"):
        read_columns(query, {}, {"n": "int"})
