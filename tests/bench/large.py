"""A large house: 1,000 sites, 5,000 guards on duty, 10 million telemetry rows of a month.

The rows are made by the database itself; what is measured goes through the product. Plans of the
statements that read telemetry are checked: none may scan a partitioned table from end to end.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from sqlalchemy import TextClause, text
from sqlalchemy.engine import make_url

from noc import create_app
from noc.audit import cycle, watch
from noc.database.base import utcnow
from noc.database.partitions import ensure_partitions
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.incidents import correlation
from noc.incidents.scoring import Signal
from noc.settings import load_settings, read_owner_url
from noc.telemetry import collection
from tests.bench.figures import Figure, latencies_ms, percentile, spread
from tests.bench.house import House
from tests.bench.telemetry import ingest

ROWS = int(os.environ.get("BENCH_TELEMETRY_ROWS", "10000000"))
SITES, GUARDS = 1000, 5000
DAYS = 30
TENANT = "large"
CAPABILITIES = ("noc:view", "noc:operate", "noc:ingest", "admin")

_SHARES = {"location_update": 0.7, "phone_event": 0.25, "task_completion": 0.05}

_PLACES = """
    INSERT INTO site (tenant_id, code, name, timezone, lat, lon, geofence_radius)
    SELECT %(tenant)s, 'L' || n, 'Site ' || n, 'Europe/London', 51 + n / 1000.0, 0, 150
      FROM generate_series(1, %(sites)s) AS n
"""
_PEOPLE = """
    INSERT INTO person (tenant_id, code, name, home_site_id)
    SELECT %(tenant)s, 'L' || n, 'Guard ' || n, s.id
      FROM generate_series(1, %(guards)s) AS n
      JOIN site s ON s.tenant_id = %(tenant)s AND s.code = 'L' || (n %% %(sites)s + 1)
"""
_SHIFTS = """
    INSERT INTO shift (tenant_id, person_id, site_id, starts_at, ends_at)
    SELECT tenant_id, id, home_site_id, now() - interval '4 hours', now() + interval '4 hours'
      FROM person WHERE tenant_id = %(tenant)s AND home_site_id IS NOT NULL
"""
# Denser towards now, as a month of which the last hours are asked about most.
_COLUMNS = {
    "location_update": (
        "lat, lon, accuracy",
        "p.lat + random() * 0.001, random() * 0.001, 8",
    ),
    "phone_event": ("event_type", "'screen_on'"),
    "task_completion": ("task", "'patrol'"),
}
_ROWS = """
    INSERT INTO {table} (tenant_id, external_id, occurred_at, person_id, {columns})
    SELECT %(tenant)s, '{table}-' || %(part)s || '-' || n,
           now() - power(random(), 2) * interval '{days} days', p.id, {values}
      FROM generate_series(1, %(count)s) AS n
      JOIN large_people p ON p.k = n %% {guards}
"""


def large(house: House) -> list[Figure]:
    """Collection, correlation, the audit cycle and ingest beside ten million rows."""
    instance = house.instance
    instance.add_tenant(TENANT, *CAPABILITIES)
    tenant_id = instance.get("me/", token=TENANT).data["tenant"]["id"]
    big = replace(house, tenant_id=tenant_id)
    loaded = _load(big)
    with _inside(big) as people:
        _check_plans(tenant_id, people)
        figures = [*_audits(tenant_id), *_correlations(tenant_id)]
    with _as_tenant(big):
        figures += _collections(big, people)
        big.guards[:] = people
        (taken,) = ingest(big)
    named = replace(taken, name=f"telemetry over HTTP beside {loaded / 1e6:.0f} M rows")
    return [*figures, named]


@contextmanager
def _as_tenant(house: House) -> Iterator[None]:
    """The house's requests go to the large tenant meanwhile."""
    tokens, guards = house.instance.tokens, list(house.guards)
    before = tokens["bench"]
    tokens["bench"] = tokens[TENANT]
    try:
        yield
    finally:
        tokens["bench"] = before
        house.guards[:] = guards


@contextmanager
def _inside(house: House) -> Iterator[list[int]]:
    """An application on the instance's database, working for the tenant; its people's ids."""
    app = create_app(load_settings(noc_data_dir=house.instance.data_dir))
    with app.app_context(), tenant_context(session(), house.tenant_id):
        people = session().scalars(text("SELECT id FROM person ORDER BY id")).all()
        yield list(people)
        session().rollback()


def _load(house: House) -> int:
    app = create_app(load_settings(noc_data_dir=house.instance.data_dir))
    with app.app_context():
        now = utcnow()
        ensure_partitions(session(), [now - dt.timedelta(days=n) for n in range(DAYS + 2)])
        session().commit()
    named = {"tenant": house.tenant_id, "sites": SITES, "guards": GUARDS}
    with house.database() as database:
        for statement in (_PLACES, _PEOPLE, _SHIFTS):
            database.execute(statement, named)
    parts = [
        (table, part, int(ROWS * share) // 10)
        for table, share in _SHARES.items()
        for part in range(10)
    ]
    started = time.perf_counter()
    threads = [threading.Thread(target=_fill, args=(house, parts[n::2])) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = sum(count for _, _, count in parts)
    print(f"{rows:,} telemetry rows made in {time.perf_counter() - started:.0f} s")
    owner = make_url(read_owner_url(house.instance.data_dir)).set(drivername="postgresql")
    plain = owner.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return rows


def _fill(house: House, parts: list[tuple[str, int, int]]) -> None:
    with house.database() as database:
        database.execute(
            "CREATE TEMPORARY TABLE large_people AS"
            " SELECT p.id, s.lat, row_number() OVER (ORDER BY p.id) - 1 AS k"
            " FROM person p JOIN site s ON s.id = p.home_site_id"
        )
        for table, part, count in parts:
            columns, values = _COLUMNS[table]
            statement = _ROWS.format(
                table=table, columns=columns, values=values, days=DAYS, guards=GUARDS
            )
            database.execute(
                statement,  # type: ignore[arg-type]
                {"tenant": house.tenant_id, "part": part, "count": count},
            )


def _check_plans(tenant_id: int, people: list[int]) -> None:
    """AssertionError naming the statement that would read a partitioned table whole."""
    now = utcnow()
    window = {"start": now - watch.WINDOW, "end": now}
    asked: tuple[tuple[str, TextClause, dict[str, Any]], ...] = (
        (
            "one person",
            collection._COLLECT,
            {"tenant_id": tenant_id, "people": people[:1], **window},
        ),
        ("everybody", collection._COLLECT, {"tenant_id": tenant_id, "people": people, **window}),
        (
            "whereabouts",
            watch._FIXES,
            {"tenant": tenant_id, "people": people, "since": now - watch.PLACES_WINDOW, "at": now},
        ),
    )
    for name, statement, parameters in asked:
        plan = session().scalars(text(f"EXPLAIN {statement.text}"), parameters).all()
        scans = [line.strip() for line in plan if "Seq Scan on" in line]
        whole = [line for line in scans if any(f" {table}_p" in line for table in _SHARES)]
        assert not whole, f"{name} scans a partitioned table: {whole}"


def _audits(tenant_id: int) -> list[Figure]:
    """Both cycles, for real, beside the one query that reads the window's signals."""
    figures = []
    now = utcnow()
    people = list(session().scalars(text("SELECT id FROM person")))

    def collect(_: int) -> None:
        collection.collect_signals(people, tenant_id=tenant_id, start=now - watch.WINDOW, end=now)

    floor = percentile(latencies_ms(collect, 3), 0.5) / 1000
    # At last everybody is silent: the worst there can be, a finding for each and all the tickets.
    later = now + dt.timedelta(minutes=30)
    for name, kind, at in (
        ("heartbeat", "heartbeat", now),
        ("comprehensive audit", "comprehensive", now),
        ("heartbeat, all silent", "heartbeat", later),
    ):
        started = time.perf_counter()
        outcome = cycle.run(kind, at, tenant_id=tenant_id, now=at)  # type: ignore[arg-type]
        session().commit()
        seconds = time.perf_counter() - started
        print(f"{name}: {outcome.on_duty:,} on duty, {len(outcome.created):,} new findings")
        figures.append(
            Figure(
                f"{name}, {SITES:,} sites, {outcome.on_duty:,} on duty",
                seconds,
                "s",
                must="< 30",
                floor=floor,
                floor_name="signals of all collected, s",
            )
        )
    return figures


def _correlations(tenant_id: int) -> list[Figure]:
    now = utcnow()
    person = session().execute(text("SELECT id, home_site_id FROM person LIMIT 1")).one()

    def ask(_: int) -> None:
        session().execute(text("SELECT 1"))

    def correlate(n: int) -> None:
        signal = Signal(f"bench:{n}", "LOW", "HIGH", person.home_site_id, person.id, now, now)
        correlation.correlate([signal], tenant_id=tenant_id, now=now, window_minutes=15)
        session().commit()

    session().execute(
        text(
            "INSERT INTO noc_alert_event (tenant_id, alert_type, severity, message, dedup_key,"
            " person_id, site_id, occurred_at, last_seen_at)"
            " SELECT :tenant, 'BENCH', 'HIGH', 'x', 'bench-' || n, p.id, p.home_site_id,"
            " now() - n * interval '1 second', now()"
            " FROM generate_series(1, 20000) n JOIN LATERAL"
            " (SELECT id, home_site_id FROM person OFFSET n % 5000 LIMIT 1) p ON true"
        ),
        {"tenant": tenant_id},
    )
    session().commit()
    floor = Figure("SELECT 1", percentile(latencies_ms(ask, 100), 0.5), "ms")
    return spread("correlation of one signal", latencies_ms(correlate, 100), "< 500", floor)


def _collections(house: House, people: list[int]) -> list[Figure]:
    connection = house.connection()
    with house.database() as database:
        (site_id,) = database.execute("SELECT min(id) FROM site").fetchone() or (0,)

    def ping(_: int) -> None:
        connection.request("GET", "/healthz")
        connection.getresponse().read()

    floor = Figure("GET /healthz", percentile(latencies_ms(ping, 100), 0.5), "ms")

    def one(n: int) -> None:
        person = people[n * 37 % len(people)]
        house.request(connection, "GET", f"telemetry/signals/{person}/?fresh=1")

    def site(_: int) -> None:
        house.request(connection, "GET", f"telemetry/signals/site/{site_id}/?fresh=1")

    figures = [
        *spread("signals of one person beside them", latencies_ms(one, 100), "< 200", floor),
        *spread("signals of a site beside them", latencies_ms(site, 50), "< 500", floor),
    ]
    connection.close()
    return figures
