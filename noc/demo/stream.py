"""The simulated tenants from now on: whatever they do goes through the product's interface."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

import numpy as np
import structlog
from flask import Flask

from noc.demo import story
from noc.demo.branches import Branch, extend_roster, open_branches
from noc.demo.client import Client, Refused, Unauthorised, Unavailable
from noc.demo.life import Item

log = structlog.get_logger(__name__)

SLICE = 30.0
"""Seconds of life that are planned at a time."""

CATCH_UP = 900.0
"""What was planned in so many seconds before the start is sent late, like from a phone without
network; a longer gap stays a gap."""

SCENE_EVERY, MONITOR_EVERY = 150.0, 50.0
"""Mean seconds between scenes, and between reports of monitors, over all companies."""

DESK_EVERY = 20.0
ROSTER_EVERY = 3600.0
MAX_BACKLOG = 20_000
"""Signals that wait for the product to come back; the oldest beyond them are lost."""

_PAUSES = (0.5, 1.0, 2.0, 5.0)


class Stream:
    """Lets the simulated tenants live until it is told to stop."""

    def __init__(
        self, app: Flask, url: str, *, rate: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        """``rate``: requests' items a second over all tenants, at least; see :class:`Life`."""
        self._app = app
        self._url = url
        self._rate = rate
        self._clock = clock
        self._queue: list[tuple[float, int, int, Item]] = []
        self._number = itertools.count()
        self._branches: list[Branch] = []
        self._planned = 0.0
        self._desk_turn = 0
        self._rng = np.random.default_rng()

    def run(self, stop: threading.Event) -> None:
        """Live until ``stop`` is set; whatever happens to the product meanwhile is waited out."""
        pauses = 0
        while not stop.is_set():
            try:
                if not self._branches:
                    self._open(stop)
                self._live(stop)
            except Unavailable as error:
                if pauses in (0, 10):
                    log.info("demo_stream_waiting", error=str(error))
                stop.wait(_PAUSES[min(pauses, len(_PAUSES) - 1)])
                pauses += 1
                continue
            except Unauthorised:
                # Seeded anew meanwhile: other tenants, other ids.
                log.info("demo_stream_begins_anew")
                self._close()
            pauses = 0
        self._close()

    def _open(self, stop: threading.Event) -> None:
        """Find the tenants and plan the opening, once the product answers."""
        now = self._clock()
        branches = open_branches(self._app, self._url, now)
        if not branches:
            log.info("demo_stream_without_tenants", hint="noc demo seed")
            stop.wait(5.0)
            return
        try:
            branches[0].client.get("alerts/?limit=1")
        except (Unavailable, Unauthorised):
            for branch in branches:
                branch.client.close()
            raise
        self._branches = branches
        now = self._clock()
        seeded = max(branch.simulated.scale.now.timestamp() for branch in branches)
        self._planned = max(seeded, now - CATCH_UP)
        self._roster_due = now + ROSTER_EVERY
        self._desk_due = now + DESK_EVERY
        self._scene_due, self._monitor_due = now + 60, now + 40
        for offset, company, scene in story.OPENING:
            self._play(scene, company % len(branches), now + offset)
        log.info("demo_stream_started", tenants=[b.simulated.tenant.slug for b in branches])

    def _close(self) -> None:
        for branch in self._branches:
            branch.client.close()
        self._branches = []
        self._queue.clear()

    def _live(self, stop: threading.Event) -> None:
        while self._branches and not stop.is_set():
            now = self._clock()
            self._plan(now)
            self._send_due(now)
            self._see_to_desks(now)
            following = self._queue[0][0] if self._queue else now + 1.0
            stop.wait(min(max(following - self._clock(), 0.02), 0.5))

    def _plan(self, now: float) -> None:
        """Have the next seconds in the queue, and now and then a scene."""
        while self._planned < now + SLICE / 2:
            start, stop = self._planned, self._planned + SLICE
            total = sum(len(branch.life.company.guards) for branch in self._branches)
            for number, branch in enumerate(self._branches):
                share = self._rate * len(branch.life.company.guards) / total
                self._add(number, branch.life.between(start, stop, share))
            self._planned = stop
        if now >= self._scene_due:
            self._scene_due = now + self._rng.exponential(SCENE_EVERY)
            scenes = [scene for scene, _ in story.SCENES]
            drawn = self._rng.choice(len(scenes), p=[share for _, share in story.SCENES])
            self._play(scenes[drawn], self._anyone(), now)
        if now >= self._monitor_due:
            self._monitor_due = now + self._rng.exponential(MONITOR_EVERY)
            self._play(story.monitor, self._anyone(), now)
        if now >= self._roster_due:
            self._roster_due = now + ROSTER_EVERY
            with self._app.app_context():
                for branch in self._branches:
                    extend_roster(branch.life.company, branch.life.ids, now)

    def _anyone(self) -> int:
        return int(self._rng.integers(len(self._branches)))

    def _play(self, scene: story.Scene, number: int, at: float) -> None:
        self._add(number, scene(self._branches[number].life, self._rng, at))

    def _add(self, number: int, items: list[Item]) -> None:
        for item in items:
            heapq.heappush(self._queue, (item.at, next(self._number), number, item))

    def _send_due(self, now: float) -> None:
        """Send what is due, in order of time; what could not be sent stays in the queue."""
        due = []
        while self._queue and self._queue[0][0] <= now:
            due.append(heapq.heappop(self._queue))
        waiting = {entry[1]: entry for entry in due}
        try:
            for number, branch in enumerate(self._branches):
                self._send(branch, [entry for entry in due if entry[2] == number], waiting)
        finally:
            for entry in list(waiting.values())[-MAX_BACKLOG:]:
                heapq.heappush(self._queue, entry)

    def _send(
        self,
        branch: Branch,
        entries: list[tuple[float, int, int, Item]],
        waiting: dict[int, tuple[float, int, int, Item]],
    ) -> None:
        """Send one company's items; each that was answered is taken out of ``waiting``."""
        signals = [entry for entry in entries if entry[3].route == "signal"]
        for start in range(0, len(signals), 500):
            part = signals[start : start + 500]
            _post(branch.client, "telemetry/events/", [entry[3].body for entry in part])
            for entry in part:
                del waiting[entry[1]]
        for entry in entries:
            item = entry[3]
            if item.route == "punch":
                answer = _post(branch.client, "attendance/events/", item.body)
                for stored in answer.get("items", []):
                    branch.desk.learn(int(stored["id"]), item.fraud)
            elif item.route == "alert":
                _post(branch.client, "alerts/", item.body)
            waiting.pop(entry[1], None)

    def _see_to_desks(self, now: float) -> None:
        if now >= self._desk_due:
            self._desk_due = now + DESK_EVERY / len(self._branches)
            self._desk_turn = (self._desk_turn + 1) % len(self._branches)
            self._branches[self._desk_turn].desk.work(now)


def _post(client: Client, path: str, body: object) -> dict[str, list[dict[str, int]]]:
    """What it was answered with; a refusal is logged, since the rest of life goes on."""
    try:
        answer: dict[str, list[dict[str, int]]] = client.post(path, body)
    except Refused as error:
        log.warning("demo_stream_refused", error=str(error))
        return {}
    return answer
