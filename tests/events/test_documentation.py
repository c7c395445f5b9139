"""The client that the documentation shows, ``examples/feed_client.py``, keeps its word."""

from __future__ import annotations

import ast
import runpy
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from noc.events import limits
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, serving, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "feed_client.py"


class Enough(Exception):
    """Ends the client, which would follow for ever."""


@pytest.fixture
def follow() -> Callable[..., None]:
    """The function in the example."""
    function: Callable[..., None] = runpy.run_path(str(EXAMPLE))["follow"]
    return function


def following(
    follow: Callable[..., None], server: Server, house: House, count: int, **more: Any
) -> Any:
    """Follow in a thread until ``count`` events were handled; the thread and their numbers."""
    handled: list[int] = []

    def handle(frame: dict[str, Any]) -> None:
        handled.append(frame["seq"])
        if len(handled) == count:
            raise Enough

    def run() -> None:
        with pytest.raises(Enough):
            follow(server.url(), house.token, handle, **more)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, handled


def test_it_hands_over_what_was_missed_and_what_comes(
    house: House, server: Server, follow: Callable[..., None]
) -> None:
    house.emit(3)
    thread, handled = following(follow, server, house, 6)
    wait_until(lambda: len(handled) == 3, "what was missed")
    house.emit(3)
    thread.join(WAIT_SECONDS)
    assert handled == [1, 2, 3, 4, 5, 6]


def test_it_has_every_event_of_a_flood_once(
    house: House, config: Settings, follow: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 0.5)
    with serving(config.model_copy(update={"websocket_rate_limit": 5})) as server:
        thread, handled = following(follow, server, house, 40)
        house.emit(20)
        house.emit(1, severity="CRITICAL")
        house.emit(19)
        thread.join(WAIT_SECONDS)
    assert sorted(handled) == list(range(1, 41))
    assert len(set(handled)) == 40


def test_it_goes_on_where_the_line_was_cut_and_keeps_its_cursor(
    house: House, server: Server, follow: Callable[..., None]
) -> None:
    house.emit(3)
    kept: list[int] = []
    thread, handled = following(follow, server, house, 9, keep=kept.append)
    wait_until(lambda: len(handled) == 3, "what was missed")
    for _ in range(2):
        for socket in list(server.app.extensions["noc_feed"]._sockets):
            socket.gate.shut()
        house.emit(3)
    thread.join(WAIT_SECONDS)
    assert handled == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert kept == sorted(kept)
    assert kept[-1] >= 8


def test_a_token_that_is_no_good_ends_it(server: Server, follow: Callable[..., None]) -> None:
    with pytest.raises(InvalidStatus):
        follow(server.url(), "noc_wrong", print)


def test_it_stands_alone() -> None:
    imported = set()
    for node in ast.walk(ast.parse(EXAMPLE.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported - sys.stdlib_module_names == {"websockets"}
