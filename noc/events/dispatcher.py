"""One thread a process that reads the log and writes each event to every socket it concerns.

The log is the truth: the doorbell only says that it is worth a look, and once a second the
dispatcher looks anyway. It frames an event once and writes the bytes to each socket directly,
without blocking; a thread per client that woke for each event took seconds for 1,000 clients.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import redis
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from noc.database.base import utcnow
from noc.database.tenancy import name_tenant
from noc.events import rights
from noc.events.broadcasts import Broadcast, Recorder
from noc.events.doorbell import Listener
from noc.events.frames import Frame, event_fields
from noc.events.limits import Admission, PushLimit, is_critical
from noc.events.log import LoggedEvent, read_after
from noc.events.subscribers import Subscriber
from noc.extensions import session
from noc.identity.tenant_settings import tenant_settings
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
PAGE = 500
_SETTINGS_SECONDS = 15.0


@dataclass(eq=False, slots=True)
class _Stream:
    """A tenant's clients in this process, and how far into its log they are being served."""

    tenant_id: int
    position: int
    subscribers: set[Subscriber] = field(default_factory=set)
    limit: int = 0
    limit_read_at: float = float("-inf")


class Dispatcher:
    """The process's dispatcher. Its threads start with the first client."""

    def __init__(self, app: Flask, client: redis.Redis) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._streams: dict[int, _Stream] = {}
        self._listener = Listener(client)
        self._push_limit = PushLimit(client)
        self._recorder = Recorder(app)
        self._started = False
        self._stop = threading.Event()

    def join(self, subscriber: Subscriber) -> int | None:
        """Take the client into the live stream, from ``subscriber.position`` on.

        None when it has joined; else the ``seq`` up to which it must read the log itself before
        it asks again, because the stream is past its position. So nothing is lost or doubled
        between what it read and what it is sent.
        """
        tenant_id = subscriber.subscription.tenant_id
        with self._lock:
            stream = self._streams.get(tenant_id)
            if stream is None:
                stream = self._streams[tenant_id] = _Stream(tenant_id, subscriber.position)
            if stream.position > subscriber.position:
                return stream.position
            stream.subscribers.add(subscriber)
            self._start()
            return None

    def leave(self, subscriber: Subscriber) -> None:
        """Take the client out of the live stream; leaving twice is leaving once."""
        tenant_id = subscriber.subscription.tenant_id
        with self._lock:
            stream = self._streams.get(tenant_id)
            if stream is not None:
                stream.subscribers.discard(subscriber)
                if not stream.subscribers:
                    del self._streams[tenant_id]

    def stop(self) -> None:
        """End the threads. What was pushed is still recorded."""
        self._stop.set()
        self._listener.stop()
        self._recorder.stop()

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        self._listener.start()
        self._recorder.start()
        threading.Thread(target=self._run, name="feed-dispatcher", daemon=True).start()

    def _run(self) -> None:
        next_poll = 0.0
        looked_at = float("-inf")
        while not self._stop.is_set():
            heard = self._listener.wait(max(0.0, next_poll - time.monotonic()))
            poll = time.monotonic() >= next_poll
            if poll:
                next_poll = time.monotonic() + POLL_SECONDS
            with self._lock:
                behind = [
                    stream
                    for tenant_id, stream in self._streams.items()
                    if poll or heard.grown.get(tenant_id, 0) > stream.position
                ]
                doubtful = [
                    subscriber
                    for tenant_id in heard.access & self._streams.keys()
                    for subscriber in self._streams[tenant_id].subscribers
                ]
            for subscriber in doubtful:
                subscriber.doubt()
            for stream in behind:
                self._catch_up(stream)
            if time.monotonic() - looked_at >= rights.CHECK_SECONDS:
                self._look_at_rights()
                looked_at = time.monotonic()

    def _look_at_rights(self) -> None:
        """Have the connections checked whose badges no longer hold."""
        with self._lock:
            streams = {
                tenant_id: [(one, one.badge) for one in stream.subscribers if one.badge]
                for tenant_id, stream in self._streams.items()
            }
        for tenant_id, clients in streams.items():
            try:
                with self._app.app_context():
                    name_tenant(session(), tenant_id)
                    fallen = rights.fallen(tenant_id, {badge for _, badge in clients})
            except SQLAlchemyError as error:
                metrics.FAILURES.labels("feed").inc()
                reason = str(error).splitlines()[0]
                log.warning("feed_cannot_check_rights", tenant_id=tenant_id, error=reason)
                continue
            except Exception:
                metrics.FAILURES.labels("feed").inc()
                log.exception("feed_rights_failed", tenant_id=tenant_id)
                continue
            for subscriber, badge in clients:
                if badge in fallen:
                    subscriber.doubt()

    def _catch_up(self, stream: _Stream) -> None:
        """Push what the tenant's log holds beyond the stream's position."""
        try:
            while events := self._read(stream):
                self._deliver(stream, events)
                if len(events) < PAGE:
                    return
        except SQLAlchemyError as error:
            metrics.FAILURES.labels("feed").inc()
            log.warning(
                "feed_cannot_read", tenant_id=stream.tenant_id, error=str(error).splitlines()[0]
            )
        except Exception:
            # This thread serves every tenant of the process; it outlives a fault with one.
            metrics.FAILURES.labels("feed").inc()
            log.exception("feed_failed", tenant_id=stream.tenant_id)

    def _read(self, stream: _Stream) -> list[LoggedEvent]:
        with self._app.app_context():
            name_tenant(session(), stream.tenant_id)
            if time.monotonic() - stream.limit_read_at > _SETTINGS_SECONDS:
                stream.limit = tenant_settings().websocket_rate_limit
                stream.limit_read_at = time.monotonic()
            return read_after(stream.tenant_id, stream.position, PAGE)

    def _deliver(self, stream: _Stream, events: list[LoggedEvent]) -> None:
        # The position moves before the frames are out: a client that joins meanwhile reads these
        # events itself, one that joined before is among the subscribers.
        with self._lock:
            stream.position = events[-1].seq
            subscribers = list(stream.subscribers)
        try:
            self._push(stream, events, subscribers)
        except Exception:
            # Who missed what is not known: all of them resume from their cursors.
            for subscriber in subscribers:
                subscriber.lose()
            raise

    def _push(
        self, stream: _Stream, events: list[LoggedEvent], subscribers: list[Subscriber]
    ) -> None:
        concerned = [
            (event, [one for one in subscribers if _concerns(event, one)]) for event in events
        ]
        counted = [e.seq for e, clients in concerned if clients and not is_critical(e)]
        admission = self._push_limit.admit(stream.tenant_id, counted, stream.limit)
        for event, clients in concerned:
            if event.seq in admission.withheld:
                self._withhold(event, clients)
            elif clients:
                self._broadcast(event, clients)
        self._settle(events[-1].seq, subscribers, admission)

    def _broadcast(self, event: LoggedEvent, clients: list[Subscriber]) -> None:
        frame = Frame(event_fields(event))
        reached = sum(client.push(frame, event.seq) for client in clients)
        now = utcnow()
        seconds = max(0.0, (now - event.created_at).total_seconds())
        lost = len(clients) - reached
        metrics.BROADCASTS.labels(event.event_type, "false" if lost else "true").inc()
        metrics.BROADCAST_LATENCY.labels(event.event_type).observe(seconds)
        error = f"{lost} of {len(clients)} clients too slow or gone" if lost else None
        self._recorder.add(
            Broadcast(event.tenant_id, event.seq, now, seconds * 1000, reached, error)
        )

    def _withhold(self, event: LoggedEvent, clients: list[Subscriber]) -> None:
        for client in clients:
            client.withhold(event.seq)
        metrics.RATE_LIMITED.labels("feed").inc()
        metrics.BROADCASTS.labels(event.event_type, "false").inc()
        error = "withheld by the rate limit"
        self._recorder.add(Broadcast(event.tenant_id, event.seq, None, None, 0, error))

    @staticmethod
    def _settle(seq: int, subscribers: list[Subscriber], admission: Admission) -> None:
        for subscriber in subscribers:
            subscriber.advance(seq)
            subscriber.tell_limited(admission.retry_after_seconds)


def _concerns(event: LoggedEvent, subscriber: Subscriber) -> bool:
    return (
        event.seq > subscriber.position
        and not subscriber.too_slow
        and subscriber.subscription.wants(event)
    )
