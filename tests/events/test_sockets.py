"""The write gate: whole frames in order, never blocking, and nothing after goodbye."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from noc.events import sockets
from noc.events.frames import close_frame, text_frame
from noc.events.sockets import WriteGate

BIG = text_frame(b"x" * 60_000)


@pytest.fixture
def pair() -> Iterator[tuple[WriteGate, socket.socket]]:
    """A gate and the client's end of its socket."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield WriteGate(ours, threading.Event()), theirs


def fill(gate: WriteGate) -> int:
    """Offer frames until one has to wait; how many were offered."""
    count = 0
    while not gate.waiting:
        assert gate.offer(BIG)
        count += 1
    return count


def read(theirs: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (part := theirs.recv(65_536)):
        data += part
    return data


def test_frames_come_out_whole_and_in_order_though_the_kernel_took_them_in_parts(
    pair: tuple[WriteGate, socket.socket],
) -> None:
    gate, theirs = pair
    count = fill(gate)
    small = text_frame(b"after")
    gate.offer(small)
    expected = BIG * count + small
    reader = threading.Thread(target=lambda: got.append(read(theirs, len(expected))))
    got: list[bytes] = []
    reader.start()
    assert gate.drain(5)
    reader.join(5)
    assert got == [expected]


def test_a_client_that_does_not_read_is_refused_more_beyond_the_backlog(
    pair: tuple[WriteGate, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, _ = pair
    monkeypatch.setattr(sockets, "BACKLOG_FRAMES", 3)
    fill(gate)
    assert gate.offer(BIG)
    assert gate.offer(BIG)
    assert not gate.offer(BIG)
    assert not gate.drain(0.05)
    assert gate.offer_close(1013, "too slow"), "the goodbye still has its place"


def test_nothing_is_written_after_a_close_frame(pair: tuple[WriteGate, socket.socket]) -> None:
    gate, theirs = pair
    gate.offer(text_frame(b"last"))
    gate.send(close_frame(1000, ""))
    gate.offer(text_frame(b"too late"))
    gate.send(b"\x8a\x00")
    gate.close()
    assert read(theirs, 1_000) == text_frame(b"last") + close_frame(1000, "")


def test_the_handshake_is_not_mistaken_for_a_close_frame(
    pair: tuple[WriteGate, socket.socket],
) -> None:
    gate, theirs = pair
    handshake = b"HTTP/1.1 101 \x88\r\n\r\n"
    gate.send(handshake)
    gate.offer(text_frame(b"hello"))
    expected = handshake + text_frame(b"hello")
    assert read(theirs, len(expected)) == expected


def test_a_client_that_is_gone_is_noticed_by_the_next_frame(
    pair: tuple[WriteGate, socket.socket],
) -> None:
    gate, theirs = pair
    theirs.close()
    assert not gate.offer(BIG)
    assert gate.broken
    with pytest.raises(BrokenPipeError):
        gate.send(b"\x8a\x00")


def test_hanging_up_ends_a_reader_that_waits(pair: tuple[WriteGate, socket.socket]) -> None:
    gate, _ = pair
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(gate.recv(10)))
    reader.start()
    gate.shut()
    reader.join(5)
    assert got == [b""]


def test_cutting_off_drops_what_waits(pair: tuple[WriteGate, socket.socket]) -> None:
    gate, _ = pair
    fill(gate)
    gate.cut()
    assert not gate.waiting
    assert not gate.drain(1)


def test_a_client_that_never_stops_talking_is_read_slowly(
    pair: tuple[WriteGate, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, theirs = pair
    monkeypatch.setattr(sockets, "HEARD_EVERY_SECONDS", 0.01)
    theirs.sendall(b"x" * (sockets.HEARD_BURST + 8192))
    heard = 0
    while heard < sockets.HEARD_BURST:
        heard += len(gate.recv(4096))
    began, reads = time.monotonic(), 0
    while heard < sockets.HEARD_BURST + 8192:
        heard += len(gate.recv(4096))
        reads += 1
    assert reads >= 4, "little at a time"
    assert time.monotonic() - began > 0.01
