"""Real services for the whole run, a transaction of its own for each test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from noc import create_app
from noc.database import partitions, tenancy
from noc.database.bootstrap import prepare
from noc.extensions import db, redis_client
from noc.extensions import session as current_session
from noc.identity import tenants, tokens
from noc.identity.capabilities import TOKEN_CAPABILITIES
from noc.launcher.services import embedded
from noc.rest.encoding import IsoJson
from noc.settings import Settings
from tests.factories import Make

os.environ["TZ"] = "UTC"


@dataclass(frozen=True)
class Services:
    """Addresses of the PostgreSQL and Redis that this run started."""

    admin_url: str
    app_url: str
    redis_url: str


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """PostgreSQL with the migrations applied, and Redis, for the whole run."""
    with embedded(tmp_path_factory.mktemp("services"), fast=True) as started:
        prepare(started.admin_url)
        yield Services(started.admin_url, started.app_url, started.redis_url)


@pytest.fixture(scope="session")
def config(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the application under test."""
    return Settings(
        noc_data_dir=tmp_path_factory.mktemp("data"),
        database_url=services.app_url,
        database_admin_url=services.admin_url,
        redis_url=services.redis_url,
        secret_key="tests",
        log_level="WARNING",
    )


@pytest.fixture(scope="session")
def app(config: Settings) -> Iterator[APIFlask]:
    """The application, on a migrated database."""
    app = create_app(config)
    app.config["TESTING"] = True
    app.test_client_class = SeparateClient
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def session(app: APIFlask) -> Iterator[Session]:
    """The session in an outer transaction that is rolled back: commits of the code are undone."""
    with app.app_context():
        connection: Connection = db.engine.connect()
        outer = connection.begin()
        real, db.engines[None] = db.engines[None], connection  # type: ignore[assignment]
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
        tenancy.name_tenant(current_session(), None)
        redis_client().flushdb()
        try:
            yield current_session()
        finally:
            db.session.remove()
            outer.rollback()
            # The months that the test made went with it.
            partitions._known.clear()
            connection.close()
            db.engines[None] = real
            db.session.configure(join_transaction_mode="conditional_savepoint")
            tenancy.name_tenant(current_session(), None)
            db.session.remove()


@pytest.fixture
def make(session: Session) -> Make:
    """Makes rows of the domain, with a tenant ``acme`` named for the test."""
    tenant = tenants.create_tenant("acme", "Acme Guarding")
    tenancy.name_tenant(session, tenant.id)
    return Make(session, tenant.id)


@pytest.fixture
def query_count(session: Session) -> Callable[[Callable[[], Any]], int]:
    """Counts the statements that a piece of work sends, apart from what tests add themselves."""

    def count(work: Callable[[], Any]) -> int:
        sent: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "SAVEPOINT" not in statement and "set_config" not in statement:
                sent.append(statement)

        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(connection, "before_cursor_execute", note)
        return len(sent)

    return count


class SeparateClient(FlaskClient):
    """Gives each request a context and a session of its own, as the web server does.

    What the test made is committed first (into the transaction that ends with the test); what a
    view left uncommitted is gone when it answers. JSON is written as clients write it, who know
    numbers that are none.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if (body := kwargs.pop("json", None)) is not None:
            kwargs["data"] = json.dumps(body, default=IsoJson.default)
            kwargs.setdefault("content_type", "application/json")
        if has_app_context():
            current_session().commit()
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: APIFlask, make: Make) -> FlaskClient:
    """A client without a sign-in."""
    return app.test_client()


class ApiClient:
    """Calls below ``/api/v2/noc/`` with a bearer token."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **kwargs: Any) -> Any:
        """GET below the API's prefix."""
        return self._client.get(f"/api/v2/noc/{path}", headers=self.headers, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Any:
        """POST below the API's prefix."""
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return self._client.post(f"/api/v2/noc/{path}", headers=headers, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Any:
        """PUT below the API's prefix."""
        return self._client.put(f"/api/v2/noc/{path}", headers=self.headers, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        """DELETE below the API's prefix."""
        return self._client.delete(f"/api/v2/noc/{path}", headers=self.headers, **kwargs)


@pytest.fixture
def api(client: FlaskClient, make: Make) -> ApiClient:
    """A client with a token of ``acme`` that may do everything."""
    _, secret = tokens.create(make.tenant_id, "tests", TOKEN_CAPABILITIES)
    return ApiClient(client, secret)


@pytest.fixture
def geolife() -> Path:
    """Real phone tracks; the test skips where they are absent."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "geolife"
    if not folder.is_dir():
        pytest.skip("the GeoLife tracks are not on this machine")
    return folder
