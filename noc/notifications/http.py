"""One POST to somebody else's server: bounded in time, no redirects, no proxies, no surprises."""

from __future__ import annotations

import datetime as dt
import email.utils
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from noc.notifications.targets import PORTS, Unreachable, Where, resolve, take_apart

TIMEOUT_SECONDS = 10.0
"""For all of it together: finding the name, connecting, sending, and the answer's head."""

MOST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, and the seconds the other side wants to be left alone (at most an hour)."""

    status: int
    retry_after: float | None


@dataclass(slots=True)
class _Attempt:
    where: Where
    body: bytes
    headers: Mapping[str, str]
    private: bool
    loopback_only: bool
    connection: HTTPConnection | None = None
    answer: tuple[int, str | None] | None = None
    error: Exception | None = None
    given_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            addresses = resolve(self.where, private=self.private, loopback_only=self.loopback_only)
            self.answer = self._ask(self._connect(addresses))
        except Exception as error:  # handed to whoever waits, in whose thread it is judged
            self.error = error
        finally:
            if self.connection is not None:
                self.connection.close()

    def _connect(self, addresses: Sequence[str]) -> HTTPConnection:
        """To the first address that takes the connection."""
        refused: Exception = Unreachable("the host's name was not found")
        for address in addresses:
            self._check_wanted()
            self.connection = _connection(self.where, address)
            try:
                self.connection.connect()
                return self.connection
            except (HTTPError, OSError) as error:
                refused = error
        raise refused

    def _ask(self, connection: HTTPConnection) -> tuple[int, str | None]:
        self._check_wanted()
        connection.request("POST", self.where.path, self.body, self.headers, preload_content=False)
        # The head is all we want: what the body says is never read, and so never kept.
        response = connection.getresponse()
        return response.status, response.headers.get("Retry-After")

    def _check_wanted(self) -> None:
        if self.given_up.is_set():
            raise Unreachable("given up")

    def give_up(self) -> None:
        """Wake the thread that still waits for the other side, so that it ends."""
        self.given_up.set()
        sock = None if self.connection is None else self.connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private: bool,
    loopback_only: bool = False,
    now: dt.datetime,
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """Send ``body`` and wait for the answer's head, ``timeout`` seconds in all.

    ``private``, ``loopback_only``: see :func:`noc.notifications.targets.resolve`.
    :class:`Unreachable` where there was no answer. In a thread, since neither finding a name nor
    a server that answers a byte a second can be bounded otherwise.
    """
    where = take_apart(url)
    head = {**headers, "Host": _host(where), "User-Agent": "NOC-Intelligence"}
    attempt = _Attempt(where, body, head, private, loopback_only)
    thread = threading.Thread(target=attempt.run, name="notify", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        attempt.give_up()
        raise Unreachable(f"no answer within {timeout:g} seconds")
    if attempt.answer is None:
        raise _in_our_words(attempt.error)
    status, retry_after = attempt.answer
    return Answer(status, _retry_after(retry_after, now))


def _connection(where: Where, address: str) -> HTTPConnection:
    """To the address that was checked; the certificate is still the name's."""
    if where.scheme == "http":
        return HTTPConnection(address, where.port, timeout=TIMEOUT_SECONDS)
    return HTTPSConnection(
        address,
        where.port,
        timeout=TIMEOUT_SECONDS,
        server_hostname=where.host,
        ssl_context=ssl.create_default_context(),
    )


def _host(where: Where) -> str:
    name = f"[{where.host}]" if ":" in where.host else where.host
    return name if where.port == PORTS[where.scheme] else f"{name}:{where.port}"


def _in_our_words(error: Exception | None) -> Unreachable:
    if isinstance(error, Unreachable):
        return error
    # Never the library's words: they hold the address.
    return Unreachable(f"the connection failed ({type(error).__name__})")


def _retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds of the header (RFC 9110, 10.2.3), a number or a date; None where it is neither."""
    if not value:
        return None
    seconds: float
    if value.strip().isdecimal() and len(value) < 10:
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=dt.UTC)
            seconds = (moment - now).total_seconds()
        except (ValueError, OverflowError, TypeError, LookupError):
            # The library lets slip what a date of somebody else's making makes of its numbers.
            return None
    return min(max(seconds, 0.0), MOST_RETRY_AFTER)
