"""A thousand clients of the feed at twenty events a second, one of whom never reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.audience import WORD
from tests.bench.figures import Figure, latencies_ms, percentile
from tests.bench.house import House, build
from tests.feed_client import FeedClient
from tests.instance import running

CLIENTS = 1_000
RATE = 20.0
SECONDS = 30
PATH = "/ws/noc/dashboard/?types=alert_created"
SETTINGS = {
    "WEBSOCKET_RATE_LIMIT": "1000000",
    # One tenant may have seven eighths of the places.
    "WEB_THREADS": str(CLIENTS * 6 // 5 + 60),
    "WEBSOCKET_MAX_CONNECTIONS": str(CLIENTS * 6 // 5),
}


def crowd() -> list[Figure]:
    """Alert sent to alert received, on every client; beside one client alone."""
    with running(**SETTINGS) as instance:
        house = build(instance)
        alone = _alone(house)
        before = _cpu_seconds(house)
        report, seconds = _with_audience(house)
        busy = (_cpu_seconds(house) - before) / seconds
    clients = complete(report)
    floor = {"floor": alone.value, "floor_name": alone.name}
    name = f"feed, {CLIENTS:,} clients at {RATE:.0f} events/s"
    return [
        alone,
        Figure(f"{name} p50", report["p50"], "ms", **floor),
        Figure(f"{name} p99", report["p99"], "ms", must="< 200", **floor),
        Figure(f"{name}, slowest frame", report["worst"], "ms"),
        Figure("clients that had every event, in order", clients, "", must=f"{CLIENTS - 1}"),
        Figure("frames delivered", report["delivered"] / seconds, "/s"),
        Figure("of one core, the web process while connecting and pushing", busy * 100, "%"),
    ]


def _send(house: House, connection: object, number: int) -> None:
    report = {
        "alert_type": "BENCH",
        "severity": "LOW",
        "message": f"{WORD}{time.time_ns()}",
        "site_id": house.site_id,
        "dedup_key": f"crowd-{number}",
    }
    body = json.dumps(report).encode()
    house.request(connection, "POST", "alerts/", body)  # type: ignore[arg-type]


def _alone(house: House) -> Figure:
    """Floor: the same alert on the one client there is."""
    connection = house.connection()
    feed = FeedClient(house.instance.feed_url, house.token)
    feed.wait_for_type("hello")
    numbers = iter(range(10_000, 20_000))

    def send(_: int) -> None:
        number = next(numbers)
        feed.frames.clear()
        _send(house, connection, number)
        feed.wait_for_type("alert_created")

    measured = latencies_ms(send, 100)
    feed.close()
    connection.close()
    return Figure("alert to the feed of one client p50", percentile(measured, 0.5), "ms")


def _with_audience(house: House) -> tuple[dict[str, float], float]:
    started = time.monotonic()
    with listening(house.instance.port, PATH, house.token) as told:
        connection = house.connection()
        at_the_rate(lambda number: _send(house, connection, number))
        connection.close()
        report = told()
    return report, time.monotonic() - started


def complete(report: dict[str, float]) -> float:
    """How many clients had every event that was sent, in order."""
    return report["complete"] if report["events"] == int(RATE * SECONDS) else 0.0


@contextmanager
def listening(port: int, path: str, token: str = "") -> Iterator[Callable[[], dict[str, float]]]:
    """The clients, connected; calling it ends their listening and says what came."""
    audience = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.audience", "127.0.0.1", str(port), path, token,
         str(CLIENTS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert audience.stdin is not None
    assert audience.stdout is not None
    told, heard = audience.stdin, audience.stdout

    def report() -> dict[str, float]:
        told.close()
        found: dict[str, float] = json.loads(heard.readline())
        return found

    try:
        assert heard.readline().strip() == "ready", "the clients could not connect"
        yield report
    finally:
        audience.kill()
        audience.wait()


def at_the_rate(send: Callable[[int], object]) -> None:
    """RATE events a second for SECONDS, and some time for the last ones to arrive."""
    begin = time.monotonic()
    for number in range(int(RATE * SECONDS)):
        time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
        send(number)
    time.sleep(3)


def _cpu_seconds(house: House) -> float:
    """What the web process and its children have used of the processor."""
    ticks = 0
    pids = [house.instance.process.pid]
    for pid in pids:
        # Threads and processes may end while they are looked at.
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):
                    pids += map(int, (task / "children").read_text().split())
            if "gunicorn" in Path(f"/proc/{pid}/cmdline").read_text():
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
