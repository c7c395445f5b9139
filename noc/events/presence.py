"""Who is looking at what, just now: told from socket to socket over Redis, and kept nowhere.

Nothing rests on it. What a client says of itself, ``noc.events.speaking`` hears. Readers are given
the whole list when it changes, at most once a second, and again every 15 s, so that one frame that
was lost does no harm.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from redis.client import PubSub

from noc.database.base import utcnow
from noc.events.frames import Frame, control_fields
from noc.events.subscribers import Subscriber
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

CHANNEL = "noc:presence"
"""Redis channel on which each change of what somebody looks at is published."""

EXPIRES_SECONDS = 30.0
"""What is not said again for this long is over."""

LISTED = 100
"""Looks kept for a tenant; those that come beyond are left out until others are over."""

_PER_USER = 5
"""Of one user, whatever the number of their windows."""

_TELL_SECONDS = 1.0
_REPEAT_SECONDS = 15.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """That somebody looks at a target, until ``expires`` of this process's clock."""

    target: str
    site_id: int | None
    user_id: int
    name: str
    expires: float


@dataclass(slots=True)
class _Room:
    """A tenant's readers in this process, and what is looked at in the tenant."""

    readers: set[Subscriber] = field(default_factory=set)
    looks: dict[str, Look] = field(default_factory=dict)
    changed: bool = False
    told_at: float = 0.0


class Presence:
    """The process's part in it. Its thread starts with the first client that takes part.

    Without Redis nobody is told anything; the feed goes on. Bounded: LISTED looks a tenant.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._rooms: dict[int, _Room] = {}
        self._started = False
        self._stop = threading.Event()
        self._quiet_until = 0.0

    def join(self, subscriber: Subscriber) -> None:
        """Tell the client of others from now on."""
        with self._lock:
            room = self._rooms.setdefault(subscriber.subscription.tenant_id, _Room())
            room.readers.add(subscriber)
            room.changed = True
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="feed-presence", daemon=True).start()

    def leave(self, subscriber: Subscriber) -> None:
        """Tell the client no more; a room without readers is forgotten."""
        tenant_id = subscriber.subscription.tenant_id
        with self._lock:
            room = self._rooms.get(tenant_id)
            if room is not None:
                room.readers.discard(subscriber)
                if not room.readers:
                    del self._rooms[tenant_id]

    def publish(self, **look: Any) -> None:
        """Tell all processes. Never raises; after a failure it stays quiet for five seconds."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            self._client.publish(CHANNEL, json.dumps(look))
        except redis.RedisError as error:
            self._quiet_until = time.monotonic() + _RETRY_SECONDS
            metrics.FAILURES.labels("presence").inc()
            log.warning("presence_unheard", error=str(error))

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as line:
                    line.subscribe(CHANNEL)
                    while not self._stop.is_set():
                        self._listen(line)
            except redis.RedisError as error:
                metrics.FAILURES.labels("presence").inc()
                log.warning("presence_unheard", error=str(error))
                self._forget()
                self._stop.wait(_RETRY_SECONDS)
            except Exception:
                # This thread serves every tenant of the process; it outlives a fault with one.
                metrics.FAILURES.labels("presence").inc()
                log.exception("presence_failed")
                self._stop.wait(_RETRY_SECONDS)

    def _listen(self, line: PubSub) -> None:
        """Take what comes for a second, then tell the readers."""
        until = time.monotonic() + _TELL_SECONDS
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            message = line.get_message(timeout=min(left, 0.25))
            if message is not None and message.get("type") == "message":
                self._take(message["data"])
        self._tell()

    def _forget(self) -> None:
        with self._lock:
            for room in self._rooms.values():
                room.changed = room.changed or bool(room.looks)
                room.looks.clear()
        self._tell()

    def _take(self, data: bytes | str) -> None:
        try:
            said = json.loads(data)
            tenant_id, key, target = int(said["tenant"]), str(said["key"]), said["target"]
            look = None
            if target is not None:
                site_id = None if said["site"] is None else int(said["site"])
                expires = time.monotonic() + EXPIRES_SECONDS
                look = Look(str(target), site_id, int(said["user"]), str(said["name"]), expires)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("presence_not_understood", error=str(error))
            return
        with self._lock:
            room = self._rooms.get(tenant_id)
            if room is not None:
                _put(room, key, look)

    def _tell(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = []
            for tenant_id, room in self._rooms.items():
                _expire(room, now)
                again = bool(room.looks) and now - room.told_at >= _REPEAT_SECONDS
                if room.changed or again:
                    room.changed, room.told_at = False, now
                    due.append((tenant_id, list(room.readers), list(room.looks.values())))
        for tenant_id, readers, looks in due:
            _tell_room(tenant_id, readers, looks)


def _put(room: _Room, key: str, look: Look | None) -> None:
    before = room.looks.get(key)
    if look is None:
        room.changed = room.looks.pop(key, None) is not None or room.changed
    elif before is not None or _fits(room, look):
        room.looks[key] = look
        room.changed = room.changed or before is None or before.target != look.target


def _fits(room: _Room, look: Look) -> bool:
    of_user = sum(other.user_id == look.user_id for other in room.looks.values())
    return len(room.looks) < LISTED and of_user < _PER_USER


def _expire(room: _Room, now: float) -> None:
    for key in [key for key, look in room.looks.items() if look.expires <= now]:
        del room.looks[key]
        room.changed = True


def _tell_room(tenant_id: int, readers: list[Subscriber], looks: list[Look]) -> None:
    """Give each reader what it may see; readers of the same sites share a frame."""
    frames: dict[frozenset[int] | None, Frame] = {}
    for reader in readers:
        sites = reader.subscription.site_ids
        if sites not in frames:
            seen = [look for look in looks if sites is None or look.site_id in sites]
            looking = {(look.target, look.user_id): look.name for look in seen}
            frames[sites] = Frame(
                control_fields(
                    "presence",
                    tenant_id,
                    utcnow(),
                    looking=[
                        {"target": target, "user_id": user_id, "name": name}
                        for (target, user_id), name in looking.items()
                    ],
                    expires_in=EXPIRES_SECONDS,
                )
            )
        reader.mention(frames[sites])
