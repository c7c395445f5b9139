"""Scoring with a model, and beside a history that grows from ten thousand punches to a million."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from tests.bench import punches
from tests.bench.figures import Figure
from tests.bench.house import TENANT, House

HISTORY = (10_000, 100_000, 1_000_000)
PEOPLE = 5_000
LABELLED = 2_000

_PEOPLE = """
    INSERT INTO person (tenant_id, code, name, home_site_id)
    SELECT %(tenant)s, 'H' || n, 'Guard of the past ' || n, %(site)s
    FROM generate_series(1, %(people)s::bigint) AS n ON CONFLICT DO NOTHING
"""
# Clock-ins and -outs of 90 days, each a few minutes around the same hour, as habits have it.
_PUNCHES = """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        received_at, scored_at, lat, lon, gps_accuracy, biometric_quality_score, mock_location)
    SELECT %(tenant)s, %(name)s::text || n, p.id, %(site)s,
        CASE WHEN n %% 2 = 0 THEN 'in' ELSE 'out' END, t.at, t.at, t.at,
        51.5074 + random() / 3000, -0.1278 + random() / 3000, 6 + 14 * random(),
        0.9 + 0.08 * random(), false
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS nth FROM person
          WHERE tenant_id = %(tenant)s AND code LIKE 'H%%') p ON p.nth = n %% %(people)s::bigint
    CROSS JOIN LATERAL (SELECT now() - interval '1 day' * (1 + n / %(people)s::bigint * 0.4)
        - interval '1 minute' * (random() * 20)) t(at)
"""
_PREDICTIONS = """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, features, fraud_score, rule_score, risk_level, model_type, model_version,
        reasons, actual_fraud_detected, label_source, labelled_at)
    SELECT %(tenant)s, gen_random_uuid(), e.id, e.person_id, e.site_id, e.occurred_at,
        jsonb_build_array(e.biometric_quality_score, e.gps_accuracy, 0, 0, 1, 5, null, 0, 1,
            -80 + 20 * random(), CASE WHEN f.fraud THEN 5 ELSE 60 END + 20 * random(), 6),
        0.02, 0.02 + 0.3 * random(), 'MINIMAL', 'rules', 'rules', '[]',
        CASE WHEN %(labelled)s::boolean THEN f.fraud END,
        CASE WHEN %(labelled)s::boolean THEN 'review' END,
        CASE WHEN %(labelled)s::boolean THEN e.occurred_at + interval '1 hour' END
    FROM attendance_event e
    CROSS JOIN LATERAL (SELECT e.id %% 10 = 0) f(fraud)
    WHERE e.tenant_id = %(tenant)s AND e.external_id LIKE %(name)s::text || '%%'
    ON CONFLICT DO NOTHING
"""


def with_model(house: House) -> list[Figure]:
    """``?score=now`` and a backlog where an XGBoost model scores, told with its reasons."""
    with house.database() as database:
        _fill(house, database, "labelled-", 1, LABELLED, labelled=True)
    started = time.perf_counter()
    house.instance.noc("train", "--tenant", TENANT)
    trained = time.perf_counter() - started
    house.instance.noc("models", "activate", "v1", "--tenant", TENANT)
    figures = [
        Figure(f"noc train, {LABELLED:,} labels, process start included", trained, "s"),
        *_named("with a model", punches.scored_at_once(house)),
        *_named("with a model", punches.backlog(house)),
    ]
    house.instance.noc("models", "rollback", "--tenant", TENANT)
    return figures


def history(house: House) -> list[Figure]:
    """The same punches scored beside histories of growing length: the cost stays flat."""
    figures = []
    done = 0
    for size in HISTORY:
        with house.database() as database:
            _fill(house, database, "past-", done + 1, size, labelled=False)
        done = size
        figures += _named(f"beside {size:,} punches", punches.scored_at_once(house))
        figures += _named(f"beside {size:,} punches", punches.backlog(house)[1:])
    return figures


def _fill(house: House, database: Any, name: str, first: int, last: int, *, labelled: bool) -> None:
    values = {
        "tenant": house.tenant_id,
        "site": house.site_id,
        "people": PEOPLE,
        "name": name,
        "first": first,
        "last": last,
        "labelled": labelled,
    }
    for statement in (_PEOPLE, _PUNCHES, _PREDICTIONS):
        database.execute(statement, values)


def _named(suffix: str, figures: list[Figure]) -> list[Figure]:
    return [replace(one, name=f"{one.name}, {suffix}") for one in figures]
