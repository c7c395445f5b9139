"""What a model learns from: vectors as they were served, and the verdicts on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.columns import Columns, FloatArray, Kind, read_columns
from noc.fraud.features import FEATURES
from noc.fraud.models import LABEL_SOURCES
from noc.fraud.windows import DAY

if TYPE_CHECKING:
    import pandas as pd

# Of a vector that another release stored with fewer features the rest is missing.
VECTOR = ", ".join(f"coalesce((l.features->>{n})::float8, 'NaN')" for n in range(len(FEATURES)))

RULE_SCORE = (
    "coalesce(l.rule_score, CASE WHEN l.model_type = 'rules' THEN l.fraud_score ELSE 0 END)"
)
"""What the rules said; of a punch scored before this was kept, the score where they spoke."""

# Only constants of this module are put into the text.
_LABELLED = f"""
    SELECT l.attendance_event_id, l.person_id, l.site_id, l.occurred_at, l.labelled_at,
        l.actual_fraud_detected,
        array_position(CAST(:sources AS text[]), l.label_source)::int8,
        {RULE_SCORE}, {VECTOR}
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    WHERE l.tenant_id = :tenant AND l.actual_fraud_detected IS NOT NULL AND NOT l.is_shadow
      AND l.occurred_at >= :since AND l.occurred_at <= :now AND l.labelled_at <= :now
"""  # noqa: S608
_COLUMNS: dict[str, Kind] = {
    "punch": "int",
    "person": "int",
    "site": "int",
    "time": "time",
    "labelled": "time",
    "fraud": "flag",
    "source": "int",
    "rules": "float",
    **dict.fromkeys(FEATURES, "float"),
}

_COUNTS = text(
    """
    SELECT count(*) AS scored,
        count(*) FILTER (WHERE actual_fraud_detected IS NOT NULL
            AND (labelled_at > :now OR occurred_at > :now)) AS ahead
    FROM fraud_prediction_log
    WHERE tenant_id = :tenant AND NOT is_shadow AND occurred_at >= :since
    """
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled punches in the order of time; ``ahead`` counts verdicts from the future, left out.

    ``columns`` has what _COLUMNS names, times in microseconds of Unix time.
    """

    columns: Columns
    scored: int
    ahead: int

    def __len__(self) -> int:
        return len(self.columns["punch"])

    @property
    def labels(self) -> FloatArray:
        """1 for fraud, 0 for genuine."""
        return self.columns["fraud"].astype(np.float64)

    @property
    def rule_scores(self) -> FloatArray:
        """What the rules said."""
        return self.columns["rules"]

    @property
    def vectors(self) -> FloatArray:
        """(rows, 12) as stored, NaN where missing."""
        return (
            np.column_stack([self.columns[name] for name in FEATURES])
            if len(self)
            else (np.empty((0, len(FEATURES))))
        )

    @property
    def label_sources(self) -> list[str]:
        """Where each label comes from, one of LABEL_SOURCES."""
        # PostgreSQL counts from one.
        return [LABEL_SOURCES[number - 1] for number in self.columns["source"].tolist()]

    @property
    def positives(self) -> int:
        """How many are fraud."""
        return int(self.columns["fraud"].sum())

    def label_delay(self) -> dt.timedelta:
        """How long verdicts take: nine in ten are there after so long; 1 to 7 whole days."""
        if not len(self):
            return dt.timedelta(days=7)
        days = np.quantile(self.columns["labelled"] - self.columns["time"], 0.9) / DAY
        return dt.timedelta(days=float(np.clip(np.ceil(days), 1, 7)))

    def frame(self) -> pd.DataFrame:
        """The features by name."""
        import pandas as pd

        return pd.DataFrame({name: self.columns[name] for name in FEATURES})

    def times(self) -> pd.Series[pd.Timestamp]:
        """When each punch was made."""
        import pandas as pd

        return pd.Series(pd.to_datetime(self.columns["time"], unit="us", utc=True))


def read(*, tenant_id: int, now: dt.datetime, days: int) -> Dataset:
    """The labelled punches of the last ``days`` as they stood at ``now``.

    A verdict counts from when it was confirmed: one of later than ``now`` is left out, whatever
    the table holds. Voided punches do not count. Two queries.
    """
    params = {"tenant": tenant_id, "now": now, "since": now - dt.timedelta(days=days)}
    columns = read_columns(_LABELLED, params | {"sources": list(LABEL_SOURCES)}, _COLUMNS)
    order = np.lexsort((columns["punch"], columns["time"]))
    counts = session().execute(_COUNTS, params).one()
    return Dataset(
        {name: values[order] for name, values in columns.items()}, counts.scored, counts.ahead
    )
