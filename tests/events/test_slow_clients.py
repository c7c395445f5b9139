"""A client that does not read delays nobody, and is told or cut; what it missed it can have."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from noc.events import connections, sockets
from noc.events.connections import Goodbye
from tests.events.conftest import (
    WAIT_SECONDS,
    House,
    Server,
    numbers,
    wait_until,
)
from tests.feed_client import FeedClient


class Stalled:
    """A client that reads only when it is told to, with small buffers."""

    def __init__(self, server: Server, token: str, query: str = "") -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(WAIT_SECONDS)
        self._socket.connect(("127.0.0.1", server.port))
        self._protocol = WSConnection(ConnectionType.CLIENT)
        request = Request(
            host="127.0.0.1",
            target=f"/ws/noc/dashboard/{query}",
            extra_headers=[(b"Authorization", f"Bearer {token}".encode())],
        )
        self._socket.sendall(self._protocol.send(request))
        while not any(isinstance(event, AcceptConnection) for event in self._protocol.events()):
            self._protocol.receive_data(self._socket.recv(1))

    def read_to_the_end(self) -> tuple[list[dict[str, Any]], int | None]:
        """Every whole frame that comes, and the code of the goodbye; None when cut."""
        frames, parts = [], ""
        while True:
            try:
                data = self._socket.recv(65_536)
            except ConnectionResetError:
                return frames, None
            self._protocol.receive_data(data or None)
            for event in self._protocol.events():
                if isinstance(event, TextMessage):
                    parts += event.data
                    if event.message_finished:
                        frames.append(json.loads(parts))
                        parts = ""
                elif isinstance(event, CloseConnection):
                    return frames, event.code if data else None
            if not data:
                return frames, None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@pytest.fixture
def stalled(house: House, server: Server) -> Iterator[Stalled]:
    """A client of ``house`` that does not read."""
    client = Stalled(server, house.token)
    yield client
    client.close()


def big(n: int) -> dict[str, Any]:
    """An event of 32 kB: eighty are more than the buffers of a client and its backlog hold."""
    return {"n": n, "message": "x" * 32_000}


def flood(house: House) -> None:
    """All eighty at once."""
    house.emit_together([big(n) for n in range(80)])


def tell_slowly(house: House, client: FeedClient) -> None:
    """All eighty one after another, each once ``client`` has read the one before."""
    for n in range(80):
        house.emit_together([big(n)])
        assert numbers(client, 1) == [n]


@pytest.fixture(autouse=True)
def small_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog of 256 kB, so that tests need not send megabytes to fill it."""
    monkeypatch.setattr(sockets, "BACKLOG_BYTES", 256 * 1024)


def test_others_are_told_of_everything_while_one_does_not_read(
    house: House, server: Server, stalled: Stalled
) -> None:
    client = server.connect(house.token)
    tell_slowly(house, client)
    wait_until(lambda: house.row(80).recipient_count == 1, "the other one is given up")


def test_a_client_that_reads_again_in_time_gets_whole_frames_and_1013_and_resumes(
    house: House, server: Server, stalled: Stalled
) -> None:
    flood(house)
    wait_until(lambda: house.row(80).broadcast_success is False, "the client is too slow")
    frames, code = stalled.read_to_the_end()
    assert code == 1013
    got = [frame["n"] for frame in frames if "event_id" in frame]
    assert got == list(range(len(got)))
    assert 0 < len(got) < 80
    resumed = server.connect(house.token, f"?after={frames[-1]['cursor']}")
    assert numbers(resumed, 80 - len(got)) == list(range(len(got), 80))


def test_a_client_that_never_reads_again_is_cut(
    house: House, server: Server, stalled: Stalled, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = Goodbye(1013, "too slow", drain_seconds=0.2)
    monkeypatch.setattr(connections, "_TOO_SLOW", impatient)
    flood(house)
    feed = server.app.extensions["noc_feed"]
    wait_until(lambda: feed.taken == 0, "the connection is given up")
    _, code = stalled.read_to_the_end()
    assert code is None


def test_a_push_that_a_client_was_too_slow_for_is_recorded_as_failed(
    house: House, server: Server, stalled: Stalled
) -> None:
    client = server.connect(house.token)
    tell_slowly(house, client)
    failed: list[int] = []

    def recorded() -> bool:
        failed[:] = [n for n in range(1, 81) if house.row(n).broadcast_success is False]
        return bool(failed)

    wait_until(recorded, "a push failed")
    row = house.row(failed[0])
    assert (row.recipient_count, row.error_message) == (1, "1 of 2 clients too slow or gone")


def test_a_long_replay_waits_for_a_client_that_reads_slowly(house: House, server: Server) -> None:
    flood(house)
    client = Stalled(server, house.token, "?after=0")
    house.emit(1, n=80)
    frames: list[dict[str, Any]] = []
    while len(frames) < 82:
        data = client._socket.recv(20_000)
        client._protocol.receive_data(data)
        frames += [
            event
            for event in client._protocol.events()
            if isinstance(event, TextMessage) and event.message_finished
        ]
    client.close()
