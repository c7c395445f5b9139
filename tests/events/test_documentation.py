"""The client that the documentation shows keeps its word."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noc.events import limits
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, serving, wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "feed.md"


class Enough(Exception):
    """Ends the client, which would follow for ever."""


@pytest.fixture
def follow() -> Callable[..., None]:
    """The function in the guide."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(code, names)
    function: Callable[..., None] = names["follow"]
    return function


def following(follow: Callable[..., None], server: Server, house: House, count: int) -> Any:
    """Follow in a thread until ``count`` events were handled; the thread and their numbers."""
    handled: list[int] = []

    def handle(frame: dict[str, Any]) -> None:
        handled.append(frame["seq"])
        if len(handled) == count:
            raise Enough

    def run() -> None:
        with pytest.raises(Enough):
            follow(server.url(), house.token, handle)

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
