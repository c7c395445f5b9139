"""A WebSocket whose every byte passes one gate: whole frames, in order, never blocking.

The library writes from its receiver thread (pongs, pings, close replies) while the dispatcher
writes events; a partial write of one must not be split by the other. And the library's own
``send`` has no timeout: one client that does not read would hold up everybody.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections import deque
from typing import Any

from simple_websocket import Server

from noc.events.frames import close_frame, holds_close

BACKLOG_FRAMES = 5000
BACKLOG_BYTES = 4 * 1024 * 1024
"""What a client may leave unread here, beyond what its socket takes, before it is too slow.

The bytes of a frame are shared by all clients that wait for it.
"""

SEND_BUFFER = 128 * 1024
"""Bytes the kernel keeps for a client; bounded, so that a thousand stalled ones stay small."""

MAX_UNREAD_MESSAGES = 100
"""Messages of a client that wait to be read; a client that sends more is closed."""

HEARD_BURST = 32 * 1024
HEARD_SLOWLY = 512
HEARD_EVERY_SECONDS = 0.25
"""A client has nothing to say but heartbeats. Beyond the first bytes it is read slowly, 2 kB/s:

tens of thousands of pings a second, each to be answered, would take the process from everybody.
"""

_POLL_SECONDS = 0.25
_FORGET = struct.pack("ii", 1, 0)
"""``struct linger``: on closing, drop what was not sent yet."""


class WriteGate:
    """Stands where the library expects the socket. Thread-safe.

    Frames that the kernel does not take at once wait in a backlog; :meth:`drain` waits for them.
    After a close frame nothing more is written. The socket itself is closed by the web server
    that owns it: the gate only shuts it down.
    """

    def __init__(self, sock: socket.socket, wake: threading.Event) -> None:
        self._sock = sock
        self._wake = wake
        self._lock = threading.Lock()
        self._backlog: deque[memoryview] = deque()
        self._bytes = 0
        self._closing = False
        self._allowance = float(HEARD_BURST)
        self._heard_at = time.monotonic()
        self.broken = False
        # With a timeout, Python would wait in ``send`` whatever the flags say.
        sock.setblocking(True)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """The descriptor, for the library's selector."""
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        """Read, blocking, as a socket does; slowly what is more than a client has to say."""
        now = time.monotonic()
        earned = (now - self._heard_at) * HEARD_SLOWLY / HEARD_EVERY_SECONDS
        self._allowance, self._heard_at = min(self._allowance + earned, HEARD_BURST), now
        if self._allowance <= 0:
            # Unread, it stays with the kernel, and then with the client.
            time.sleep(HEARD_EVERY_SECONDS)
            size = min(size, HEARD_SLOWLY)
        data = self._sock.recv(size)
        self._allowance -= len(data)
        return data

    def send(self, data: bytes) -> int:
        """What the library writes: the handshake, pongs, pings, close frames. OSError if broken."""
        handshake = data.startswith(b"HTTP/")
        if not self._put(data, closes=not handshake and holds_close(data)):
            raise BrokenPipeError("the client is gone or too slow")
        return len(data)

    def offer(self, frame: bytes) -> bool:
        """Write a whole frame or queue it; False where the client is gone or too slow.

        A frame refused has not been sent in part. Never blocks.
        """
        return self._put(frame, closes=False)

    def offer_close(self, code: int, reason: str) -> bool:
        """Queue a close frame behind what waits; whatever is written afterwards is dropped."""
        return self._put(close_frame(code, reason), closes=True)

    @property
    def waiting(self) -> bool:
        """Whether frames wait for the client to read."""
        return bool(self._backlog) and not self.broken

    def drain(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the client to take what waits; whether all of it is out."""
        deadline = time.monotonic() + seconds
        poller = select.poll()
        with self._lock:
            if self._sock.fileno() < 0:
                return False
            poller.register(self._sock, select.POLLOUT)
        while self.waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            poller.poll(min(left, _POLL_SECONDS) * 1000)
            with self._lock:
                self._write()
        return not self.broken

    def close(self) -> None:
        """What the library does at the end: let a close frame out, then hang up."""
        self.drain(_POLL_SECONDS)
        self.shut()

    def shut(self) -> None:
        """Hang up: the other side reads an end, and so does the receiver thread here."""
        with self._lock:
            self._give_up()

    def cut(self) -> None:
        """Hang up on a client that does not read, and let the kernel forget what waits for it."""
        with self._lock:
            if self._sock.fileno() >= 0:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)
            self._give_up()

    def _put(self, data: bytes, *, closes: bool) -> bool:
        with self._lock:
            if self.broken:
                return False
            if self._closing:
                return True
            full = len(self._backlog) >= BACKLOG_FRAMES or self._bytes >= BACKLOG_BYTES
            if full and not closes:
                return False
            self._closing = closes
            self._backlog.append(memoryview(data))
            self._bytes += len(data)
            self._write()
            if self._backlog:
                self._wake.set()
            return not self.broken

    def _write(self) -> None:
        """Write until all is out or the kernel takes no more. The lock is held."""
        while self._backlog and not self.broken:
            head = self._backlog[0]
            try:
                sent = self._sock.send(head, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self._give_up()
                return
            self._bytes -= sent
            if sent < len(head):
                self._backlog[0] = head[sent:]
                return
            self._backlog.popleft()

    def _give_up(self) -> None:
        self.broken = True
        self._backlog.clear()
        self._bytes = 0
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Already hung up, by the client or by the web server.
            return
        finally:
            self._wake.set()


class FeedSocket(Server):  # type: ignore[misc]
    """The server side of a feed socket. ``flask_sock`` makes it in place of the library's own."""

    gate: WriteGate
    sock: Any

    def handshake(self) -> None:
        """Accept the upgrade, without compression: frames are built once for all clients."""
        self.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        accepted: socket.socket = self.sock
        self.gate = self.sock = WriteGate(accepted, self.event)
        super().handshake()

    def wait(self, seconds: float) -> str | bytes | None:
        """The client's next message, or None after ``seconds`` or when woken for another reason.

        Woken by a message, the end of the connection, a backlog, or whoever sets ``event``.
        """
        if self.connected and not self.input_buffer:
            self.event.wait(max(0.0, seconds))
        self.event.clear()
        if self.input_buffer:
            message: str | bytes = self.input_buffer.pop(0)
            return message
        return None

    @property
    def flooded(self) -> bool:
        """Whether the client sends faster than it is read."""
        return len(self.input_buffer) > MAX_UNREAD_MESSAGES

    def finish(
        self, code: int, reason: str, *, drain_seconds: float, answer_seconds: float
    ) -> bool:
        """Say goodbye with ``code`` behind what waits; whether the client could be told.

        Waits for the client to take it, then for its answer, and hangs up; a client that does
        not take it in time is cut.
        """
        self.gate.offer_close(code, reason)
        if not self.gate.drain(drain_seconds):
            self.gate.cut()
            return False
        self._join(answer_seconds)
        self.gate.shut()
        return True

    def _join(self, seconds: float) -> None:
        thread: Any = self.thread
        if thread is not threading.current_thread():
            thread.join(seconds)
