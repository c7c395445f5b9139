"""Punches: to the feed, scored at once, and a backlog worked off by the workers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import time
from typing import Any

from tests.bench.figures import Figure, latencies_ms, percentile, spread
from tests.bench.house import House
from tests.feed_client import FeedClient

BATCH = 1000
BACKLOG = 10_000

_number = itertools.count()


def punch(
    house: House, guard: int, *, clean: bool, at: dt.datetime | None = None
) -> dict[str, Any]:
    """A punch at the site, or one with a mocked place far away."""
    return {
        "external_id": f"bench-{next(_number)}",
        "person_id": guard,
        "site_id": house.site_id,
        "kind": "presence",
        "occurred_at": (at or dt.datetime.now(dt.UTC)).isoformat(),
        # No two fixes are alike: equal ones would rightly be taken for a replay.
        "lat": (51.5074 if clean else 51.9) + random.uniform(-3e-4, 3e-4),
        "lon": -0.1278 + random.uniform(-3e-4, 3e-4),
        "gps_accuracy": random.uniform(6, 20),
        "biometric_quality_score": random.uniform(0.9, 0.98) if clean else 0.2,
        "mock_location": not clean,
    }


def one_row_commit(house: House) -> Figure:
    """Floor: one row inserted and committed, on a kept-open connection."""
    with house.database() as database:
        tenant_id = house.tenant_id

        def insert(_: int) -> None:
            database.execute(
                "INSERT INTO attendance_event"
                " (tenant_id, external_id, person_id, site_id, kind, occurred_at, scored_at)"
                " VALUES (%s, %s, %s, %s, 'in', now(), now())",
                (tenant_id, f"floor-{next(_number)}", house.guards[0], house.site_id),
            )

        return Figure("one row, committed", percentile(latencies_ms(insert, 300), 0.5), "ms")


def to_the_feed(house: House, times: int = 150) -> list[Figure]:
    """From sending a fraudulent punch to its alert on a client's feed."""
    floor = one_row_commit(house)
    connection = house.connection()
    feed = FeedClient(house.instance.feed_url, house.token)
    feed.wait_for_type("hello")

    def send(i: int) -> None:
        guard = house.guards[i % len(house.guards)]
        body = json.dumps(punch(house, guard, clean=False)).encode()
        house.request(connection, "POST", "attendance/events/", body)
        feed.frames.clear()
        feed.wait_for(
            lambda frame: frame["type"] == "alert_created" and frame["person_id"] == guard
        )

    measured = latencies_ms(send, times)
    feed.close()
    connection.close()
    return spread("punch to alert on the feed", measured, "< 1000", floor)


def scored_at_once(house: House, times: int = 300) -> list[Figure]:
    """``?score=now`` for one clean punch, answered with its score."""
    floor = one_row_commit(house)
    connection = house.connection()

    def send(i: int) -> None:
        body = json.dumps(punch(house, house.guards[i % len(house.guards)], clean=True)).encode()
        house.request(connection, "POST", "attendance/events/?score=now", body)

    measured = latencies_ms(send, times)
    connection.close()
    return spread("?score=now, one punch", measured, "< 100", floor)


def backlog(house: House) -> list[Figure]:
    """A backlog sent in batches of 1,000, until the workers have scored the last of it."""
    connection = house.connection()
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=20)
    batches = [
        json.dumps(
            [
                punch(
                    house,
                    house.guards[(b * BATCH + n) % len(house.guards)],
                    clean=True,
                    at=start + dt.timedelta(seconds=(b * BATCH + n) * 20),
                )
                for n in range(BATCH)
            ]
        ).encode()
        for b in range(BACKLOG // BATCH)
    ]
    started = time.perf_counter()
    for body in batches:
        house.request(connection, "POST", "attendance/events/", body)
    stored = time.perf_counter() - started
    with house.database() as database:
        while _unscored(database):
            time.sleep(0.05)
    scored = time.perf_counter() - started
    connection.close()
    return [
        Figure("punches stored over HTTP", BACKLOG / stored, "/s"),
        Figure("punches stored and scored", BACKLOG / scored, "/s", must="> 1000"),
    ]


def _unscored(database: Any) -> int:
    query = "SELECT count(*) FROM attendance_event WHERE scored_at IS NULL"
    count: int = database.execute(query).fetchone()[0]
    return count
