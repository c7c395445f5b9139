"""One open feed each: what its client may and wants to see, and how far it has been served."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from noc.database.base import utcnow
from noc.events.frames import Frame, control_fields
from noc.events.log import LoggedEvent
from noc.events.rights import Badge
from noc.events.sockets import FeedSocket


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events a client asked for and may see. None means all."""

    tenant_id: int
    site_ids: frozenset[int] | None = None
    types: frozenset[str] | None = None

    def wants(self, event: LoggedEvent) -> bool:
        """Whether the event passes the client's filters and rights."""
        return (self.types is None or event.event_type in self.types) and (
            self.site_ids is None or event.site_id in self.site_ids
        )


@dataclass(eq=False, slots=True)
class Subscriber:
    """A client's socket and its cursor.

    ``position`` is where the live stream takes over from the replay. ``cursor`` is the highest
    ``seq`` up to which the client has been given everything it wants; it stands still from the
    first event withheld from it on, since only a resumed feed can give that one.
    """

    socket: FeedSocket
    subscription: Subscription
    position: int
    badge: Badge | None = None
    cursor: int = 0
    too_slow: bool = False
    doubtful: bool = False
    withheld: int = 0
    _held: bool = False
    _untold: bool = False
    _told_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def push(self, frame: Frame, seq: int) -> bool:
        """Give the client the frame of event ``seq``; False where it is gone or too slow."""
        with self._lock:
            cursor = self.cursor if self._held else seq
            if self.too_slow or not self.socket.gate.offer(frame.wire(cursor)):
                self._fall_behind()
                return False
            self.cursor = cursor
            return True

    def advance(self, seq: int) -> None:
        """Everything up to ``seq`` that the client wants has been given."""
        with self._lock:
            if not self._held and not self.too_slow:
                self.cursor = max(self.cursor, seq)

    def withhold(self, seq: int) -> None:
        """Event ``seq`` is not given: the cursor stands still before it."""
        with self._lock:
            if not self._held:
                self._held, self.cursor = True, seq - 1
            self.withheld += 1
            self._untold = True

    def tell_limited(self, retry_after_seconds: float) -> None:
        """Tell a client from which events were just withheld; once a window of the limit."""
        with self._lock:
            untold, self._untold = self._untold, False
            if not untold or time.monotonic() < self._told_until:
                return
            self._told_until = time.monotonic() + retry_after_seconds
            self._tell(
                "rate_limited",
                resume_after=self.cursor,
                withheld=self.withheld,
                retry_after_seconds=round(retry_after_seconds, 1),
            )

    def beat(self) -> None:
        """Send a heartbeat with the cursor of this moment."""
        with self._lock:
            self._tell("heartbeat")

    def greet(self, oldest_seq: int, last_seq: int, limits: dict[str, Any]) -> None:
        """Send the ``hello``."""
        with self._lock:
            self._tell(
                "hello",
                last_seq=last_seq,
                oldest_seq=oldest_seq,
                server_time=utcnow().isoformat(),
                limits=limits,
            )

    def mention(self, frame: Frame) -> None:
        """Give the client a frame that may get lost: one that still has others to read is spared.

        So what is only mentioned never makes a client too slow.
        """
        with self._lock:
            if not self.too_slow and not self.socket.gate.waiting:
                self.socket.gate.offer(frame.wire(self.cursor))

    def lose(self) -> None:
        """Have the socket closed: the client was not given all it should have been."""
        with self._lock:
            self._fall_behind()

    def doubt(self) -> None:
        """Have its connection look whether the client may still see what it sees."""
        self.doubtful = True
        self.socket.event.set()

    def _tell(self, kind: str, **fields: Any) -> None:
        frame = Frame(control_fields(kind, self.subscription.tenant_id, utcnow(), **fields))
        if not self.too_slow and not self.socket.gate.offer(frame.wire(self.cursor)):
            self._fall_behind()

    def _fall_behind(self) -> None:
        self.too_slow = True
        self.socket.event.set()
