"""The feed when Redis or the database drops its connections."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from noc.events import broadcasts, connections, dispatcher, feed, rights, sockets
from noc.events.doorbell import DOORBELL
from noc.extensions import redis_client
from noc.extensions import session as current_session
from noc.identity import tokens
from noc.monitoring import metrics
from noc.settings import Settings
from tests.conftest import Services
from tests.events.conftest import (
    WAIT_SECONDS,
    House,
    Server,
    next_of,
    numbers,
    serving,
    wait_until,
)
from tests.feed_client import FeedClient


def away(*_: object, **__: object) -> None:
    """Stands for a function that asks the database."""
    raise OperationalError("SELECT", {}, Exception("the database is starting up"))


def test_a_lost_connection_to_redis_loses_no_event(house: House, server: Server) -> None:
    client = server.connect(house.token)
    house.emit(1)
    assert numbers(client, 1) == [0]
    with house.app.app_context():
        redis_client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        redis_client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    house.emit(5)
    assert numbers(client, 5) == [0, 1, 2, 3, 4]


def test_a_restart_of_the_database_loses_no_event(
    house: House, server: Server, services: Services
) -> None:
    client = server.connect(house.token)
    house.emit(1)
    assert numbers(client, 1) == [0]
    url = make_url(services.admin_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'noc_app'"
        )
    house.emit(5)
    assert numbers(client, 5) == [0, 1, 2, 3, 4]


def test_a_database_that_is_away_is_waited_for_and_counted(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.connect(house.token)
    failures = metrics.FAILURES.labels("feed")._value
    before = failures.get()
    with monkeypatch.context() as outage:
        outage.setattr(dispatcher, "read_after", away)
        house.emit(3)
        wait_until(lambda: failures.get() > before, "the failure is counted")
        assert next_of(client, "heartbeat")["cursor"] == 0, "the sockets live on"
    assert numbers(client, 3) == [0, 1, 2]


def test_a_fault_while_pushing_sends_the_clients_back_to_their_cursors(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.connect(house.token)

    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr(dispatcher, "event_fields", fail)
        house.emit(2)
        assert client.closing_code(WAIT_SECONDS) == 1013
    resumed = server.connect(house.token, f"?after={client.frames[-1]['cursor']}")
    assert numbers(resumed, 2) == [0, 1]
    house.emit(1)
    assert numbers(resumed, 1) == [0], "the dispatcher outlived it"


def test_a_client_that_comes_while_the_log_cannot_be_read_is_told_to_try_again(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "bounds", away)
    client = FeedClient(server.url(), house.token)
    assert client.closing_code(WAIT_SECONDS) == 1013
    assert client.frames == []


def test_a_fault_of_ours_while_a_client_is_greeted_closes_it_with_1011(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(connections, "bounds", fail)
    assert FeedClient(server.url(), house.token).closing_code(WAIT_SECONDS) == 1011


def test_pushes_that_could_not_be_recorded_are_recorded_later(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.connect(house.token)
    failures = metrics.FAILURES.labels("broadcast_record")._value
    before = failures.get()
    with monkeypatch.context() as outage:
        outage.setattr(broadcasts, "_record", away)
        house.emit(2)
        assert numbers(client, 2) == [0, 1]
        wait_until(lambda: failures.get() > before, "the failure is counted")
    wait_until(lambda: house.row(2).recipient_count == 1, "it is recorded")
    assert house.row(1).recipient_count == 1


def test_a_sign_in_that_cannot_be_checked_holds_until_it_can(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.connect(house.token)
    failures = metrics.FAILURES.labels("feed")._value
    before = failures.get()
    monkeypatch.setattr(feed.tokens, "find", away)
    wait_until(lambda: failures.get() >= before + 2, "two heartbeats could not check it")
    next_of(client, "heartbeat")


def test_a_revoked_token_ends_its_feed_before_the_next_heartbeat(
    house: House, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "CHECK_SECONDS", 3600)
    rare = config.model_copy(update={"websocket_heartbeat_seconds": 3600})
    with serving(rare) as server, house.working():
        other, secret = tokens.create(house.tenant_id, "other", ["noc:view"])
        current_session().commit()
        stays, goes = server.connect(house.token), server.connect(secret)
        tokens.revoke(other)
        current_session().commit()
        assert goes.closing_code(WAIT_SECONDS) == 1008
        house.emit(1)
        assert numbers(stays, 1) == [0]


def test_rights_are_checked_during_a_long_replay_too(
    house: House, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.emit(5)
    monkeypatch.setattr(rights, "CHECK_SECONDS", 0.0)
    answers = iter([True, False])
    monkeypatch.setattr(feed, "_still_allowed", lambda _: next(answers))
    with serving(config) as server:
        client = FeedClient(server.url("?after=0"), house.token)
        assert client.closing_code(WAIT_SECONDS) == 1008
    assert len([frame for frame in client.frames if "event_id" in frame]) == 1


def test_a_client_that_talks_without_end_is_closed_with_1008(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_UNREAD_MESSAGES", -1)
    client = server.connect(house.token)
    client.say("{}")
    assert client.closing_code(WAIT_SECONDS) == 1008


def test_a_doorbell_that_cannot_be_understood_is_passed_over(house: House, server: Server) -> None:
    client = server.connect(house.token)
    with house.app.app_context():
        for ring in ("nonsense", "[]", '{"tenant": "x", "seq": 1}'):
            redis_client().publish(DOORBELL, ring)
    house.emit(1)
    assert numbers(client, 1) == [0]
