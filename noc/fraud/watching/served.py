"""Punches as they were scored in a period: read in batches, as columns, never more than MOST."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.columns import Columns, FloatArray, Kind, read_columns
from noc.fraud.features import FEATURES
from noc.fraud.judging import MODEL_SPEAKS
from noc.fraud.retraining.dataset import RULE_SCORE, VECTOR
from noc.fraud.rules import ANOMALY_TYPES

MOST = 200_000
"""Punches that are looked at: 30 MB, and enough for any share to be sure to a tenth of a per cent.
"""

BATCH = 50_000

FRAUD_TYPES = (*ANOMALY_TYPES, MODEL_SPEAKS)
NO_ANOMALY = -1

TYPE_CODE = (
    "coalesce(array_position(ARRAY["
    + ", ".join(f"'{name}'" for name in FRAUD_TYPES)
    + "], a.fraud_type), 0)::int8"
)
"""A number for the fraud type of anomaly ``a``; 0 for one that this release does not know."""

# Only constants are put into the texts.
_FROM = """
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
"""
_WHERE = """
    WHERE l.tenant_id = :tenant AND NOT l.is_shadow AND l.occurred_at >= :since
      AND (l.occurred_at, l.attendance_event_id) < (:before, :before_id)
      AND (hashint8(l.attendance_event_id) & 2147483647) % :one_in = 0
"""
_PUNCHES = f"""
    SELECT l.attendance_event_id, l.person_id, l.site_id, l.occurred_at,
        CASE WHEN l.actual_fraud_detected IS NULL OR l.labelled_at > :now THEN -1
            ELSE l.actual_fraud_detected::int END::int8,
        l.fraud_score, {RULE_SCORE}, coalesce(l.probability, 'NaN'::float8),
        l.model_version = :version,
        CASE WHEN a.id IS NULL THEN {NO_ANOMALY} ELSE {TYPE_CODE} END::int8, {VECTOR}
    {_FROM}
    LEFT JOIN attendance_anomaly_log a
        ON a.tenant_id = l.tenant_id AND a.attendance_event_id = l.attendance_event_id
    {_WHERE}
    ORDER BY l.occurred_at DESC, l.attendance_event_id DESC LIMIT :size
"""
_COLUMNS: dict[str, Kind] = {
    "punch": "int",
    "person": "int",
    "site": "int",
    "time": "time",
    "label": "int",
    "score": "float",
    "rules": "float",
    "probability": "float",
    "by_version": "flag",
    "type": "int",
    **dict.fromkeys(FEATURES, "float"),
}
_COUNT = text(f"SELECT count(*) {_FROM} {_WHERE}")

_SPOKEN = f"""
    SELECT l.probability
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    WHERE l.tenant_id = :tenant AND l.model_version = :version AND l.probability IS NOT NULL
      AND l.occurred_at >= :since AND l.occurred_at < :until
    ORDER BY hashint8(l.attendance_event_id) LIMIT {MOST}
"""  # noqa: S608

_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


@dataclass(frozen=True, slots=True)
class Served:
    """Unvoided punches as served, newest first; ``total`` counts those of the period.

    ``columns`` has what _COLUMNS names: times in microseconds of Unix time, ``label`` 1 for
    fraud, 0 for genuine, -1 for not reviewed, ``type`` a number of the fraud type or NO_ANOMALY.
    """

    columns: Columns
    total: int

    def __len__(self) -> int:
        return len(self.columns["punch"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    @property
    def vectors(self) -> FloatArray:
        """(rows, 12) as stored, NaN where missing."""
        return np.column_stack([self.columns[name] for name in FEATURES])


def read(
    since: dt.datetime,
    until: dt.datetime,
    *,
    tenant_id: int,
    now: dt.datetime,
    version: str = "",
    spread: bool = False,
    most: int = MOST,
) -> Served:
    """Punches from ``since`` to before ``until``: of more than ``most`` the newest.

    With ``spread`` a selection from the whole period instead, by a hash of the punch's id, so
    that the same ones are chosen each time. ``by_version`` marks those that ``version`` served;
    a verdict of later than ``now`` does not count. A query per BATCH, and one that counts.
    """
    params = {
        "tenant": tenant_id,
        "now": now,
        "version": version,
        "since": since,
        "before": until,
        "before_id": 0,
        "one_in": 1,
    }
    total = int(session().scalar(_COUNT, params) or 0)
    params["one_in"] = max(1, ceil(total / most)) if spread else 1
    batches = list(_batches(params, most))
    return Served(
        {name: np.concatenate([batch[name] for batch in batches]) for name in _COLUMNS}, total
    )


def _batches(params: dict[str, object], most: int) -> Iterator[Columns]:
    left = most
    while True:
        size = min(BATCH, left)
        batch = read_columns(_PUNCHES, params | {"size": size}, _COLUMNS)
        yield batch
        left -= len(batch["punch"])
        if len(batch["punch"]) < size or left <= 0:
            return
        last = np.lexsort((batch["punch"], batch["time"]))[0]
        params = params | {
            "before": moment(batch["time"][last]),
            "before_id": int(batch["punch"][last]),
        }


def spoken(version: str, since: dt.datetime, until: dt.datetime, *, tenant_id: int) -> FloatArray:
    """What the model said, alone, of punches of the period: as the one who scored or as a shadow.

    At most MOST of them, spread over the period.
    """
    params = {"tenant": tenant_id, "version": version, "since": since, "until": until}
    return read_columns(_SPOKEN, params, {"probability": "float"})["probability"]


def moment(microseconds: int | np.int64) -> dt.datetime:
    """The time of that many microseconds of Unix time."""
    return _EPOCH + dt.timedelta(microseconds=int(microseconds))


def including(until: dt.datetime) -> dt.datetime:
    """The end of a period that ``until`` still belongs to."""
    return until + dt.timedelta(microseconds=1)
