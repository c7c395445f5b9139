"""Phone signals: taken in over HTTP beside COPY alone, and collected for one person."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import threading
import time

from tests.bench.figures import Figure, latencies_ms, spread
from tests.bench.house import House

BATCH = 1000
BATCHES = 40
CLIENTS = 2

_number = itertools.count()


def ingest(house: House) -> list[Figure]:
    """Rows a second over HTTP in batches of 1,000, beside COPY and INSERT ON CONFLICT alone."""
    bodies = [json.dumps(_batch(house)).encode() for _ in range(BATCHES)]
    threads = [
        threading.Thread(target=_send, args=(house, bodies[n::CLIENTS])) for n in range(CLIENTS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = BATCH * BATCHES / (time.perf_counter() - started)
    return [
        Figure(
            "telemetry rows over HTTP",
            rate,
            "rows/s",
            must="> 20000",
            floor=_copy_alone(house),
            floor_name="COPY and INSERT ON CONFLICT",
        )
    ]


def collection(house: House) -> list[Figure]:
    """``telemetry/signals/<person>/`` for 120 minutes, afresh and from the cache."""
    connection = house.connection()
    guard = house.guards[0]

    def ping(_: int) -> None:
        connection.request("GET", "/healthz")
        connection.getresponse().read()

    floor_values = latencies_ms(ping, 200)
    floor = Figure("GET /healthz", sorted(floor_values)[len(floor_values) // 2], "ms")
    path = f"telemetry/signals/{guard}/"
    fresh = latencies_ms(lambda _: house.request(connection, "GET", f"{path}?fresh=1"), 100)
    kept = latencies_ms(lambda _: house.request(connection, "GET", path), 200)
    connection.close()
    return [
        *spread("signals of one person, afresh", fresh, "< 200", floor),
        *spread("signals of one person, cached", kept, "< 100", floor),
    ]


def _batch(house: House) -> list[dict[str, object]]:
    now = dt.datetime.now(dt.UTC)
    return [
        {
            "external_id": f"bench-{next(_number)}",
            "kind": "location",
            "person_id": random.choice(house.guards),
            "occurred_at": (now - dt.timedelta(seconds=random.uniform(0, 7200))).isoformat(),
            "lat": 51.5 + random.uniform(-0.01, 0.01),
            "lon": -0.12 + random.uniform(-0.01, 0.01),
            "accuracy": 8.0,
        }
        for _ in range(BATCH)
    ]


def _send(house: House, bodies: list[bytes]) -> None:
    connection = house.connection()
    for body in bodies:
        house.request(connection, "POST", "telemetry/events/", body)
    connection.close()


def _copy_alone(house: House) -> float:
    """Floor: the same rows through a temporary table, on one connection, without HTTP."""
    tenant_id = house.tenant_id
    with house.database() as database:
        database.execute(
            "CREATE TEMPORARY TABLE incoming (external_id text, person_id bigint,"
            " occurred_at timestamptz, lat float8, lon float8, accuracy float8)"
            " ON COMMIT DELETE ROWS"
        )
        batches = [_batch(house) for _ in range(BATCHES)]
        started = time.perf_counter()
        for batch in batches:
            with database.transaction():
                with database.cursor().copy("COPY incoming FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row([row[name] for name in _COLUMNS])
                database.execute(
                    "INSERT INTO location_update"
                    " (tenant_id, external_id, person_id, occurred_at, lat, lon, accuracy)"
                    " SELECT %s, * FROM incoming ON CONFLICT DO NOTHING",
                    (tenant_id,),
                )
        return BATCH * BATCHES / (time.perf_counter() - started)


_COLUMNS = ("external_id", "person_id", "occurred_at", "lat", "lon", "accuracy")
