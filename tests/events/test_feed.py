"""The feed on real sockets: what is told, to whom, in which order, and how one goes on."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import redis

from noc.events.dispatcher import PAGE
from tests.events.conftest import (
    House,
    Server,
    events_of,
    next_of,
    numbers,
    wait_until,
)
from tests.feed_client import FeedClient


def test_the_hello_says_where_the_log_stands(house: House, server: Server) -> None:
    house.emit(3)
    hello = server.connect(house.token).frames[0]
    assert hello["type"] == "hello"
    assert (hello["oldest_seq"], hello["last_seq"], hello["cursor"]) == (1, 3, 3)
    assert hello["tenant_id"] == house.tenant_id
    assert hello["limits"]["events_per_minute"] == 1_000_000
    assert hello["server_time"]


def test_an_event_reaches_the_client_with_the_fields_of_its_frame(
    house: House, server: Server
) -> None:
    client = server.connect(house.token)
    house.emit(site_id=house.site_ids[0], alert_id=9, severity="HIGH")
    (frame,) = events_of(client, 1)
    (event,) = house.events()
    assert frame == {
        "type": "alert_created",
        "seq": 1,
        "cursor": 1,
        "event_id": str(event.event_id),
        "timestamp": event.created_at.isoformat(),
        "tenant_id": house.tenant_id,
        "site_id": house.site_ids[0],
        "site_name": event.site_name,
        "n": 0,
        "alert_id": 9,
        "severity": "HIGH",
    }


def test_a_client_hears_of_its_own_tenant_alone(
    new_house: Callable[[], House], server: Server
) -> None:
    ours, theirs = new_house(), new_house()
    client, other = server.connect(ours.token), server.connect(theirs.token)
    ours.emit(2)
    theirs.emit(1, mine=True)
    assert [frame["tenant_id"] for frame in events_of(client, 2)] == [ours.tenant_id] * 2
    assert [frame["tenant_id"] for frame in events_of(other, 1)] == [theirs.tenant_id]
    assert next_of(client, "heartbeat")["cursor"] == 2
    assert next_of(other, "heartbeat")["cursor"] == 1


def test_a_client_hears_of_the_sites_and_types_it_asked_for(house: House, server: Server) -> None:
    here, there = house.site_ids
    client = server.connect(house.token, f"?site_id={here}&types=alert_created,job_updated")
    house.emit_together([{"n": 1}], site_id=here)
    house.emit_together([{"n": 2}], site_id=there)
    house.emit_together([{"n": 3}])
    house.emit_together([{"n": 4}], site_id=here, event_type="ticket_updated")
    house.emit_together([{"n": 5}], site_id=here, event_type="job_updated")
    assert numbers(client, 2) == [1, 5]


def test_the_heartbeats_cursor_passes_events_that_do_not_concern_the_client(
    house: House, server: Server
) -> None:
    here, there = house.site_ids
    client = server.connect(house.token, f"?site_id={here}")
    house.emit(4, site_id=there)

    def beaten_to_four() -> bool:
        return next_of(client, "heartbeat")["cursor"] == 4

    wait_until(beaten_to_four, "the cursor passes the other site's events")
    assert [frame["type"] for frame in client.frames if "event_id" in frame] == []


def test_a_clients_heartbeat_is_answered_and_other_words_are_ignored(
    house: House, server: Server
) -> None:
    client = server.connect(house.token)
    for words in ("{", "[]", '"heartbeat"', '{"type": "subscribe"}', "[" * 10_000):
        client.say(words)
    client.say(b"\xff\xfe")
    house.emit(1)
    assert numbers(client, 1) == [0]
    client.say('{"type": "heartbeat"}')
    assert next_of(client, "heartbeat")["cursor"] == 1


def test_what_was_missed_comes_first_in_order_then_live(house: House, server: Server) -> None:
    house.emit_together([{"n": n} for n in range(PAGE + 20)])
    client = server.connect(house.token, "?after=10")
    assert client.frames[0]["cursor"] == 10
    missed = events_of(client, PAGE + 10)
    assert [frame["seq"] for frame in missed] == list(range(11, PAGE + 21))
    assert all(frame["cursor"] == frame["seq"] for frame in missed)
    house.emit(1, n=-1)
    assert [frame["seq"] for frame in events_of(client, 1)] == [PAGE + 21]


def test_a_client_that_resumes_from_its_cursor_has_every_event_once(
    house: House, server: Server
) -> None:
    """Connections break at random while events are written; each resumes with its cursor."""
    total = 120
    done = threading.Event()

    def write() -> None:
        dice = random.Random(1)
        n = 0
        while n < total:
            size = min(dice.randint(1, 3), total - n)
            house.emit_together([{"n": n + i} for i in range(size)])
            n += size
        done.set()

    def read(reader: int) -> None:
        dice = random.Random(reader)
        cursor, got = 0, []
        while len(got) < total:
            client = server.connect(house.token, f"?after={cursor}")
            for frame in events_of(client, min(dice.randint(5, 40), total - len(got))):
                got.append(frame["n"])
                cursor = frame["cursor"]
            client.close()
        heard[reader] = got

    heard: dict[int, list[int]] = {}
    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert done.is_set()
    assert heard == {number: list(range(total)) for number in range(4)}


def test_a_cursor_ahead_of_the_log_is_brought_back_to_its_end(house: House, server: Server) -> None:
    house.emit(2)
    client = server.connect(house.token, "?after=900")
    assert client.frames[0]["cursor"] == 2
    house.emit(1)
    assert [frame["seq"] for frame in events_of(client, 1)] == [3]


def test_a_doorbell_that_never_rings_delays_an_event_but_does_not_lose_it(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.connect(house.token)
    monkeypatch.setattr(redis.Redis, "publish", lambda *_: 0)
    house.emit(3)
    assert numbers(client, 3) == [0, 1, 2]


def test_many_clients_are_each_told_and_counted(house: House, server: Server) -> None:
    clients = [server.connect(house.token) for _ in range(5)]
    site_client = server.connect(house.token, f"?site_id={house.site_ids[0]}")
    house.emit(2)
    assert [numbers(client, 2) for client in clients] == [[0, 1]] * 5
    wait_until(lambda: house.row(2).recipient_count is not None, "the pushes are recorded")
    row = house.row(2)
    assert (row.recipient_count, row.broadcast_success, row.error_message) == (5, True, None)
    assert row.broadcast_at >= row.created_at
    assert row.broadcast_latency_ms >= 0
    assert site_client.frames[1:] == []


def test_an_event_that_nobody_was_there_to_hear_has_no_broadcast(
    house: House, server: Server
) -> None:
    client = server.connect(house.token, f"?site_id={house.site_ids[0]}")
    house.emit(1)
    house.emit(1, site_id=house.site_ids[0])
    events_of(client, 1)
    wait_until(lambda: house.row(2).recipient_count == 1, "the push is recorded")
    assert house.row(1).broadcast_at is None


def test_the_last_client_to_leave_ends_the_stream_and_the_next_begins_it_anew(
    house: House, server: Server
) -> None:
    first = server.connect(house.token)
    first.close()
    house.emit(2)
    second: FeedClient = server.connect(house.token, "?after=1")
    assert [frame["seq"] for frame in events_of(second, 1)] == [2]
