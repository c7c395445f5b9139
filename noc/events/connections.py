"""The life of one feed connection: hello, what was missed, then live until somebody hangs up."""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from flask import Flask
from simple_websocket import ConnectionClosed
from sqlalchemy.exc import SQLAlchemyError

from noc.events import frames, rights
from noc.events.dispatcher import PAGE, Dispatcher
from noc.events.frames import Frame, event_fields
from noc.events.log import bounds, read_after
from noc.events.presence import Presence
from noc.events.rights import Badge
from noc.events.sockets import BACKLOG_FRAMES, FeedSocket
from noc.events.speaking import Speaker
from noc.events.subscribers import Subscriber, Subscription
from noc.extensions import connect_redis, db, settings
from noc.identity.tenant_settings import tenant_settings
from noc.monitoring import metrics
from noc.settings import Settings

log = structlog.get_logger(__name__)

SLOW_CLIENT_SECONDS = 5.0
"""A client that is too slow has this long to take what waits for it before it is cut."""

_STOP_SECONDS = 0.3
_ANSWER_SECONDS = 0.5
_REDIS_SECONDS = 0.5

_feeds: weakref.WeakSet[Feed] = weakref.WeakSet()


class Goodbye(NamedTuple):
    """How a connection ends from this side."""

    code: int
    reason: str
    drain_seconds: float = SLOW_CLIENT_SECONDS


_GONE = Goodbye(frames.CLOSE_NORMAL, "", 0.0)
_STOPPING = Goodbye(frames.CLOSE_GOING_AWAY, "the server is stopping", _STOP_SECONDS)
_TOO_SLOW = Goodbye(frames.CLOSE_TRY_AGAIN, "too slow: resume with after=<cursor>")
_FLOODED = Goodbye(frames.CLOSE_POLICY, "too many messages")
_REVOKED = Goodbye(
    frames.CLOSE_POLICY, "the sign-in or token is no longer valid here", _STOP_SECONDS
)
_FORGOTTEN = Goodbye(frames.CLOSE_TRY_AGAIN, "what you replay is no longer kept: resume")
_DATABASE_AWAY = Goodbye(frames.CLOSE_TRY_AGAIN, "the log cannot be read: try again")
_FAILED = Goodbye(frames.CLOSE_ERROR, "something went wrong here")


class Feed:
    """The process's open feed connections, and the dispatcher that serves them."""

    def __init__(self, app: Flask, config: Settings) -> None:
        self.capacity = config.websocket_max_connections or config.web_threads * 3 // 4
        self.stopping = threading.Event()
        self._dispatcher = Dispatcher(app, connect_redis(config.redis_url, _REDIS_SECONDS))
        self._presence = Presence(connect_redis(config.redis_url, _REDIS_SECONDS))
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()
        self._sockets: set[FeedSocket] = set()
        _feeds.add(self)

    def take_place(self, tenant_id: int) -> bool:
        """Reserve a place for a connection; False where there is none, or the process stops.

        The last eighth of the places is for tenants that hold less than an eighth, so that one
        tenant's clients, however many there are, do not keep the others out.
        """
        reserve = self.capacity // 8
        with self._lock:
            taken = self._taken.total()
            greedy = self._taken[tenant_id] >= reserve
            if taken >= self.capacity - (reserve if greedy else 0) or self.stopping.is_set():
                return False
            self._taken[tenant_id] += 1
            return True

    @property
    def taken(self) -> int:
        """Places that are taken."""
        with self._lock:
            return self._taken.total()

    def give_place_back(self, tenant_id: int) -> None:
        """Free a place that was taken."""
        with self._lock:
            self._taken[tenant_id] -= 1
            if not self._taken[tenant_id]:
                del self._taken[tenant_id]

    def stop(self) -> None:
        """Say 1001 to every client and end the threads."""
        self.stopping.set()
        for socket in list(self._sockets):
            socket.event.set()
        self._dispatcher.stop()
        self._presence.stop()

    def serve(
        self,
        socket: FeedSocket,
        subscription: Subscription,
        after: int | None,
        badge: Badge,
        still_allowed: Callable[[], bool],
    ) -> None:
        """Serve a client until either side hangs up. Holds no database connection meanwhile.

        ``still_allowed`` is asked before each heartbeat, at once where the access of somebody of
        the tenant has changed, and where the regular look at all clients finds that the ``badge``
        no longer holds; the feed ends when it says no.
        """
        connections = metrics.CONNECTIONS.labels(str(subscription.tenant_id))
        connections.inc()
        self._sockets.add(socket)
        try:
            goodbye = self._converse(socket, subscription, after, badge, still_allowed)
        except (ConnectionClosed, OSError):
            goodbye = _GONE
        except SQLAlchemyError as error:
            metrics.FAILURES.labels("feed").inc()
            log.warning("feed_cannot_begin", error=str(error).splitlines()[0])
            goodbye = _DATABASE_AWAY
        except Exception:
            metrics.FAILURES.labels("feed").inc()
            log.exception("feed_connection_failed", tenant_id=subscription.tenant_id)
            goodbye = _FAILED
        finally:
            self._sockets.discard(socket)
            connections.dec()
        db.session.remove()
        if goodbye is not _GONE:
            log.info("feed_closing", code=goodbye.code, reason=goodbye.reason)
        answer_seconds = _STOP_SECONDS if goodbye is _STOPPING else _ANSWER_SECONDS
        socket.finish(
            goodbye.code,
            goodbye.reason,
            drain_seconds=goodbye.drain_seconds,
            answer_seconds=answer_seconds,
        )

    def _converse(
        self,
        socket: FeedSocket,
        subscription: Subscription,
        after: int | None,
        badge: Badge,
        still_allowed: Callable[[], bool],
    ) -> Goodbye:
        oldest, last = bounds(subscription.tenant_id)
        limits = {
            "events_per_minute": tenant_settings().websocket_rate_limit,
            "heartbeat_seconds": settings().websocket_heartbeat_seconds,
            "backlog_frames": BACKLOG_FRAMES,
        }
        db.session.remove()
        # What retention has removed is not there to replay; hello's oldest_seq tells the client.
        start = last if after is None else min(max(after, oldest - 1), last)
        subscriber = Subscriber(socket, subscription, start, badge, start)
        subscriber.greet(oldest, last, limits)
        try:
            goodbye = self._catch_up(subscriber, last, still_allowed)
            return goodbye or self._go_live(subscriber, still_allowed)
        finally:
            self._dispatcher.leave(subscriber)

    def _catch_up(
        self, subscriber: Subscriber, last: int, still_allowed: Callable[[], bool]
    ) -> Goodbye | None:
        """Replay up to ``last`` and on until the live stream takes over."""
        until: int | None = last
        check = _Regularly(rights.CHECK_SECONDS, still_allowed)
        while until is not None:
            while subscriber.position < until:
                if goodbye := self._replay_page(subscriber, until, check):
                    return goodbye
            until = self._dispatcher.join(subscriber)
        return None

    def _replay_page(self, subscriber: Subscriber, until: int, check: _Regularly) -> Goodbye | None:
        wanted = subscriber.subscription
        events = read_after(
            wanted.tenant_id,
            subscriber.position,
            PAGE,
            site_ids=wanted.site_ids,
            types=wanted.types,
            until=until,
        )
        oldest, _ = bounds(wanted.tenant_id)
        db.session.remove()
        if oldest > subscriber.position + 1:
            # Retention came between: the next hello tells what is lost.
            return _FORGOTTEN
        for event in events:
            if self.stopping.is_set():
                return _STOPPING
            if not check.passes():
                return _REVOKED
            if not subscriber.push(Frame(event_fields(event)), event.seq):
                return _GONE
            gate = subscriber.socket.gate
            if gate.waiting and not gate.drain(SLOW_CLIENT_SECONDS):
                return _TOO_SLOW
        subscriber.position = events[-1].seq if len(events) == PAGE else until
        subscriber.advance(subscriber.position)
        return None

    def _go_live(self, subscriber: Subscriber, still_allowed: Callable[[], bool]) -> Goodbye:
        speaker = Speaker(self._presence, subscriber)
        try:
            return self._listen(subscriber, speaker, still_allowed)
        finally:
            speaker.leave()

    def _listen(
        self, subscriber: Subscriber, speaker: Speaker, still_allowed: Callable[[], bool]
    ) -> Goodbye:
        interval = settings().websocket_heartbeat_seconds
        socket = subscriber.socket
        next_beat = time.monotonic() + interval
        while True:
            message = socket.wait(next_beat - time.monotonic())
            if goodbye := self._reason_to_end(subscriber):
                return goodbye
            said = _read(message) if message is not None else {}
            if said.get("type") == "heartbeat":
                subscriber.beat()
            elif said.get("type") == "presence":
                speaker.hear(said.get("target"))
                if speaker.flooded:
                    return _FLOODED
            due = time.monotonic() >= next_beat
            if due or subscriber.doubtful:
                subscriber.doubtful = False
                if not still_allowed():
                    return _REVOKED
            if due:
                subscriber.beat()
                next_beat = time.monotonic() + interval
            if socket.gate.waiting:
                socket.gate.drain(_STOP_SECONDS)

    def _reason_to_end(self, subscriber: Subscriber) -> Goodbye | None:
        socket = subscriber.socket
        if not socket.connected or socket.gate.broken:
            return _GONE
        if self.stopping.is_set():
            return _STOPPING
        if subscriber.too_slow:
            return _TOO_SLOW
        return _FLOODED if socket.flooded else None


class _Regularly:
    """A question that is asked every so often, at most, and in between answered with yes."""

    def __init__(self, seconds: float, ask: Callable[[], bool]) -> None:
        self._seconds, self._ask = seconds, ask
        self._next = time.monotonic() + seconds

    def passes(self) -> bool:
        if time.monotonic() < self._next:
            return True
        answer = self._ask()
        self._next = time.monotonic() + self._seconds
        return answer


def stop_all() -> None:
    """Stop every feed of this process: what the web server does before it ends."""
    for feed in list(_feeds):
        feed.stop()


def _read(message: str | bytes) -> dict[str, Any]:
    """What the client says; empty where it is nothing that can be understood."""
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
