"""Waiting for what must come."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_SECONDS = 45.0
"""How long a test waits for what must come; far longer than it takes."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; AssertionError naming ``what`` if it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.01)
