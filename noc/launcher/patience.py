"""How long a client may take to send its request.

A thread reads a request while it comes in. Without an end to that, as many clients as there are
threads, each sending a byte now and then, would keep everybody else out. gunicorn's thread worker
has no such end of its own.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from noc.monitoring import metrics

HEAD_SECONDS = 10.0
"""For the request line and the headers, waiting for their first byte included."""

BODY_SECONDS = 10.0
BODY_BYTES_A_SECOND = 16 * 1024
"""For the body: so many seconds, and one more for each 16 kB, less than a poor phone line has."""

_LOOK_SECONDS = 1.0


class Patience:
    """Hangs up on clients that take too long; one thread for all of them."""

    def __init__(self) -> None:
        """Nobody is waited for yet."""
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, tuple[float, Callable[[], bool]]] = {}

    def start(self) -> None:
        """Begin to look, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="patience", daemon=True).start()

    def wait(
        self, client: socket.socket, seconds: float, unread: Callable[[], bool] = lambda: True
    ) -> None:
        """Hang up unless it is forgotten within ``seconds``, or nothing is ``unread`` by then."""
        with self._lock:
            self._waiting[client] = (time.monotonic() + seconds, unread)

    def forget(self, client: socket.socket) -> None:
        """It has said what it had to say."""
        with self._lock:
            self._waiting.pop(client, None)

    def look(self, now: float) -> int:
        """Hang up on those whose time is over at ``now`` (monotonic seconds); how many."""
        # Under the lock, so that a socket is not shut that was just forgotten and given on.
        with self._lock:
            over = [client for client, (end, _) in self._waiting.items() if end <= now]
            late = [client for client in over if self._waiting[client][1]()]
            for client in over:
                del self._waiting[client]
            for client in late:
                _hang_up(client)
        if late:
            metrics.RATE_LIMITED.labels("slow_requests").inc(len(late))
        return len(late)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self.look(time.monotonic())


def body_seconds(length: int | None) -> float:
    """Seconds for a body of ``length`` bytes; None where it is not known beforehand (chunked)."""
    return BODY_SECONDS + (60.0 if length is None else length / BODY_BYTES_A_SECOND)


def _hang_up(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It went by itself.
