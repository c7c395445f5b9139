"""Training data as a table for people who want to look at it, or train elsewhere."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noc.fraud.features import FEATURES
from noc.fraud.retraining.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".csv", ".parquet")


def as_table(data: Dataset, *, secret: bytes | None = None) -> pd.DataFrame:
    """A row per labelled punch: who, where, when, the vector as served, scores, label, source.

    With a ``secret`` the table is pseudonymous: people, sites and punches are named by the first
    16 digits of an HMAC-SHA256, the same name for the same one, and times are cut to the hour.
    """
    import pandas as pd

    columns = data.columns
    when = pd.to_datetime(columns["time"], unit="us", utc=True)
    labelled = pd.to_datetime(columns["labelled"], unit="us", utc=True)
    who: dict[str, Any] = {f"{name}_id": columns[name] for name in ("punch", "person", "site")}
    if secret is not None:
        when, labelled = when.floor("h"), labelled.floor("h")
        who = {
            name: [_alias(secret, name, key) for key in columns[name].tolist()]
            for name in ("punch", "person", "site")
        }
    return pd.DataFrame(
        {
            **who,
            "occurred_at": when,
            **{name: columns[name] for name in FEATURES},
            "rule_score": data.rule_scores,
            "label": data.labels.astype(int),
            "label_source": data.label_sources,
            "labelled_at": labelled,
        }
    )


def write(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as the file's name says; ValueError for another ending than FORMATS.

    Times are in UTC; in Parquet without saying so, since the writer knows no zones.
    """
    if path.suffix == ".parquet":
        # Not through pandas, which wants pyarrow: 60 MB more in every process that imports it.
        import fastparquet

        moments = table.select_dtypes("datetimetz").columns
        plain = table.assign(**{name: table[name].dt.tz_convert(None) for name in moments})
        fastparquet.write(str(path), plain, write_index=False)
    elif path.suffix == ".csv":
        table.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        raise ValueError(f"{path.name}: the file must end in {' or '.join(FORMATS)}")


def _alias(secret: bytes, kind: str, key: int) -> str:
    return hmac.new(secret, f"{kind}:{key}".encode(), hashlib.sha256).hexdigest()[:16]
