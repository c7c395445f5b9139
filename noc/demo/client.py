"""Talks to the product as phones and clients do: over HTTP, with a token."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

PREFIX = "/api/v2/noc/"
TIMEOUT = 10.0
"""Seconds for connecting and for each answer."""

_LATER = frozenset({429, 502, 503, 504})


class Unavailable(ConnectionError):
    """The product does not answer, or asks to come later: the same request may be sent again."""


class Unauthorised(PermissionError):
    """The token is no longer good."""


class Refused(ValueError):
    """The product answered that the request is wrong; sending it again would not help."""


class Client:
    """One tenant's connection to the REST interface, kept open between requests."""

    def __init__(self, url: str, token: str) -> None:
        """Opens nothing yet. ``url``: where the product is, such as ``http://127.0.0.1:8000``."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an address of the product: {url!r}")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": "noc-demo-stream",
        }

    def get(self, path: str) -> Any:
        """The ``data`` of a GET below the interface's prefix."""
        return self._send("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """The ``data`` that a POST is answered with."""
        return self._send("POST", path, json.dumps(body))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, method: str, path: str, body: str | None) -> Any:
        kept = self._connection.sock is not None
        try:
            status, content = self._exchange(method, path, body)
        except Unavailable:
            # A server closes connections that were idle: that alone means nothing.
            if not kept:
                raise
            status, content = self._exchange(method, path, body)
        if status == 401:
            raise Unauthorised("the token is unknown, expired or revoked")
        if status in _LATER or status >= 500:
            raise Unavailable(f"status {status}")
        if status >= 400:
            raise Refused(f"{method} {path}: {status} {content[:300].decode('utf-8', 'replace')}")
        return json.loads(content)["data"]

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        content = None if body is None else body.encode()
        try:
            self._connection.request(method, PREFIX + path, content, self._headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"{type(error).__name__}: {error}") from error
