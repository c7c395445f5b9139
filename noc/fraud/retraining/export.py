"""Training data as a table for people who want to look at it, or train elsewhere."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.features import FEATURES
from noc.fraud.retraining.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".csv", ".parquet")

DIGITS = 3
"""Significant digits of numbers in a pseudonymous table: as many as a model needs, and fewer than
would name a punch to whoever looks for its exact values."""


def as_table(data: Dataset, *, secret: bytes | None = None) -> pd.DataFrame:
    """A row per labelled punch: who, where, when, the vector as served, scores, label, source.

    With a ``secret`` the table is pseudonymous: people, sites and punches are named by the first
    16 digits of an HMAC-SHA256, the same name for the same one; rows come in the order of the
    punches' names, times are cut to the hour, and numbers have DIGITS significant digits. That
    hides people from readers of the table, not from who has the punches, too. ValueError for an
    empty secret, under which anybody could make the names.
    """
    import pandas as pd

    columns = data.columns
    table = pd.DataFrame(
        {
            **{f"{name}_id": columns[name] for name in _NAMED},
            "occurred_at": pd.to_datetime(columns["time"], unit="us", utc=True),
            **{name: columns[name] for name in FEATURES},
            "rule_score": data.rule_scores,
            "label": data.labels.astype(int),
            "label_source": data.label_sources,
            "labelled_at": pd.to_datetime(columns["labelled"], unit="us", utc=True),
        }
    )
    return table if secret is None else _pseudonymous(table, secret)


_NAMED = ("punch", "person", "site")


def _pseudonymous(table: pd.DataFrame, secret: bytes) -> pd.DataFrame:
    if not secret:
        raise ValueError("this instance has no SECRET_KEY: pseudonyms would be anybody's to make")
    masked = table.rename(columns={f"{name}_id": name for name in _NAMED})
    for name in _NAMED:
        masked[name] = [_alias(secret, name, key) for key in masked[name].tolist()]
    for name in ("occurred_at", "labelled_at"):
        masked[name] = masked[name].dt.floor("h")
    for name in (*FEATURES, "rule_score"):
        masked[name] = _rounded(masked[name].to_numpy(dtype=np.float64))
    # In the order of time, the same rows of an open export would stand beside these.
    return masked.sort_values("punch", ignore_index=True)


def _rounded(values: FloatArray) -> FloatArray:
    # Through text: to the nearest float that is written with so few digits, NaN as it is.
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.tolist()], dtype=np.float64)


def _alias(secret: bytes, kind: str, key: int) -> str:
    return hmac.new(secret, f"{kind}:{key}".encode(), hashlib.sha256).hexdigest()[:16]


def write(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as the file's name says, whole or not at all.

    It is written beside ``path`` and takes its place when it is complete and on the disk: a
    failure leaves an older file of that name as it was, and nothing else. ValueError for another
    ending than FORMATS, OSError where the file cannot be written.

    Times are in UTC; in Parquet without saying so, since the writer knows no zones.
    """
    if path.suffix not in FORMATS:
        raise ValueError(f"{path.name}: the file must end in {' or '.join(FORMATS)}")
    # Through a link, the file that it points to is replaced, not the link.
    target = Path(os.path.realpath(path))
    # A rename would pass over it that the older file is not to be written to.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    unfinished = target.with_name(f".noc-{secrets.token_hex(8)}.unfinished")
    try:
        unfinished.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, unfinished)
        _fill(unfinished, table, path.suffix)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(path: Path, table: pd.DataFrame, suffix: str) -> None:
    if suffix == ".parquet":
        # Not through pandas, which wants pyarrow: 60 MB more in every process that imports it.
        import fastparquet

        moments = table.select_dtypes("datetimetz").columns
        plain = table.assign(**{name: table[name].dt.tz_convert(None) for name in moments})
        fastparquet.write(str(path), plain, write_index=False)
    else:
        table.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    # A disk that is full may say so only now.
    with path.open("rb") as written:
        os.fsync(written.fileno())
