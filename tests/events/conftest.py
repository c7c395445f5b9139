"""Tenants whose rows are committed, since sockets are served from other threads and processes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from apiflask import APIFlask
from simple_websocket import ConnectionClosed
from sqlalchemy.engine import make_url
from werkzeug.serving import make_server
from wsproto.utilities import LocalProtocolError

from noc import create_app
from noc.database import tenancy
from noc.events import log
from noc.extensions import db, redis_client
from noc.extensions import session as current_session
from noc.identity import tenants, tokens
from noc.settings import Settings
from tests.conftest import Services
from tests.events.waiting import WAIT_SECONDS, wait_until
from tests.events.web_processes import WebProcess
from tests.factories import Make
from tests.feed_client import FeedClient

_number = itertools.count(1)


@dataclass
class House:
    """A committed tenant with two sites, a token that may view, and ways to log events."""

    app: APIFlask
    tenant_id: int
    site_ids: tuple[int, int]
    token: str

    def emit(self, count: int = 1, *, site_id: int | None = None, **payload: Any) -> None:
        """Commit ``count`` events, each in a transaction of its own, numbered in ``n``."""
        for n in range(count):
            self.emit_together([{"n": n, **payload}], site_id=site_id)

    def emit_together(
        self,
        payloads: list[dict[str, Any]],
        *,
        site_id: int | None = None,
        event_type: str = "alert_created",
    ) -> None:
        """Commit events in one transaction."""
        with self.working():
            for payload in payloads:
                log.emit(event_type, payload, tenant_id=self.tenant_id, site_id=site_id)
            current_session().commit()

    @contextmanager
    def working(self) -> Iterator[None]:
        """An app context that works for the tenant."""
        with self.app.app_context():
            tenancy.name_tenant(current_session(), self.tenant_id)
            try:
                yield
            finally:
                db.session.remove()
                tenancy.name_tenant(current_session(), None)

    def events(self) -> list[log.LoggedEvent]:
        """The whole log."""
        with self.working():
            return log.read_after(self.tenant_id, 0, 100_000)

    def row(self, seq: int) -> Any:
        """The log's row with this seq."""
        with self.working():
            return db.session.get(log.EventLog, (self.tenant_id, seq))


@pytest.fixture
def new_house(app: APIFlask, services: Services) -> Iterator[Callable[[], House]]:
    """Makes committed tenants; all that is theirs is deleted after the test."""
    made: list[int] = []

    def make() -> House:
        with app.app_context():
            tenancy.name_tenant(current_session(), None)
            tenant = tenants.create_tenant(f"feed-{next(_number)}", "Feed")
            tenancy.name_tenant(current_session(), tenant.id)
            rows = Make(current_session(), tenant.id)
            sites = (rows.site().id, rows.site().id)
            _, token = tokens.create(tenant.id, "tests", ["noc:view"])
            current_session().commit()
            made.append(tenant.id)
            tenancy.name_tenant(current_session(), None)
        return House(app, tenant.id, sites, token)

    with app.app_context():
        redis_client().flushdb()
    yield make
    url = make_url(services.admin_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("DELETE FROM tenant WHERE id = ANY(%s)", (made,))


@pytest.fixture
def house(new_house: Callable[[], House]) -> House:
    """A committed tenant."""
    return new_house()


@dataclass
class Server:
    """A web server in this process, and clients that are closed with it."""

    app: APIFlask
    port: int
    _clients: list[FeedClient] = field(default_factory=list)

    def url(self, query: str = "") -> str:
        """Address of the feed."""
        return f"ws://127.0.0.1:{self.port}/ws/noc/dashboard/{query}"

    def connect(self, token: str, query: str = "") -> FeedClient:
        """A client that has read its hello."""
        return self.connect_with({"Authorization": f"Bearer {token}"}, query)

    def connect_with(self, headers: dict[str, str], query: str = "") -> FeedClient:
        """The same with these headers."""
        client = FeedClient(self.url(query), headers=headers)
        self._clients.append(client)
        client.wait_for_type("hello", WAIT_SECONDS)
        return client

    def close(self) -> None:
        """Hang up every client that still holds."""
        for client in self._clients:
            with suppress(ConnectionClosed, LocalProtocolError, OSError):
                client.close()
        self._clients.clear()
        feed = self.app.extensions["noc_feed"]
        wait_until(lambda: feed.taken == 0, "the clients' places are free")


@contextmanager
def serving(config: Settings) -> Iterator[Server]:
    """The application with ``config`` on a real port."""
    app = create_app(config)
    http = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server = Server(app, http.server_port)
    try:
        yield server
    finally:
        server.close()
        app.extensions["noc_feed"].stop()
        http.shutdown()
        http.server_close()
        thread.join(5)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def shared_server(app: APIFlask, config: Settings) -> Iterator[Server]:
    """A server whose feed beats twice a second and is not limited."""
    settings = config.model_copy(
        update={"websocket_heartbeat_seconds": 0.5, "websocket_rate_limit": 1_000_000}
    )
    with serving(settings) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """That server; clients are closed after the test."""
    yield shared_server
    shared_server.close()


def numbers(client: FeedClient, count: int) -> list[int]:
    """The ``n`` of the next ``count`` events the client is told of."""
    return [frame["n"] for frame in events_of(client, count)]


def events_of(client: FeedClient, count: int) -> list[dict[str, Any]]:
    """The next ``count`` frames about logged events; AssertionError if they do not come."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = client.next(WAIT_SECONDS)
        assert frame is not None, f"{len(found)} of {count} events came: {found[-1:]}"
        if "event_id" in frame:
            found.append(frame)
    return found


def next_of(client: FeedClient, kind: str) -> dict[str, Any]:
    """The next frame of this type, whatever comes before it."""
    while True:
        frame = client.next(WAIT_SECONDS)
        assert frame is not None, f"no {kind} came"
        if frame["type"] == kind:
            return frame


@pytest.fixture
def web(config: Settings, tmp_path: Path) -> Iterator[Callable[..., WebProcess]]:
    """Starts web processes with these settings; what still runs after the test is killed."""
    started: list[WebProcess] = []

    def start(*, wait: bool = True, **settings: str) -> WebProcess:
        folder = tmp_path / f"web-{len(started)}"
        started.append(WebProcess(config, folder, wait=False, **settings))
        if wait:
            wait_until(started[-1].answers, "the web process is ready")
        return started[-1]

    yield start
    for process in started:
        process.kill()
