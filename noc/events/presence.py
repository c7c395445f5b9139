"""Who is looking at what, just now: told from socket to socket over Redis, and kept nowhere.

Nothing rests on it. What a client says about itself is only what it looks at; its name and what
its readers may see are the server's to know. Readers are given the whole list when it changes,
at most once a second, and again every 15 s, so that one frame that was lost does no harm.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from redis.client import PubSub
from sqlalchemy.exc import SQLAlchemyError

from noc.database.base import utcnow
from noc.events.frames import Frame, control_fields
from noc.events.subscribers import Subscriber
from noc.extensions import db
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

BURST, PER_SECOND = 5.0, 1.0
"""What a client may say: so much at once, and so much a second after that."""

_TOO_MANY = 100.0
"""A client that has said so much more than it may is flooding."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target stands: its site, None for one of the whole company."""

    site_id: int | None


_places: dict[str, Callable[[int], Place | None]] = {}


def use_place(kind: str, look_up: Callable[[int], Place | None]) -> None:
    """Where targets of the kind stand is asked of ``look_up``: None for what there is not."""
    _places[kind] = look_up


class Allowance:
    """How much a client may still say: a bucket that fills by the second."""

    def __init__(self) -> None:
        self._left = BURST
        self._at = time.monotonic()

    def spend(self) -> bool:
        """Take one; False where there is none."""
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        self._left -= 1.0
        return self._left >= 0

    @property
    def flooded(self) -> bool:
        """Whether the client says far more than it may."""
        return self._left < -_TOO_MANY


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


class Speaker:
    """One client: what it says of itself, published under its own key."""

    def __init__(self, presence: Presence, subscriber: Subscriber) -> None:
        self._presence, self._subscriber = presence, subscriber
        self._key = uuid.uuid4().hex
        self._allowance = Allowance()
        self._shown = False
        self._joined = False

    @property
    def flooded(self) -> bool:
        """Whether the client says far more than it may."""
        return self._allowance.flooded

    def hear(self, target: Any) -> None:
        """The client looks at ``target`` (``alert:7``), or at nothing; what it may not is ignored.

        Whoever has said so once, be it nothing, is told of the others from then on.
        """
        if not self._allowance.spend():
            return
        badge = self._subscriber.badge
        if badge is None or badge.principal.user_id is None:
            return
        if not self._joined:
            self._joined = True
            self._presence.join(self._subscriber)
        place = _find(target)
        if place is None or not badge.principal.sees_site(place.site_id):
            self.leave_target()
            return
        self._shown = True
        self._presence.publish(
            tenant=badge.principal.tenant_id,
            key=self._key,
            target=target,
            site=place.site_id,
            user=badge.principal.user_id,
            name=badge.principal.name,
        )

    def leave_target(self) -> None:
        """It looks at nothing any more."""
        if self._shown:
            self._shown = False
            tenant_id = self._subscriber.subscription.tenant_id
            self._presence.publish(tenant=tenant_id, key=self._key, target=None)

    def leave(self) -> None:
        """The connection is over."""
        if self._joined:
            self._presence.leave(self._subscriber)
        self.leave_target()


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


def _find(target: Any) -> Place | None:
    """Where the target stands; None for what there is not, or is no target at all.

    None, too, while the database cannot be asked.
    """
    if not isinstance(target, str) or len(target) > 40:
        return None
    kind, _, key = target.partition(":")
    look_up = _places.get(kind)
    plain = key.isascii() and key.isdecimal() and len(key) <= 18 and not key.startswith("0")
    if look_up is None or not plain:
        return None
    try:
        return look_up(int(key))
    except SQLAlchemyError as error:
        metrics.FAILURES.labels("presence").inc()
        log.warning("presence_cannot_look", error=str(error).splitlines()[0])
        return None
    finally:
        # A socket that waits must not hold a connection of the database.
        db.session.remove()
