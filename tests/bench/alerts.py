"""Alerts: how many come in from many monitors at once, and what a list of them costs."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time

import psycopg

from tests.bench.figures import Figure, latencies_ms, percentile, spread
from tests.bench.house import CAPABILITIES, TENANT, House

TENANTS = (TENANT, "bench-2", "bench-3")
CLIENTS = 16
BATCH = 50
SECONDS = 10.0
COUNTS = (10_000, 100_000)

_number = itertools.count()

# Months of a busy company: most are over, one in twenty is open.
_FILL = """
    INSERT INTO noc_alert_event (tenant_id, alert_type, severity, message, dedup_key, site_id,
        occurred_at, created_at, last_seen_at, status, resolved_at, resolution)
    SELECT %(tenant)s, (ARRAY['DEVICE_OFFLINE', 'DOOR_OPEN', 'SOS'])[1 + n %% 3],
        (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[1 + (n + n / 20) %% 5], 'Alert ' || n,
        'fill-' || n, %(site)s, at, at, at, CASE WHEN is_open THEN 'NEW' ELSE 'RESOLVED' END,
        CASE WHEN NOT is_open THEN at END, CASE WHEN NOT is_open THEN 'FIXED' END
    FROM generate_series(%(first)s::int, %(last)s::int) AS n,
         LATERAL (SELECT now() - n * interval '2 minutes' AS at, n %% 20 = 0 AS is_open) AS kind
"""


def taken_in(house: House) -> list[Figure]:
    """New alerts a second from 16 clients of three tenants, in batches of 50 and one by one."""
    for tenant in TENANTS[1:]:
        house.instance.add_tenant(tenant, *CAPABILITIES)
    floor = Figure("commits of one alert, one client, no HTTP", _commits(house), "/s")
    beside = {"floor": floor.value, "floor_name": floor.name}
    batches, _ = _rate(house, BATCH)
    single, times = _rate(house, 1)
    return [
        Figure(f"alerts in, batches of {BATCH}", batches, "/s", must="> 1000", **beside),
        Figure("alerts in, one by one", single, "/s", **beside),
        Figure("one alert in, 16 at once, p99", percentile(times, 0.99), "ms"),
    ]


def listed(house: House) -> list[Figure]:
    """A page of 50 beside 10,000 and 100,000 alerts: the first, a later one, one site's open."""
    connection = house.connection()

    def ping(_: int) -> None:
        connection.request("GET", "/healthz")
        connection.getresponse().read()

    floor = Figure("GET /healthz", percentile(latencies_ms(ping, 200), 0.5), "ms")
    figures: list[Figure] = []
    filled = 0
    for count in COUNTS:
        _fill(house, filled + 1, count)
        filled = count
        page = house.request(connection, "GET", "alerts/?limit=500")["pagination"]["next_cursor"]
        for name, query in (
            ("first page", "limit=50"),
            ("later page", f"limit=50&cursor={page}"),
            ("open and HIGH or worse", "limit=50&open=true&min_severity=HIGH"),
        ):
            times = latencies_ms(
                lambda _, query=query: house.request(connection, "GET", f"alerts/?{query}"), 150
            )
            figures += spread(f"50 of {count:,} alerts, {name}", times, "< 50", floor)
    connection.close()
    return figures


def _rate(house: House, size: int) -> tuple[float, list[float]]:
    """Alerts a second that were answered as stored, and milliseconds of each call."""
    until = time.perf_counter() + SECONDS
    stored: list[int] = []
    times: list[float] = []
    errors: list[BaseException] = []

    def send(tenant: str) -> None:
        connection = house.connection()
        try:
            while time.perf_counter() < until:
                begun = time.perf_counter()
                stored.append(_post(house, connection, tenant, size))
                times.append((time.perf_counter() - begun) * 1000)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=send, args=(TENANTS[n % len(TENANTS)],)) for n in range(CLIENTS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(stored) / (time.perf_counter() - started), times


def _post(house: House, connection: http.client.HTTPConnection, tenant: str, size: int) -> int:
    reports = [
        {"alert_type": "DOOR_OPEN", "severity": "HIGH", "message": f"Door {number} is open"}
        | {"dedup_key": f"door-{number}"}
        for number in itertools.islice(_number, size)
    ]
    headers = {
        "Authorization": f"Bearer {house.instance.tokens[tenant]}",
        "Content-Type": "application/json",
    }
    connection.request("POST", "/api/v2/noc/alerts/", json.dumps(reports), headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status < 300, (answer.status, content[:500])
    items = json.loads(content)["data"]["items"]
    return sum(item["status"] == "stored" for item in items)


def _commits(house: House) -> float:
    """Alerts a second that one connection inserts and commits, one by one, and nothing else."""
    count = 1000
    with house.database() as connection:
        started = time.perf_counter()
        for number in range(count):
            connection.execute(
                "INSERT INTO noc_alert_event (tenant_id, alert_type, severity, message, dedup_key,"
                " occurred_at, created_at, last_seen_at)"
                " VALUES (%s, 'FLOOR', 'LOW', 'x', %s, now(), now(), now())",
                (house.tenant_id, f"floor-{number}"),
            )
        return count / (time.perf_counter() - started)


def _fill(house: House, first: int, last: int) -> None:
    with house.database() as connection:
        values = {"tenant": house.tenant_id, "site": house.site_id, "first": first, "last": last}
        connection.execute(_FILL, values)
    with psycopg.connect(_owner(house), autocommit=True) as owner:
        owner.execute("ANALYZE noc_alert_event")


def _owner(house: House) -> str:
    owner = json.loads((house.instance.data_dir / "owner.json").read_text())
    url: str = owner["database_admin_url"]
    return url.replace("postgresql+psycopg", "postgresql", 1)
