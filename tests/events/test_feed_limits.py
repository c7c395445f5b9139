"""The limit on pushes: what is withheld can be had again, and everybody knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apiflask import APIFlask

from noc.events.limits import PushLimit
from noc.extensions import connect_redis, redis_client
from noc.settings import Settings
from tests.events.conftest import House, Server, events_of, next_of, numbers, serving, wait_until

LIMIT = 10


_LIMITED = {"websocket_heartbeat_seconds": 0.5, "websocket_rate_limit": LIMIT}


@pytest.fixture(scope="module")
def limited_server(app: APIFlask, config: Settings) -> Iterator[Server]:
    """A server that pushes ten events a minute to each tenant."""
    with serving(config.model_copy(update=_LIMITED)) as server:
        yield server


@pytest.fixture
def limited(limited_server: Server) -> Iterator[Server]:
    """That server; clients are closed after the test."""
    yield limited_server
    limited_server.close()


def test_a_flood_is_cut_short_with_a_way_back_to_every_event(house: House, limited: Server) -> None:
    client = limited.connect(house.token)
    house.emit(25)
    assert numbers(client, LIMIT) == list(range(LIMIT))
    notice = next_of(client, "rate_limited")
    assert notice["resume_after"] == notice["cursor"] == LIMIT
    assert 1 <= notice["withheld"] <= 15
    assert 0 < notice["retry_after_seconds"] <= 60
    assert next_of(client, "heartbeat")["cursor"] == LIMIT, "the cursor stands still"

    resumed = limited.connect(house.token, f"?after={notice['resume_after']}")
    assert numbers(resumed, 15) == list(range(LIMIT, 25)), "a replay is exempt from the limit"
    assert next_of(resumed, "heartbeat")["cursor"] == 25
    told = [frame for frame in client.frames if frame["type"] == "rate_limited"]
    assert len(told) == 1


def test_critical_events_pass_while_others_are_withheld(house: House, limited: Server) -> None:
    client = limited.connect(house.token)
    house.emit(LIMIT + 1)
    next_of(client, "rate_limited")
    house.emit(1, severity="CRITICAL")
    house.emit(1, combined_severity="CRITICAL")
    for seq in (LIMIT + 2, LIMIT + 3):
        (frame,) = events_of(client, 1)
        assert frame["seq"] == seq
        assert frame["cursor"] == LIMIT, "what was withheld lies behind the cursor's back"


def test_what_is_withheld_is_recorded_as_such(house: House, limited: Server) -> None:
    limited.connect(house.token)
    house.emit(LIMIT + 1)
    wait_until(lambda: house.row(LIMIT + 1).broadcast_success is False, "it is recorded")
    row = house.row(LIMIT + 1)
    assert (row.recipient_count, row.broadcast_at) == (0, None)
    assert row.error_message == "withheld by the rate limit"


def test_a_client_that_none_of_it_concerned_is_not_told(house: House, limited: Server) -> None:
    here, there = house.site_ids
    client = limited.connect(house.token, f"?site_id={here}")
    flooded = limited.connect(house.token, f"?site_id={there}")
    house.emit(LIMIT + 5, site_id=there)
    next_of(flooded, "rate_limited")
    wait_until(
        lambda: next_of(client, "heartbeat")["cursor"] == LIMIT + 5,
        "the cursor of the client that missed nothing moves on",
    )
    assert "rate_limited" not in {frame["type"] for frame in client.frames}


def test_processes_share_the_bucket_and_count_an_event_once(
    house: House, limited: Server, app: APIFlask, config: Settings
) -> None:
    with serving(config.model_copy(update=_LIMITED)) as second:
        clients = [limited.connect(house.token), second.connect(house.token)]
        house.emit(LIMIT + 5)
        for client in clients:
            assert numbers(client, LIMIT) == list(range(LIMIT))
            next_of(client, "rate_limited")
        wait_until(lambda: house.row(1).recipient_count == 2, "recipients add up over processes")


def test_a_window_ends_and_the_next_lets_as_many_through(app: APIFlask) -> None:
    with app.app_context():
        client = redis_client()
        client.delete("noc:feed:pushed:77")
        bucket = PushLimit(client, window_seconds=600)
        first = bucket.admit(77, [1, 2, 3], 2)
        assert first.withheld == {3}
        assert 0 < first.retry_after_seconds <= 600
        assert bucket.admit(77, [2, 4], 2).withheld == {4}, "2 has been let through already"
        assert 0 < client.pttl("noc:feed:pushed:77") <= 600_000, "the window ends by itself"
        client.pexpire("noc:feed:pushed:77", 1)
        wait_until(lambda: not bucket.admit(77, [5], 2).withheld, "the window ends")


def test_without_redis_everything_is_let_through() -> None:
    nowhere = connect_redis("unix:///nowhere.sock")
    bucket = PushLimit(nowhere)
    assert not bucket.admit(1, list(range(50)), 2).withheld
    assert not bucket.admit(1, [51], 2).withheld
