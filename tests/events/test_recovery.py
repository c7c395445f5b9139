"""The feed when Redis or the database drops its connections."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from noc.events import dispatcher
from noc.extensions import redis_client
from noc.monitoring import metrics
from tests.conftest import Services
from tests.events.conftest import House, Server, next_of, numbers, wait_until


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

    def refuse(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is starting up"))

    with monkeypatch.context() as away:
        away.setattr(dispatcher, "read_after", refuse)
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
        assert client.closing_code() == 1013
    resumed = server.connect(house.token, f"?after={client.frames[-1]['cursor']}")
    assert numbers(resumed, 2) == [0, 1]
    house.emit(1)
    assert numbers(resumed, 1) == [0], "the dispatcher outlived it"
