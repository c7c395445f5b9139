"""A thousand clients of the feed in one process of its own, so that they do not slow the server.

``python -m tests.bench.audience HOST PORT PATH TOKEN CLIENTS``: connects, says ``ready`` on
standard output, and when standard input ends says in JSON what came. One client never reads: it
must delay nobody. Latency is from the moment in an alert's message (nanoseconds of Unix time) to
its frame.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field

WORD = "crowd "
"""An alert's message is this and the moment it was sent."""

_LONG, _LONGER = 126, 127


@dataclass
class Client:
    """One connection: what came, and the bytes of a frame that is not whole yet."""

    sock: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    seqs: list[int] = field(default_factory=list)
    closed: bool = False


def connect(host: str, port: int, path: str, token: str) -> Client:
    """Open the feed; RuntimeError where the server does not upgrade."""
    sock = socket.create_connection((host, port), timeout=30)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {token}",
    )
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = sock.recv(4096)
        if not part:
            break
        answer += part
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(head.decode(errors="replace"))
    sock.setblocking(False)
    return Client(sock, bytearray(rest))


def texts(buffer: bytearray) -> list[bytes]:
    """The whole text frames in the buffer, taken out of it; a server's frames are not masked."""
    found = []
    while len(buffer) >= 2:
        size, start = buffer[1] & 0x7F, 2
        if size == _LONG:
            start, size = 4, int.from_bytes(buffer[2:4], "big")
        elif size == _LONGER:
            start, size = 10, int.from_bytes(buffer[2:10], "big")
        if len(buffer) < start + size:
            break
        if buffer[0] & 0x0F == 1:
            found.append(bytes(buffer[start : start + size]))
        del buffer[: start + size]
    return found


def main(host: str, port: int, path: str, token: str, count: int) -> None:
    """Listen until standard input ends."""
    # Its socket takes what the kernel keeps, and then no more.
    stalled = connect(host, port, path, token)
    clients = [connect(host, port, path, token) for _ in range(count - 1)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.sock, selectors.EVENT_READ, client)
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
    print("ready", flush=True)
    latencies: list[int] = []
    while True:
        for key, _ in selector.select():
            if key.data is None:
                if not os.read(sys.stdin.fileno(), 4096):
                    _tell(clients, latencies)
                    stalled.sock.close()
                    return
                continue
            _read(key.data, selector, latencies)


def _read(client: Client, selector: selectors.BaseSelector, latencies: list[int]) -> None:
    try:
        part = client.sock.recv(65_536)
    except OSError:
        part = b""
    now = time.time_ns()
    if not part:
        client.closed = True
        selector.unregister(client.sock)
        return
    client.buffer += part
    for text in texts(client.buffer):
        frame = json.loads(text)
        message = frame.get("message") or ""
        if message.startswith(WORD):
            client.seqs.append(frame["seq"])
            latencies.append(now - int(message[len(WORD) :]))


def _tell(clients: list[Client], latencies: list[int]) -> None:
    ordered = sorted(latencies)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6 if ordered else 0.0

    expected = sorted(max((client.seqs for client in clients), key=len, default=[]))
    report = {
        "p50": at(0.5),
        "p99": at(0.99),
        "worst": at(1.0),
        "delivered": len(ordered),
        "events": len(expected),
        "complete": sum(client.seqs == expected for client in clients),
        "closed": sum(client.closed for client in clients),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
