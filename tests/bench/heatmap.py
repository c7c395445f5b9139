"""The fraud heatmap beside a million scored punches.

Two hundred sites on three clocks (one of them half an hour off), five thousand guards, ninety days:
what a house of that size scores in a quarter. The rows are made by the database itself, what is
measured goes through REST: the longest period of the page (half of the rows) from the rows alone,
then with the days that are over packed, as they are from ten minutes after; anew and kept. That
the rows are read from an index alone is checked: from the table it takes seconds.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from dataclasses import replace

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from noc import create_app
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud import score_days
from noc.settings import load_settings, read_owner_url
from tests.bench.figures import Figure, latencies_ms, percentile, spread
from tests.bench.house import House

PUNCHES = int(os.environ.get("BENCH_PUNCHES", "1000000"))
SITES, GUARDS, DAYS = 200, 5000, 90
ASKED = 45
"""Days of the longest period that the page offers."""

TENANT = "scored"
CAPABILITIES = ("noc:view", "security:fraud:view", "admin")

_PLACES = """
    INSERT INTO site (tenant_id, code, name, timezone, lat, lon, geofence_radius)
    SELECT %(tenant)s, 'F' || n, 'Site ' || n,
        (ARRAY['Europe/London', 'Asia/Kolkata', 'America/New_York'])[1 + n %% 3],
        51 + n / 1000.0, n / 500.0, 150
    FROM generate_series(1, %(sites)s::int) AS n
"""
_PEOPLE = """
    INSERT INTO person (tenant_id, code, name, home_site_id)
    SELECT %(tenant)s, 'F' || n, 'Guard ' || n, s.id
    FROM generate_series(1, %(guards)s::int) AS n
    JOIN site s ON s.tenant_id = %(tenant)s AND s.code = 'F' || (n %% %(sites)s::int + 1)
"""
# In the order of time, as punches come; one in a thousand was voided later.
_ROWS = """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        received_at, scored_at, voided_at)
    SELECT %(tenant)s, 'scored-' || n, p.id, p.home_site_id,
        CASE WHEN n %% 2 = 0 THEN 'in' ELSE 'out' END, t.at, t.at, t.at,
        CASE WHEN n %% 1000 = 0 THEN t.at END
    FROM generate_series(1, %(punches)s::int) AS n
    JOIN (SELECT id, home_site_id, row_number() OVER (ORDER BY id) - 1 AS nth FROM person
          WHERE tenant_id = %(tenant)s) p ON p.nth = n * 7919::bigint %% %(guards)s::int
    CROSS JOIN LATERAL (
        SELECT now() - interval '1 day' * (%(days)s::float8 - 0.01)
            * (1 - n::float8 / %(punches)s::int)) t(at)
    ORDER BY n
"""
_SCORES = """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, predicted_at, features, fraud_score, rule_score, risk_level, model_type,
        model_version, reasons, actual_fraud_detected, label_source, labelled_at)
    SELECT %(tenant)s, gen_random_uuid(), e.id, e.person_id, e.site_id, e.occurred_at,
        e.occurred_at,
        jsonb_build_array(0.93, 8.5, 12.5, 0, 1, 5.25, null, 0, 1, -71.5, 62, 6),
        f.score, f.score, 'MINIMAL', 'rules', 'rules',
        jsonb_build_array(jsonb_build_object('rule', 'GPS_SPOOFING', 'feature', null, 'weight', 0.5,
            'sentence', 'The phone reported a made-up place, 42 km from the site.')),
        CASE WHEN f.score > 0.8 AND e.id %% 2 = 0 THEN e.id %% 10 < 8 END,
        CASE WHEN f.score > 0.8 AND e.id %% 2 = 0 THEN 'review' END,
        CASE WHEN f.score > 0.8 AND e.id %% 2 = 0 THEN e.occurred_at + interval '1 hour' END
    FROM attendance_event e
    CROSS JOIN LATERAL (SELECT power((e.id * 7919 %% 10007) / 10007.0, 12) AS score) f
    WHERE e.tenant_id = %(tenant)s
    ORDER BY e.id
"""


def heatmap(house: House) -> list[Figure]:
    """Answers of REST, anew and kept."""
    big = load(house)
    tokens = house.instance.tokens
    before, tokens["bench"] = tokens["bench"], tokens[TENANT]
    hour, day = f"?days={ASKED}", f"?days={ASKED}&by=day"
    try:
        figures = _asked(big, {"by hour, from rows": (f"{hour}&fresh=1", "")})
        _pack(big)
        return figures + _asked(
            big,
            {
                "by hour": (f"{hour}&fresh=1", "< 500"),
                "by day": (f"{day}&fresh=1", "< 500"),
                "by hour, 30 days": ("?days=30&fresh=1", "< 500"),
                "by hour, kept": (hour, "< 100"),
            },
        )
    finally:
        tokens["bench"] = before


def _asked(big: House, asked: dict[str, tuple[str, str]]) -> list[Figure]:
    connection = big.connection()

    def ping(_: int) -> None:
        connection.request("GET", "/healthz")
        connection.getresponse().read()

    floor = Figure("GET /healthz", percentile(latencies_ms(ping, 100), 0.5), "ms")
    figures = []
    for name, (query, must) in asked.items():

        def ask(_: int, query: str = query) -> None:
            big.request(connection, "GET", f"security/fraud-scores/heatmap/{query}")

        ask(0)
        figures += spread(f"heatmap {name}", latencies_ms(ask, 50), must, floor)
    connection.close()
    return figures


def _pack(house: House) -> None:
    """Do what the job does; AssertionError where rows would be read from the table itself."""
    app = create_app(load_settings(noc_data_dir=house.instance.data_dir))
    started = time.perf_counter()
    with app.app_context(), tenant_context(session(), house.tenant_id):
        now = utcnow()
        since = {"tenant": house.tenant_id, "since": now - dt.timedelta(days=ASKED), "until": now}
        plan = session().scalars(text(f"EXPLAIN {score_days.SCORES}"), since).all()
        days = score_days.missing_days(tenant_id=house.tenant_id, now=now)
        for day in days:
            session().commit()
            assert score_days.pack(day, tenant_id=house.tenant_id)
        session().commit()
    scans = [line.strip() for line in plan if "fraud_prediction_log" in line]
    assert scans, plan
    assert all("Index Only Scan" in line for line in scans), scans
    print(f"{len(days)} days packed in {time.perf_counter() - started:.1f} s")


def load(house: House) -> House:
    """The house of a tenant of its own, with its million punches."""
    instance = house.instance
    instance.add_tenant(TENANT, *CAPABILITIES)
    tenant_id = instance.get("me/", token=TENANT).data["tenant"]["id"]
    named = {
        "tenant": tenant_id,
        "sites": SITES,
        "guards": GUARDS,
        "punches": PUNCHES,
        "days": DAYS,
    }
    big = replace(house, tenant_id=tenant_id)
    started = time.perf_counter()
    with big.database() as database:
        for statement in (_PLACES, _PEOPLE, _ROWS, _SCORES):
            database.execute(statement, named)
    owner = make_url(read_owner_url(instance.data_dir)).set(drivername="postgresql")
    plain = owner.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE attendance_event, fraud_prediction_log")
    print(f"{PUNCHES:,} scored punches made in {time.perf_counter() - started:.0f} s")
    return big
