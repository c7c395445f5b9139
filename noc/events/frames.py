"""Frames of the feed: what a client reads, as JSON objects and as bytes on the wire.

A frame about a logged event carries its ``seq`` and ``event_id``; ``hello``, ``heartbeat`` and
``rate_limited`` are on the wire only and have neither.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
from typing import Any

from noc.events.log import LoggedEvent

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_ERROR = 1011
CLOSE_TRY_AGAIN = 1013
"""Close codes of RFC 6455 and its registry that the feed uses."""

_TEXT, _CLOSE = 0x81, 0x88
_SMALL, _MEDIUM = 125, 0xFFFF


def event_fields(event: LoggedEvent) -> dict[str, Any]:
    """The frame of a logged event without its ``cursor``: common fields, then the payload's.

    A payload cannot override a common field.
    """
    common: dict[str, Any] = {
        "type": event.event_type,
        "seq": event.seq,
        "event_id": str(event.event_id),
        "timestamp": event.created_at.isoformat(),
        "tenant_id": event.tenant_id,
        "site_id": event.site_id,
        "site_name": event.site_name,
    }
    return {**event.payload, **common}


def control_fields(kind: str, tenant_id: int, now: dt.datetime, **fields: Any) -> dict[str, Any]:
    """A ``hello``, ``heartbeat`` or ``rate_limited`` frame without its ``cursor``."""
    common: dict[str, Any] = {
        "type": kind,
        "timestamp": now.isoformat(),
        "tenant_id": tenant_id,
        "site_id": None,
        "site_name": None,
    }
    return {**common, **fields}


class Frame:
    """A frame built once and sent to many; only the cursor can differ between clients."""

    __slots__ = ("_body", "_made")

    def __init__(self, fields: dict[str, Any]) -> None:
        self._body = json.dumps(fields, separators=(",", ":"))[:-1]
        self._made: dict[int, bytes] = {}

    def wire(self, cursor: int) -> bytes:
        """The bytes of the WebSocket frame with this cursor; made once for each cursor."""
        made = self._made.get(cursor)
        if made is None:
            made = self._made[cursor] = text_frame(f'{self._body},"cursor":{cursor}}}'.encode())
        return made


def text_frame(payload: bytes) -> bytes:
    """An unmasked text frame of a server (RFC 6455, section 5.2)."""
    return _header(_TEXT, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame (section 5.5.1); the reason is cut to the 123 bytes that fit."""
    payload = struct.pack("!H", code) + reason.encode()[:123].decode(errors="ignore").encode()
    return _header(_CLOSE, len(payload)) + payload


def holds_close(data: bytes) -> bool:
    """Whether the whole, unmasked frames in ``data`` hold a close frame."""
    at = 0
    while at + 2 <= len(data):
        if data[at] & 0x0F == _CLOSE & 0x0F:
            return True
        length, start = data[at + 1] & 0x7F, at + 2
        if length == 126:
            (length,), start = struct.unpack_from("!H", data, start), start + 2
        elif length == 127:
            (length,), start = struct.unpack_from("!Q", data, start), start + 8
        at = start + length
    return False


def _header(first: int, length: int) -> bytes:
    if length <= _SMALL:
        return bytes((first, length))
    if length <= _MEDIUM:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
