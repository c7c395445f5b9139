"""Scored and labelled punches by the hundred, without scoring: something to train on."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
from sqlalchemy import text

from noc.database.base import new_uuid
from noc.fraud.columns import FloatArray
from noc.fraud.features import FEATURES
from noc.workforce.models import Site
from tests.factories import NOW, Make

_PUNCHES = text(
    """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        received_at, scored_at, mock_location)
    SELECT :tenant, r.name, r.person, r.site, 'in', r.at, r.at, r.at, false
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(name text, person bigint, site bigint, at timestamptz)
    RETURNING id, external_id
    """
)
_PREDICTIONS = text(
    """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, predicted_at, features, fraud_score, probability, rule_score, risk_level,
        model_type, model_version, reasons, actual_fraud_detected, label_source, labelled_at)
    SELECT :tenant, r.id, r.punch, r.person, r.site, r.at, r.at, r.features, r.score,
        r.probability, r.rules, 'LOW', r.version, r.version, '[]', r.fraud, r.source, r.labelled
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, punch bigint, person bigint,
        site bigint, at timestamptz, features jsonb, score float8, probability float8,
        rules float8, version text, fraud boolean, source text, labelled timestamptz)
    """
)


def vectors(fraud: FloatArray, seed: int = 0, *, apart: float = 6.0) -> FloatArray:
    """(rows, 12): frauds punch outside and with another face, ``apart`` deviations away."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(fraud), len(FEATURES)))
    values[:, FEATURES.index("geofence_distance_meters")] += apart * fraud
    values[:, FEATURES.index("biometric_quality_score")] -= apart * fraud
    values[rng.random(values.shape) < 0.05] = np.nan
    return values


def labelled(
    make: Make,
    count: int = 600,
    *,
    share: float = 0.25,
    now: dt.datetime = NOW,
    days: float = 60,
    apart: float = 6.0,
    features: FloatArray | None = None,
    fraud: FloatArray | None = None,
    verdict_after: dt.timedelta = dt.timedelta(days=1),
    labels: bool = True,
    site: Site | None = None,
    version: str = "rules",
    scores: FloatArray | None = None,
    seed: int = 0,
) -> list[int]:
    """``count`` punches over the ``days`` before yesterday, their ids in the order of time.

    The rules know little of them. ``labels`` False leaves all of them unreviewed.
    """
    rng = np.random.default_rng(seed + 1)
    fraud = (rng.random(count) < share).astype(float) if fraud is None else fraud
    features = vectors(fraud, seed, apart=apart) if features is None else features
    rules = np.clip(0.1 + 0.1 * fraud + rng.normal(0, 0.1, count), 0, 0.7)
    scores = rules if scores is None else scores
    site = site or make.site()
    people = [make.person(site).id for _ in range(20)]
    spread = np.sort(rng.random(count)) * days * 86_400
    start = now - dt.timedelta(days=days + 1.1)
    times = [start + dt.timedelta(seconds=float(s)) for s in spread]
    rows: list[dict[str, Any]] = [
        {
            "name": f"l{seed}-{version}-{n}",
            "person": people[n % 20],
            "site": site.id,
            "at": times[n].isoformat(),
            "id": str(new_uuid()),
            "features": [None if np.isnan(v) else round(float(v), 6) for v in features[n]],
            "score": float(scores[n]),
            "probability": float(scores[n]) if version != "rules" else None,
            "rules": float(rules[n]),
            "version": version,
            "fraud": bool(fraud[n]) if labels else None,
            "source": "review" if labels else None,
            "labelled": (times[n] + verdict_after).isoformat() if labels else None,
        }
        for n in range(count)
    ]
    made = make.session.execute(
        _PUNCHES, {"tenant": make.tenant_id, "rows": json.dumps(rows)}
    ).all()
    ids = {row.external_id: row.id for row in made}
    for row in rows:
        row["punch"] = ids[row["name"]]
    make.session.execute(_PREDICTIONS, {"tenant": make.tenant_id, "rows": json.dumps(rows)})
    make.session.commit()
    return [row["punch"] for row in rows]
