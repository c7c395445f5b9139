"""Everything at once: many writers and clients, and what serves them killed in the middle.

``NOC_CHAOS_SECONDS`` sets how long the writing lasts (20).
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from noc import create_app
from noc.extensions import db
from noc.feed_client.addresses import Frame
from noc.feed_client.following import Follower, Notice
from noc.launcher.process import Child
from noc.launcher.redis import Redis
from noc.launcher.services import forget_folder
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, wait_until
from tests.events.web_processes import WebProcess

SECONDS = float(os.environ.get("NOC_CHAOS_SECONDS", "20"))
WRITERS = 32
CLIENTS = 20
WRITER_PAUSE_SECONDS = 1.0
"""At most, between two transactions of a writer."""


class Bell:
    """A Redis of the test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._redis = Redis(folder, fast=True)
        self.url = self._redis.url
        self.start()

    def start(self) -> None:
        spec = self._redis.spec()
        assert spec.before_start is not None
        spec.before_start()
        log = os.open(self._redis.folder / "redis.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            self._child = Child(spec, log)
        finally:
            os.close(log)
        wait_until(lambda: self._redis.is_ready(self._child.pid), "Redis answers")

    def kill(self) -> None:
        """kill -9."""
        self._child.kill()
        assert self._child.wait(WAIT_SECONDS)

    def close(self) -> None:
        self.kill()
        forget_folder(self._redis.sockets)


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    """It runs; killed after the test."""
    made = Bell(tmp_path / "redis")
    yield made
    made.close()


@dataclass
class Client:
    """One that is cut and restarted at random, and keeps all it was ever handed."""

    house: House
    urls: list[str]
    seed: int
    received: list[tuple[int, float, float]] = field(default_factory=list)
    """(seq, seconds since it was logged, when) of each frame, doubles included."""
    notices: list[tuple[float, Notice]] = field(default_factory=list)
    restarts: int = 0
    last: int = 0
    error: BaseException | None = None
    follower: Follower | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Follow until stopped; now and then as a program that dies and is started again."""
        dice = random.Random(self.seed)
        cursor: int | None = 0
        try:
            while not self._over.is_set():
                self.follower = Follower(self.urls, self.house.token, after=cursor, tell=self._told)
                lives = dice.randint(50, 600)
                for frame in self.follower.events():
                    self._take(frame)
                    lives -= 1
                    if not lives:
                        self.restarts += 1
                        break
                cursor = self.follower.cursor
        except BaseException as error:
            self.error = error

    def _take(self, frame: Frame) -> None:
        logged = dt.datetime.fromisoformat(frame["timestamp"]).timestamp()
        self.last = max(self.last, frame["seq"])
        self.received.append((frame["seq"], time.time() - logged, time.monotonic()))

    def _told(self, notice: Notice) -> None:
        self.notices.append((time.monotonic(), notice))

    def stop(self) -> None:
        self._over.set()
        if self.follower is not None:
            self.follower.stop()


class Writer:
    """Commits one to three events at a time until told to stop."""

    def __init__(self, house: House, seed: int, over: threading.Event) -> None:
        self.house, self.dice, self.over = house, random.Random(seed), over
        self.committed = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.over.wait(self.dice.uniform(0, WRITER_PAUSE_SECONDS)):
                payloads: list[dict[str, Any]] = [{"n": 0}] * self.dice.randint(1, 3)
                self.house.emit_together(payloads)
                self.committed += len(payloads)
        except BaseException as error:
            self.error = error


def work(settings: Settings, tenant_id: int, committed: Any) -> None:
    """A worker process: commits three events at a time, says so after each commit, for ever."""
    house = House(create_app(settings), tenant_id, (0, 0), "")
    while True:
        house.emit_together([{"worker": True}] * 3)
        committed.send(3)
        time.sleep(0.03)


class Worker:
    """A process that writes, to be killed at any instruction."""

    def __init__(self, house: House, config: Settings) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._told, committed = spawning.Pipe(duplex=False)
        arguments = (config, house.tenant_id, committed)
        self._process = spawning.Process(target=work, args=arguments, daemon=True)
        self._process.start()
        committed.close()

    def kill_at_work(self) -> None:
        """kill -9, once it has committed something."""
        self._told.poll(WAIT_SECONDS)
        self.kill()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.join(WAIT_SECONDS)

    def committed(self) -> int:
        """How many events it said were committed; the last commit may not have been told."""
        count = 0
        with suppress(EOFError):
            while True:
                count += self._told.recv()
        self._told.close()
        return count


def cut_at_random(clients: list[Client], over: threading.Event) -> int:
    """Cut the line of one client after the other, without a word; how often."""
    dice, cuts = random.Random(1), 0
    while not over.wait(dice.uniform(0.05, 0.35)):
        follower = dice.choice(clients).follower
        if follower is not None:
            with suppress(OSError):
                follower.hang_up()
            cuts += 1
    return cuts


def in_order(client: Client) -> list[int]:
    """The seqs the client was handed, each at its first time."""
    return list(dict.fromkeys(seq for seq, _, _ in client.received))


def test_every_client_ends_with_every_event_once_and_in_order(
    new_house: Callable[[], House],
    web: Callable[..., WebProcess],
    bell: Bell,
    config: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = config.model_copy(update={"redis_url": bell.url, "database_pool_size": WRITERS})
    app = create_app(settings)
    houses = [replace(new_house(), app=app) for _ in range(2)]
    processes = [
        web(wait=False, REDIS_URL=bell.url, WEBSOCKET_RATE_LIMIT="1000000") for _ in range(3)
    ]
    for process in processes:
        wait_until(process.answers, "the web process is ready")
    urls = [process.url for process in processes]

    over = threading.Event()
    # Three quarters of writers and clients are one house's.
    writers = [Writer(houses[n % 4 == 3], n, over) for n in range(WRITERS)]
    clients = [Client(houses[n % 4 == 3], urls[n % 3 :] + urls[: n % 3], n) for n in range(CLIENTS)]
    threads = [threading.Thread(target=one.run) for one in (*clients, *writers)]
    worker = Worker(houses[0], settings)
    cutter = threading.Thread(target=cut_at_random, args=(clients, over))
    for thread in (*threads, cutter):
        thread.start()
    moments: dict[str, float] = {}
    try:
        for share, what, work in (
            (0.25, "kill -9 of a web process", processes[0].kill),
            (0.05, "its start", lambda: processes[0].start(wait=False)),
            (0.15, "kill -9 of Redis", bell.kill),
            (0.15, "start of Redis", bell.start),
            (0.05, "kill -9 of a worker", worker.kill_at_work),
            (0.05, "SIGTERM to a web process", lambda: processes[1].stop(signal.SIGTERM)),
            (0.05, "the other's start", lambda: processes[1].start(wait=False)),
            (0.25, "end of the writing", over.set),
        ):
            time.sleep(share * SECONDS)
            moments[what] = time.monotonic()
            work()
        for thread in threads[CLIENTS:]:
            thread.join(WAIT_SECONDS)
        last = {house.tenant_id: len(house.events()) for house in houses}
        wait_until(
            lambda: all(
                client.error or client.last >= last[client.house.tenant_id] for client in clients
            ),
            "every client has the newest event",
        )
        logs = {house.tenant_id: house.events() for house in houses}
    finally:
        over.set()
        worker.kill()
        for client in clients:
            client.stop()
        for thread in (*threads, cutter):
            thread.join(WAIT_SECONDS)
        with app.app_context():
            db.engine.dispose()

    assert [one.error for one in (*writers, *clients) if one.error] == []
    workers = [sum("worker" in event.payload for event in events) for events in logs.values()]
    told = worker.committed()
    assert told > 0
    assert workers in ([told, 0], [told + 3, 0]), (
        "what a killed worker committed is there, all of a transaction or nothing"
    )
    for house, from_worker in zip(houses, workers, strict=True):
        committed = sum(writer.committed for writer in writers if writer.house is house)
        assert committed > 0
        seqs = [event.seq for event in logs[house.tenant_id]]
        assert seqs == list(range(1, committed + from_worker + 1)), (
            "the log has what was committed, gapless"
        )
    for client in clients:
        expected = list(range(1, last[client.house.tenant_id] + 1))
        assert in_order(client) == expected, f"client {client.seed}: each once, and in order"
    assert sum(client.restarts for client in clients) > 0
    with capsys.disabled():
        print(report(clients, last, moments))


def report(clients: list[Client], last: dict[int, int], moments: dict[str, float]) -> str:
    """What happened, and how long it took to recover."""
    resumed = [n.seconds for c in clients for _, n in c.notices if n.kind == "resumed"]
    handed = sum(len(client.received) for client in clients)
    doubled = handed - sum(len(in_order(client)) for client in clients)
    lines = [
        f"\n{sum(last.values())} events, {len(clients)} clients, {handed} frames "
        f"({doubled} of them again after a restart of the client), {len(resumed)} lines resumed"
    ]
    if resumed:
        lines.append(
            f"  cut to resumed: median {statistics.median(resumed):.2f} s, "
            f"slowest {max(resumed):.2f} s"
        )
    for what in moments:
        if not what.startswith(("kill", "SIGTERM")):
            continue
        lines.append(f"  {what}: {recovery(clients, moments[what])}")
    return "\n".join(lines)


def recovery(clients: list[Client], moment: float, within: float = 4.0) -> str:
    """How late the latest event of the seconds after ``moment`` was, over all clients."""
    late = [
        seconds
        for client in clients
        for _, seconds, at in client.received
        if moment <= at - seconds <= moment + within
    ]
    if not late:
        return "no event was logged meanwhile"
    cuts = sorted(late)
    return (
        f"events logged in the {within:.0f} s after it arrived after {statistics.median(cuts):.3f} "
        f"s (median), the latest after {cuts[-1]:.2f} s"
    )
