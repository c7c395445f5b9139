"""A real web server and a real mail server on this machine, and what they were sent."""

from __future__ import annotations

import datetime as dt
import email
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.dedup import AlertInput
from noc.alerts.process import ProcessedAlert, process_alert
from noc.database.base import utcnow
from noc.extensions import settings
from noc.notifications import deliveries, routes
from noc.notifications.models import NotificationDelivery, NotificationRoute
from tests.factories import Make


@dataclass
class Inbox:
    """What the mail server took: envelopes, and what was in them."""

    refuses: bool = False
    refuses_for_now: set[str] = field(default_factory=set)
    taken: list[tuple[list[str], Message]] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuses_for_now:
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 taken"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuses:
            return "451 try later"
        message = email.message_from_bytes(envelope.original_content)
        self.taken.append((envelope.rcpt_tos, message))
        return "250 taken"


@pytest.fixture
def inbox() -> Inbox:
    """Where mail ends up."""
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[str]:
    """The URL of a server that hands everything to the inbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@dataclass
class Received:
    """One request as the receiver got it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server of somebody else's: what it was sent, and what it answers next."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    seconds: float = 0.0
    dribbles: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> tuple[int, dict[str, str]]:
        return self.answers.pop(0) if self.answers else (204, {})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """It listens on the loopback; each request has a thread."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.received.append(Received(self.path, headers, body))
            if state.dribbles:
                self._dribble()
                return
            state.over.wait(state.seconds)
            status, more = state.next_answer()
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()

        def _dribble(self) -> None:
            try:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1200:
                    self.wfile.write(bytes([byte]))
                    state.over.wait(0.05)
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


Configure = Callable[..., None]


@pytest.fixture
def configure(make: Make, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Changes settings of the application for the test."""

    def change(**values: Any) -> None:
        changed = settings().model_copy(update=values)
        monkeypatch.setitem(current_app.config, "NOC_SETTINGS", changed)

    return change


@pytest.fixture
def reachable(configure: Configure) -> None:
    """Webhooks may reach this machine, where the test's receiver lives."""
    configure(notification_private_targets=True)


class Desk:
    """Makes routes, has things happen, and sends what waits."""

    def __init__(self, make: Make, session: Session) -> None:
        self.make = make
        self.session = session
        self._troubles = 0

    def route(self, url: str = "", **values: Any) -> NotificationRoute:
        """A route to a webhook at ``url`` unless ``values`` say otherwise."""
        self._troubles += 1
        given = {
            "name": f"Route {self._troubles}",
            "channel": "webhook",
            "url": url or None,
            "addresses": [],
            "site_ids": [],
            "min_severity": "INFO",
            "kinds": [],
            "active": True,
        }
        route = routes.create(given | values, now=utcnow())
        self.session.commit()
        return route

    def alert(
        self, severity: Any = "HIGH", *, key: str | None = None, commit: bool = True, **values: Any
    ) -> ProcessedAlert:
        """An alert of a trouble of its own, unless ``key`` names one."""
        self._troubles += 1
        given = {"alert_type": "DOOR", "message": "Door forced", "metadata": {}} | values
        alert = AlertInput(
            severity=severity,
            dedup_key=key or f"trouble-{self._troubles}",
            occurred_at=utcnow(),
            **given,
        )
        done = process_alert(alert, now=utcnow())
        if commit:
            self.session.commit()
        return done

    def send(self, route: NotificationRoute, *, after: float = 1, chance: float = 0.5) -> list[str]:
        """Send by the route what is due in ``after`` seconds; what came of each attempt."""
        now = utcnow() + dt.timedelta(seconds=after)
        route_id, outcomes = route.id, []
        while True:
            done = deliveries.send_next(
                route_id, tenant_id=self.make.tenant_id, now=now, chance=lambda: chance
            )
            self.session.commit()
            if done is None:
                return outcomes
            outcomes.append(done.outcome)

    def deliveries(self, route: NotificationRoute | None = None) -> list[NotificationDelivery]:
        """What is stored, in the order it was made."""
        self.session.expire_all()
        query = select(NotificationDelivery).order_by(NotificationDelivery.event_id)
        if route is not None:
            query = query.where(NotificationDelivery.route_id == route.id)
        return list(self.session.scalars(query))


@pytest.fixture
def desk(make: Make, session: Session) -> Desk:
    """A control room that tells others."""
    return Desk(make, session)
