"""Scored punches by the hundred, in one statement each: something to draw from and to review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from noc.database.base import new_uuid
from noc.domain import risk_level
from noc.fraud.models import PredictionLog
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make

DAY = dt.timedelta(days=1)
YESTERDAY = (NOW - DAY).date()

_PUNCHES = text(
    """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        mock_location, scored_at)
    SELECT :tenant, :name || '-' || n, :person, :site, 'in',
        CAST(:start AS timestamptz) + n * CAST(:step AS interval), false, :start
    FROM generate_series(0, :count - 1) AS n
    ORDER BY n
    RETURNING id
    """
)
_SCORES = text(
    """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, features, fraud_score, risk_level, model_type, model_version, reasons)
    SELECT :tenant, gen_random_uuid(), e.id, e.person_id, e.site_id, e.occurred_at, '[]'::jsonb,
        r.score, 'LOW', 'rules', 'rules', '[]'::jsonb
    FROM unnest(CAST(:punches AS bigint[]), CAST(:scores AS float8[])) AS r(punch, score)
    JOIN attendance_event e ON e.tenant_id = :tenant AND e.id = r.punch
    """
)


def punches(
    make: Make,
    scores: Sequence[float],
    *,
    site: Site | None = None,
    person: Person | None = None,
    day: dt.date = YESTERDAY,
) -> list[int]:
    """One scored punch for each score, spread over the UTC day; their ids in the same order."""
    site = site or make.site()
    person = person or make.person(site)
    start = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    ids = make.session.scalars(
        _PUNCHES,
        {
            "tenant": make.tenant_id,
            "name": new_uuid().hex,
            "person": person.id,
            "site": site.id,
            "start": start,
            "step": (DAY / max(len(scores), 1)) - dt.timedelta(microseconds=1),
            "count": len(scores),
        },
    ).all()
    parameters = {"tenant": make.tenant_id, "punches": sorted(ids), "scores": list(scores)}
    make.session.execute(_SCORES, parameters)
    return sorted(ids)


def shadow(make: Make, punch_id: int, score: float = 0.1, version: str = "v1") -> PredictionLog:
    """What a model that only watches said of the punch."""
    served = prediction(make, punch_id)
    values: dict[str, Any] = {
        "attendance_event_id": punch_id,
        "person_id": served.person_id,
        "site_id": served.site_id,
        "occurred_at": served.occurred_at,
        "features": [],
        "fraud_score": score,
        "probability": score,
        "risk_level": risk_level(score),
        "model_type": "logistic",
        "model_version": version,
        "is_shadow": True,
        "reasons": [],
    }
    return make.row(PredictionLog, values)


def prediction(make: Make, punch_id: int) -> PredictionLog:
    """The served prediction of a punch, as it is stored now."""
    query = (
        make.session.query(PredictionLog)
        .filter_by(tenant_id=make.tenant_id, attendance_event_id=punch_id, is_shadow=False)
        .populate_existing()
    )
    return query.one()
