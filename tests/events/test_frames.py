"""Frames: the fields of the contract, and bytes that any WebSocket client understands."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message

from noc.events.frames import Frame, close_frame, control_fields, event_fields, holds_close
from noc.events.frames import text_frame as framed
from noc.events.log import LoggedEvent

NOW = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)


def received(data: bytes) -> list[object]:
    """What an independent implementation reads from the bytes."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_of_any_length_is_read_whole(length: int) -> None:
    text = "".join(m.data for m in received(framed(b"x" * length)) if isinstance(m, Message))
    assert text == "x" * length


def test_a_close_frame_carries_code_and_as_much_of_the_reason_as_fits() -> None:
    (close,) = received(close_frame(1013, "é" * 100))
    assert isinstance(close, CloseConnection)
    assert close.code == 1013
    assert close.reason == "é" * 61


def test_a_close_frame_is_found_behind_others_and_nowhere_else() -> None:
    pong = b"\x8a\x02\x88\x88"
    assert holds_close(close_frame(1000))
    assert holds_close(pong + framed(b"x" * 300) + close_frame(1000))
    assert not holds_close(pong + framed(b"\x88" * 300) + framed(b"\x88" * 70_000))


def test_an_events_frame_has_the_common_fields_and_the_payloads() -> None:
    event = LoggedEvent(
        3, 41, uuid.UUID(int=7), "alert_created", 5, "Dock", {"alert_id": 9, "seq": "no"}, NOW
    )
    frame = json.loads(Frame(event_fields(event)).wire(41)[2 + 2 :])
    assert frame == {
        "type": "alert_created",
        "seq": 41,
        "cursor": 41,
        "event_id": "00000000-0000-0000-0000-000000000007",
        "timestamp": "2026-11-16T09:00:00+00:00",
        "tenant_id": 3,
        "site_id": 5,
        "site_name": "Dock",
        "alert_id": 9,
    }


def test_a_frame_is_built_once_for_all_clients_with_the_same_cursor() -> None:
    frame = Frame(control_fields("heartbeat", 3, NOW))
    assert frame.wire(7) is frame.wire(7)
    assert json.loads(frame.wire(8)[2:])["cursor"] == 8
