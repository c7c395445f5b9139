"""Whatever the caller has, checked and put in order: rows by time, numbers as float64."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.training.errors import TrainingRefused

if TYPE_CHECKING:
    import pandas as pd

MIN_OF_EACH = 8
"""Fewer labels of one kind teach nothing that could be told from chance."""


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled rows by time.

    ``values`` (rows, columns) has NaN where a value is missing and no infinity; ``labels`` are 0
    and 1; ``times`` seconds; ``positions`` row numbers of the caller's frame; ``entities`` codes
    from 0, -1 for nobody; ``rules`` scores in [0, 1], NaN where there was none.
    """

    values: FloatArray
    labels: FloatArray
    times: FloatArray
    positions: IntArray
    rules: FloatArray | None
    entities: IntArray | None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def positives(self) -> int:
        """How many rows are frauds."""
        return int(self.labels.sum())

    def take(self, rows: NDArray[Any]) -> Table:
        """The rows that a mask or an array of row numbers names."""
        parts: dict[str, Any] = {}
        for field in fields(self):
            whole = getattr(self, field.name)
            parts[field.name] = None if whole is None else whole[rows]
        return Table(**parts)


@dataclass(frozen=True, slots=True)
class Clock:
    """How the caller told time, to say times in the same way: an ISO time or a plain number."""

    kind: str

    def said(self, seconds: float) -> str | float:
        """``seconds`` as the caller would write it."""
        if self.kind == "number":
            return float(seconds)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))
        return (moment if self.kind == "aware" else moment.replace(tzinfo=None)).isoformat()


def read_table(
    features: pd.DataFrame,
    labels: pd.Series,
    times: pd.Series,
    rules: pd.Series | None,
    entities: pd.Series | None,
) -> tuple[Table, tuple[str, ...], Clock]:
    """The labelled rows, the names of their columns and how times were told.

    Alignment is by position. ValueError for lengths that disagree, a column that is not of
    numbers or comes twice, a label other than 0, 1 and missing, a labelled row without a time, a
    rules score outside [0, 1].
    """
    columns = tuple(str(name) for name in features.columns)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise ValueError(f"column {twice[0]!r} is there more than once")
    others = {"labels": labels, "times": times, "rules": rules, "entities": entities}
    for name, series in others.items():
        if series is not None and len(series) != len(features):
            raise ValueError(f"{len(features)} rows of features, but {len(series)} of {name}")
    target = _labels(labels)
    seconds, clock = _seconds(times)
    known = np.flatnonzero(~np.isnan(target))
    if np.isnan(seconds[known]).any():
        raise ValueError("a labelled row has no time")
    order = known[np.argsort(seconds[known], kind="stable")]
    table = Table(
        values=matrix(features, columns)[order],
        labels=target[order],
        times=seconds[order],
        positions=order.astype(np.int64),
        rules=None if rules is None else _rules(rules)[order],
        entities=None if entities is None else _codes(entities)[order],
    )
    return table, columns, clock


def refuse_hopeless(table: Table) -> None:
    """TrainingRefused where rows, classes, columns or times do not suffice."""
    negatives = len(table) - table.positives
    if not len(table):
        raise TrainingRefused("There are no labelled rows to learn from.")
    if not table.positives or not negatives:
        only = "genuine" if negatives else "fraud"
        raise TrainingRefused(
            f"All {len(table)} labels say {only}: there is nothing to tell apart."
        )
    if table.positives < MIN_OF_EACH:
        raise TrainingRefused(
            f"Only {table.positives} labels say fraud; at least {MIN_OF_EACH} are needed."
        )
    if negatives < MIN_OF_EACH:
        raise TrainingRefused(
            f"Only {negatives} labels say genuine; at least {MIN_OF_EACH} are needed."
        )
    if table.times[0] == table.times[-1]:
        raise TrainingRefused(
            "All rows have the same time: none is later, so no model could be tested."
        )
    if not useful_columns(table.values).any():
        raise TrainingRefused("No column varies: each is constant or missing throughout.")


def useful_columns(values: FloatArray) -> NDArray[np.bool_]:
    """Which columns can tell rows apart: by value, or by being missing."""
    if not values.size:
        return np.zeros(values.shape[1], dtype=np.bool_)
    missing = np.isnan(values)
    low = np.where(missing, np.inf, values).min(axis=0)
    high = np.where(missing, -np.inf, values).max(axis=0)
    some = missing.any(axis=0) & ~missing.all(axis=0)
    return np.asarray((low < high) | some)


def matrix(features: pd.DataFrame, columns: tuple[str, ...]) -> FloatArray:
    """The named columns as (rows, columns) float64, infinities as NaN; KeyError, ValueError."""
    names = {str(name): i for i, name in enumerate(features.columns)}
    values = np.empty((len(features), len(columns)))
    for j, name in enumerate(columns):
        if name not in names:
            raise KeyError(f"column {name!r} is missing")
        values[:, j] = _numbers(features.iloc[:, names[name]], name)
    values[~np.isfinite(values)] = np.nan
    return values


def _numbers(series: pd.Series, name: str) -> FloatArray:
    from pandas.api import types

    kinds = ("integer", "floating", "boolean", "mixed-integer-float", "decimal", "empty")
    plain = types.is_numeric_dtype(series.dtype) and not types.is_complex_dtype(series.dtype)
    if not plain and (
        series.dtype != object or types.infer_dtype(series, skipna=True) not in kinds
    ):
        raise ValueError(f"column {name!r} is not numeric but {series.dtype}")
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _labels(labels: pd.Series) -> FloatArray:
    values = _numbers(labels, "labels")
    odd = ~np.isnan(values) & (values != 0) & (values != 1)
    if odd.any():
        raise ValueError(f"a label is {values[odd][0]:g}; labels are 0, 1 or missing")
    return values


def _rules(rules: pd.Series) -> FloatArray:
    values = _numbers(rules, "rules")
    odd = (values < 0) | (values > 1)
    if odd.any():
        raise ValueError(f"a rules score is {values[odd][0]:g}; scores are in [0, 1]")
    return values


def _seconds(times: pd.Series) -> tuple[FloatArray, Clock]:
    """Seconds since 1970, or the numbers as they are."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(times.dtype):
        values = _numbers(times, "times")
        return np.where(np.isfinite(values), values, np.nan), Clock("number")
    try:
        moments = pd.Series(pd.to_datetime(times.to_numpy() if times.dtype == object else times))
    except (ValueError, TypeError) as error:
        raise ValueError(f"times are neither datetimes nor numbers: {error}") from error
    aware = moments.dt.tz is not None
    if aware:
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    micros = moments.to_numpy().astype("datetime64[us]")
    seconds = micros.astype(np.int64) / 1e6
    return np.where(np.isnat(micros), np.nan, seconds), Clock("aware" if aware else "naive")


def _codes(entities: pd.Series) -> IntArray:
    import pandas as pd

    codes, _ = pd.factorize(entities.to_numpy())
    return np.asarray(codes, dtype=np.int64)
