"""Following the feed for ever: every event once, whatever is restarted meanwhile."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from noc.feed_client.addresses import (
    Frame,
    checked_address,
    feed_address,
    query_string,
    refusal,
)

_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_MISSED_BEATS = 3
"""The line is dead after so many heartbeats did not come."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_STABLE_SECONDS = 5.0
"""A connection that lasted this long begins the pauses anew."""

_LARGEST_FRAME = 16 * 1024 * 1024
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that is busy, stopping or not up yet; any other one is final."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to the line; ``seconds`` is how long it was cut, or how long it will wait."""

    kind: Literal["connected", "cut", "resumed", "limited", "lost"]
    text: str
    seconds: float = 0.0


class _Cut(Exception):
    """The line is gone, for the reason given; ``pause`` is what the server asks for, seconds."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class Follower:
    """Hands over each event after ``cursor`` once, and keeps the cursor to resume from.

    In order, but for one case: while the rate limit withholds events, CRITICAL ones come at once
    and what was withheld comes after them, by a replay as soon as the limit lets it.

    ``urls`` are addresses of web processes of one house; after a cut the next one is tried. An
    event counts as handed over when the next one is asked for, so that whoever stops in the
    middle of one gets it again.
    """

    def __init__(
        self,
        urls: Sequence[str],
        token: str,
        *,
        after: int | None = None,
        types: Sequence[str] = (),
        site_ids: Sequence[int] = (),
        tell: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """Nothing is opened yet. ``after`` None begins with what happens from now on.

        ValueError for an address that is none.
        """
        self.cursor = after
        self._bases = [checked_address(url) for url in urls]
        if not self._bases:
            raise ValueError("the feed needs an address")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._types, self._site_ids = tuple(types), tuple(site_ids)
        self._tell = tell
        self._ahead: set[int] = set()
        self._stopped = threading.Event()
        self._line: ClientConnection | None = None
        self._attempts = 0
        self._connected_at = -math.inf
        self._cut_at: float | None = None
        self._pause = _FIRST_PAUSE

    def events(self) -> Iterator[Frame]:
        """The frames of logged events, for ever; ends after :meth:`stop`.

        FeedRefused where the server does not let this client in (any more).
        """
        while not self._stopped.is_set():
            try:
                with self._open() as line:
                    self._line = line
                    yield from self._hear(line)
            except _Cut as cut:
                self._note_cut(cut)
            except ConnectionClosed as closed:
                self._note_cut(_Cut(_closing_words(closed)))
            finally:
                self._line = None

    def stop(self) -> None:
        """End :meth:`events`, from any thread."""
        self._stopped.set()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut the line, from any thread; it is resumed."""
        line = self._line
        if line is not None:
            with suppress(OSError):
                line.close_socket()

    def _open(self) -> ClientConnection:
        base = self._bases[self._attempts % len(self._bases)]
        self._attempts += 1
        query = query_string(self._types, self._site_ids, after=self.cursor)
        try:
            return connect(
                feed_address(base, query),
                additional_headers=self._headers,
                compression=None,
                open_timeout=_OPEN_SECONDS,
                close_timeout=_CLOSE_SECONDS,
                max_size=_LARGEST_FRAME,
            )
        except InvalidStatus as refused:
            answer = refused.response
            final = refusal(answer.status_code, answer.body)
            if answer.status_code not in _AGAIN:
                raise final from refused
            raise _Cut(str(final), _retry_after(answer.headers.get("Retry-After"))) from refused
        except (InvalidHandshake, TimeoutError) as error:
            raise _Cut(f"no answer from {base}") from error
        except (OSError, EOFError) as error:
            raise _Cut(f"cannot reach {base}") from error

    def _hear(self, line: ClientConnection) -> Iterator[Frame]:
        """The events of one connection, until it is time to replay what was withheld."""
        patience, replay_at = _OPEN_SECONDS, math.inf
        while not self._stopped.is_set() and (left := replay_at - time.monotonic()) > 0:
            try:
                frame = _frame(line.recv(min(left, patience)))
            except TimeoutError:
                if time.monotonic() >= replay_at:
                    return
                raise _Cut(f"nothing was heard for {patience:.0f} s") from None
            if frame["type"] == "hello":
                patience = self._greeted(frame)
            elif frame["type"] == "rate_limited":
                replay_at = time.monotonic() + self._limited(frame)
            elif "event_id" in frame and not self._has(frame["seq"]):
                yield frame
                self._ahead.add(frame["seq"])
            self._pass(frame["cursor"])

    def _has(self, seq: int) -> bool:
        return seq in self._ahead or (self.cursor is not None and seq <= self.cursor)

    def _pass(self, cursor: int) -> None:
        self.cursor = cursor
        if self._ahead:
            self._ahead = {seq for seq in self._ahead if seq > cursor}

    def _greeted(self, hello: Frame) -> float:
        """Say where the line stands; seconds of silence after which it is dead."""
        now = time.monotonic()
        begun, wanted = hello["cursor"], self.cursor
        if self._connected_at == -math.inf:
            self._tell(Notice("connected", f"connected, after seq {begun}"))
        elif self._cut_at is not None:
            away = now - self._cut_at
            self._tell(Notice("resumed", f"resumed after {away:.1f} s, after seq {begun}", away))
        if wanted is not None and begun > wanted:
            gone = f"events {wanted + 1} to {begun} are older than what is kept"
            self._tell(Notice("lost", gone))
        elif wanted is not None and begun < wanted:
            self._ahead.clear()
            self._tell(Notice("lost", f"the log ends at {begun}, before {wanted}: it was restored"))
        self._connected_at, self._cut_at = now, None
        return float(_MISSED_BEATS * hello["limits"]["heartbeat_seconds"] + _CLOSE_SECONDS)

    def _limited(self, frame: Frame) -> float:
        seconds = float(frame["retry_after_seconds"])
        words = f"rate limit: {frame['withheld']} withheld so far, replayed in {seconds:.0f} s"
        self._tell(Notice("limited", words, seconds))
        return seconds

    def _note_cut(self, cut: _Cut) -> None:
        """Tell of it once a cut, and pause: longer each time, and not all clients alike."""
        if self._stopped.is_set():
            return
        now = time.monotonic()
        if self._cut_at is None:
            self._cut_at = now
            self._tell(Notice("cut", f"cut: {cut}"))
            if now - self._connected_at > _STABLE_SECONDS:
                self._pause = _FIRST_PAUSE
        pause = max(cut.pause, self._pause * random.uniform(0.5, 1))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._stopped.wait(pause)


def _frame(message: str | bytes) -> Frame:
    """The frame, with all that is read from it; _Cut where whoever sent it is no feed."""
    try:
        frame: Frame = json.loads(message)
        numbers = [frame["cursor"]]
        if "event_id" in frame:
            numbers.append(frame["seq"])
        if frame["type"] == "hello":
            numbers.append(frame["limits"]["heartbeat_seconds"])
        elif frame["type"] == "rate_limited":
            numbers += [frame["retry_after_seconds"], frame["withheld"]]
        if not all(0 <= number < math.inf for number in numbers):
            raise ValueError(numbers)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _Cut("what was heard is no feed") from error
    return frame


def _closing_words(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "the line broke"
    return f"{closed.rcvd.reason or 'the server hung up'} ({closed.rcvd.code})"


def _retry_after(value: str | None) -> float:
    """Seconds that a server asks for, a minute at most; 0 where it says none."""
    return min(float(value), 60.0) if value and value.isdecimal() else 0.0
