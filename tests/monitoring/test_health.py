"""Is it alive, is it ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import make_url

from noc import create_app
from noc.database.bootstrap import prepare
from noc.extensions import connect_redis, db
from noc.monitoring import health
from noc.settings import Settings
from tests.conftest import Services


def checks(response: Any, status: int) -> dict[str, str]:
    assert response.status_code == status, response.text
    body = response.get_json()
    assert body["status"] == ("ok" if status == 200 else "unavailable")
    found: dict[str, str] = body["checks"]
    return found


def elsewhere(config: Settings, **addresses: str) -> APIFlask:
    return create_app(config.model_copy(update=addresses))


def test_it_is_ready_with_everything_in_place(client: FlaskClient) -> None:
    state = checks(client.get("/readyz"), 200)
    assert state == {"database": "ok", "redis": "ok", "migrations": "ok"}


def test_being_alive_asks_nobody(client: FlaskClient) -> None:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(db.engine.engine, "before_cursor_execute", note)
    try:
        assert client.get("/healthz").get_json() == {"status": "ok"}
    finally:
        event.remove(db.engine.engine, "before_cursor_execute", note)
    assert [line for line in seen if "SAVEPOINT" not in line] == []


def test_without_redis_it_is_not_ready(
    client: FlaskClient, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        app.extensions, "noc_redis", connect_redis("redis://:swordfish@127.0.0.1:1/0")
    )
    response = client.get("/readyz")
    state = checks(response, 503)
    assert state == {"database": "ok", "redis": "unreachable", "migrations": "ok"}
    assert "swordfish" not in response.text


def test_with_migrations_to_come_it_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_head", lambda _: "0099")
    state = checks(client.get("/readyz"), 503)
    assert "this release needs 0099" in state["migrations"]
    assert state["database"] == "ok"


def test_without_a_database_it_is_alive_but_not_ready(app: object, config: Settings) -> None:
    address = "postgresql+psycopg://noc_app:swordfish@127.0.0.1:1/noc"
    client = elsewhere(config, database_url=address).test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    state = checks(response, 503)
    assert state == {"database": "unreachable", "redis": "ok", "migrations": "unreachable"}
    assert "swordfish" not in response.text


@pytest.fixture
def empty(app: object, services: Services) -> Iterator[str]:
    """The application's address of a database that no migration has seen."""
    name = "noc_empty"
    prepare(services.admin_url, database=name)
    yield make_url(services.app_url).set(database=name).render_as_string(hide_password=False)
    owner = make_url(services.admin_url).set(drivername="postgresql")
    with psycopg.connect(owner.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_an_empty_database_says_what_to_do(empty: str, config: Settings) -> None:
    fresh = elsewhere(config, database_url=empty)
    state = checks(fresh.test_client().get("/readyz"), 503)
    assert state["database"] == "ok"
    assert "run 'noc db upgrade'" in state["migrations"]
    with fresh.app_context():
        db.engine.dispose()
