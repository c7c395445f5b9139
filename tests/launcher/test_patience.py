"""Clients that take for ever to send a request do not keep others out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from noc.launcher.patience import BODY_SECONDS, HEAD_SECONDS, Patience, body_seconds
from noc.settings import Settings
from tests.events.waiting import wait_until
from tests.events.web_processes import WebProcess

THREADS = 24
HEAD = b"POST /api/v2/noc/alerts/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a line."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_who_takes_too_long_is_hung_up_on(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    patience, now = Patience(), time.monotonic()
    patience.wait(ours, 10)
    assert patience.look(now + 9) == 0
    assert patience.look(now + 11) == 1
    assert theirs.recv(1) == b""
    assert patience.look(now + 12) == 0


def test_who_has_said_everything_is_left_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    patience, now = Patience(), time.monotonic()
    patience.wait(ours, 10)
    patience.forget(ours)
    assert patience.look(now + 11) == 0
    patience.wait(ours, 10, lambda: False)
    assert patience.look(now + 11) == 0
    ours.send(b"x")
    assert theirs.recv(1) == b"x"


def test_a_socket_that_went_by_itself_is_no_trouble() -> None:
    ours, theirs = socket.socketpair()
    patience = Patience()
    patience.wait(ours, 0)
    ours.close()
    theirs.close()
    assert patience.look(time.monotonic() + 1) == 1


def test_a_long_body_has_more_time() -> None:
    assert body_seconds(0) == BODY_SECONDS
    assert body_seconds(16 * 1024 * 1024) == BODY_SECONDS + 1024
    assert body_seconds(None) > BODY_SECONDS


@pytest.fixture
def server(config: Settings, tmp_path: Path) -> Iterator[WebProcess]:
    """The web process with few threads."""
    process = WebProcess(config, tmp_path, WEB_THREADS=str(THREADS))
    yield process
    process.kill()


def slow(server: WebProcess, opening: bytes) -> socket.socket:
    """A client that begins a request and does not go on."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=HEAD_SECONDS + 20)
    client.sendall(opening)
    return client


@pytest.mark.parametrize(
    "opening",
    [HEAD + b"X-Slow: ", HEAD + b"Content-Length: 64\r\n\r\n[", HEAD
     + b"Content-Length: 64\r\nExpect: 100-continue\r\n\r\n"],
    ids=["head", "body", "expect"],
)  # fmt: skip
def test_many_slow_clients_are_hung_up_on_and_others_are_served(
    server: WebProcess, opening: bytes
) -> None:
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            stack.enter_context(slow(server, opening))
        wait_until(server.answers, "others are served")
