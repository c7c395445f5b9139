"""Served punches by the hundred, and a tiny model that scores them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from noc.database.base import new_uuid
from noc.fraud.combination import Combination
from noc.fraud.features import FEATURES
from noc.fraud.registry import activation, serving, versions
from noc.fraud.registry.artefact import Artefact, pack
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.versions import Candidate
from noc.fraud.training import TrainedModel, fit
from noc.workforce.models import Person, Site
from tests.factories import Make

NOW = dt.datetime(2026, 11, 15, 4, 0, tzinfo=dt.UTC)
"""A Sunday morning; the week looked at is that of 8 to 14 November."""

MIDNIGHT = NOW.replace(hour=0)
DAY = dt.timedelta(days=1)

_PUNCHES = text(
    """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        received_at, scored_at, mock_location)
    SELECT :tenant, r.id::text, r.person, r.site, 'in', r.at, r.at, r.at, false
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, person bigint, site bigint,
        at timestamptz)
    RETURNING id, external_id
    """
)
_PREDICTIONS = text(
    """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, predicted_at, features, fraud_score, probability, rule_score, risk_level,
        model_type, model_version, is_shadow, reasons, actual_fraud_detected, label_source,
        labelled_at)
    SELECT :tenant, r.id, r.punch, r.person, r.site, r.at, r.at, r.features, r.score,
        r.probability, r.rules, 'LOW', r.version, r.version, false, '[]', r.fraud, r.source,
        r.labelled
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, punch bigint, person bigint,
        site bigint, at timestamptz, features jsonb, score float8, probability float8,
        rules float8, version text, fraud boolean, source text, labelled timestamptz)
    """
)
_ANOMALIES = text(
    """
    INSERT INTO attendance_anomaly_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, detected_at, anomaly_types, fraud_type, fraud_score, severity, evidence,
        reasons)
    SELECT :tenant, r.anomaly, r.punch, r.person, r.site, r.at, r.at, ARRAY[r.type], r.type,
        r.score, 'HIGH', '{}', '[]'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(anomaly uuid, punch bigint, person bigint,
        site bigint, at timestamptz, type text, score float8)
    WHERE r.type IS NOT NULL
    """
)

Vectors = NDArray[np.float64]


def vectors(count: int, seed: int = 0, fraud: NDArray[Any] | None = None) -> Vectors:
    """(count, 12) of standard normals, one in twenty missing; frauds are far outside the fence."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(count, len(FEATURES))), 6)
    if fraud is not None:
        values[:, FEATURES.index("geofence_distance_meters")] += 3.0 * fraud
    values[rng.random(values.shape) < 0.05] = np.nan
    return values


def serve(
    make: Make,
    times: Sequence[dt.datetime],
    scores: Sequence[float],
    *,
    features: Vectors | None = None,
    version: str = "rules",
    probabilities: Sequence[float] | None = None,
    rules: Sequence[float] | None = None,
    frauds: Sequence[bool | None] | None = None,
    labelled_at: dt.datetime | None = None,
    types: Sequence[str | None] | None = None,
    people: Sequence[Person] | None = None,
    site: Site | None = None,
) -> list[int]:
    """Punches with the scores they were served with; their ids, in the order given.

    ``types``: the fraud type of the anomaly that was logged, None for none. A verdict comes a day
    after the punch unless ``labelled_at`` says when.
    """
    site = site or make.site()
    people = people or [make.person(site)]
    values = features if features is not None else vectors(len(times))
    rows: list[dict[str, Any]] = []
    for n, at in enumerate(times):
        fraud = frauds[n] if frauds is not None else None
        rows.append(
            {
                "id": str(new_uuid()),
                "anomaly": str(new_uuid()),
                "person": people[n % len(people)].id,
                "site": site.id,
                "at": at.isoformat(),
                "features": [None if np.isnan(v) else float(v) for v in values[n]],
                "score": float(scores[n]),
                "probability": None if probabilities is None else float(probabilities[n]),
                "rules": float(scores[n] if rules is None else rules[n]),
                "version": version,
                "fraud": fraud,
                "source": None if fraud is None else "review",
                "labelled": None if fraud is None else (labelled_at or at + DAY).isoformat(),
                "type": types[n] if types is not None else None,
            }
        )
    params = {"tenant": make.tenant_id, "rows": json.dumps(rows)}
    made = {row.external_id: row.id for row in make.session.execute(_PUNCHES, params)}
    for row in rows:
        row["punch"] = made[row["id"]]
    params["rows"] = json.dumps(rows)
    make.session.execute(_PREDICTIONS, params)
    make.session.execute(_ANOMALIES, params)
    make.session.flush()
    return [row["punch"] for row in rows]


def spread(count: int, since: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """So many moments, evenly from ``since`` to before ``until``."""
    return [since + (until - since) * (n / count) for n in range(count)]


@pytest.fixture(scope="session")
def trained() -> TrainedModel:
    """A model of 300 synthetic rows."""
    fraud = (np.random.default_rng(5).random(300) < 0.3).astype(float)
    times = pd.Series(pd.date_range("2026-08-01", periods=300, freq="6h", tz="UTC"))
    frame = pd.DataFrame(vectors(300, 5, fraud), columns=list(FEATURES))
    return fit(frame, pd.Series(fraud), times, delay=DAY)


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


def register(
    make: Make,
    trained: TrainedModel,
    *,
    window: tuple[dt.datetime, dt.datetime] = (NOW - 60 * DAY, NOW - 10 * DAY),
    active: bool = True,
    weights: Combination | None = None,
    threshold: float = 0.5,
) -> FraudModel:
    """A version of it, active where not said otherwise."""
    model = versions.register(
        Candidate(
            model_type=trained.model_type,
            artefact=pack(Artefact(trained, weights or Combination(), threshold)),
            features=FEATURES,
            thresholds={"operating": threshold},
            calibration={},
            train_samples=300,
            positives=90,
            window=window,
            pr_auc=0.9,
            precision_at_80_recall=0.9,
            gate={"sentence": "Passed the gate."},
            report=trained.report,
        ),
        may_watch=True,
        tenant_id=make.tenant_id,
        now=window[1],
    )
    if active:
        activation.activate(model.id, tenant_id=make.tenant_id, now=window[1])
    make.session.commit()
    return model
