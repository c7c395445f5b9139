"""What answers is not the feed: the client keeps its token, and says so in a line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from websockets.sync.server import ServerConnection, serve

from noc.events.commands import feed as command
from noc.feed_client.addresses import FeedRefused, checked_address
from noc.feed_client.following import Follower, Notice
from noc.feed_client.reading import LogReader
from tests.events.waiting import WAIT_SECONDS


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[str, list[Any]]]:
    """The address of a server that answers each request alike, and the headers it was sent."""
    heard: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_token(status: int) -> None:
    with (
        answering(200, b"{}") as (elsewhere, heard),
        answering(status, Location=f"{elsewhere}/api/v2/noc/events/") as (url, _),
    ):
        with pytest.raises(FeedRefused) as refused:
            LogReader(url, "noc_secret").last(1)
        assert heard == []
    assert refused.value.status == status


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"data": []}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_log_is_an_error_in_a_line(body: bytes) -> None:
    with answering(200, body) as (url, _):
        with pytest.raises(OSError, match="no event log"):
            LogReader(url, "noc_secret").last(1)
        result = CliRunner().invoke(command, ["--url", url, "--token", "noc_secret"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)


def test_a_servers_words_steer_no_terminal() -> None:
    body = b'{"detail": "\\u001b]0;owned\\u0007\\u202e"}'
    with answering(401, body) as (url, _):
        result = CliRunner().invoke(command, ["--url", url, "--token", "noc_secret"])
    assert "owned" in result.stderr
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


GARBAGE = [
    "<html>", "[]", "5", "[" * 100_000, '{"type": "hello"}', '{"type": "hello", "cursor": 1}',
    '{"type": "hello", "cursor": 1, "limits": {"heartbeat_seconds": NaN}}',
    '{"type": "x", "cursor": "1"}', '{"type": "x", "cursor": 1, "event_id": "e"}',
    '{"type": "rate_limited", "cursor": 1, "retry_after_seconds": Infinity, "withheld": 1}',
]  # fmt: skip


@pytest.mark.parametrize("words", GARBAGE)
def test_what_is_no_feed_is_a_cut_line(words: str) -> None:
    def talk(line: ServerConnection) -> None:
        line.send(words)
        line.recv(WAIT_SECONDS)

    notices: list[Notice] = []
    cut = threading.Event()

    def tell(notice: Notice) -> None:
        notices.append(notice)
        cut.set()

    with serve(talk, "127.0.0.1", 0, compression=None) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        port = server.socket.getsockname()[1]
        follower = Follower([f"http://127.0.0.1:{port}"], "noc_secret", tell=tell)
        following = threading.Thread(target=lambda: list(follower.events()))
        following.start()
        assert cut.wait(WAIT_SECONDS)
        follower.stop()
        following.join(WAIT_SECONDS)
        server.shutdown()
        serving.join(WAIT_SECONDS)
    assert [notice.text for notice in notices] == ["cut: what was heard is no feed"]


@pytest.mark.parametrize("url", ["http://host:99999", "http://host:0", "http://host:x"])
def test_a_port_that_cannot_be_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ort|address"):
        checked_address(url)
