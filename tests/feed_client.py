"""A client of the feed that collects frames, for tests and benchmarks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from simple_websocket import Client, ConnectionClosed

Frame = dict[str, Any]


class FeedClient:
    """Connects, keeps every frame in ``frames``, and waits for the ones asked for."""

    def __init__(self, url: str, token: str = "", headers: dict[str, str] | None = None) -> None:
        self.frames: list[Frame] = []
        self._socket = Client(url, headers=headers or {"Authorization": f"Bearer {token}"})

    def say(self, words: str | bytes) -> None:
        """Send a message."""
        self._socket.send(words)

    def closing_code(self, seconds: float = 10) -> int:
        """The code with which the server ends the connection; reads what comes before it."""
        deadline = time.monotonic() + seconds
        while self.next(deadline - time.monotonic()) is not None:
            pass
        assert not self._socket.connected, "the server keeps the connection open"
        return int(self._socket.close_reason)

    def next(self, seconds: float = 10) -> Frame | None:
        """The next frame, or None when none came in time or the socket was closed."""
        try:
            raw = self._socket.receive(timeout=seconds)
        except ConnectionClosed:
            return None
        if raw is None:
            return None
        frame: Frame = json.loads(raw)
        self.frames.append(frame)
        return frame

    def wait_for(self, wanted: Callable[[Frame], bool], seconds: float = 10) -> Frame:
        """The first frame, already here or still to come, that is ``wanted``."""
        for frame in self.frames:
            if wanted(frame):
                return frame
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            frame = self.next(left)
            if frame is not None and wanted(frame):
                return frame
        kinds = [frame["type"] for frame in self.frames]
        raise AssertionError(f"no such frame within {seconds} s; these came: {kinds}")

    def wait_for_type(self, kind: str, seconds: float = 10) -> Frame:
        """The first frame of this type."""
        return self.wait_for(lambda frame: frame["type"] == kind, seconds)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
