"""A real web server with committed rows, and a real browser that watches itself."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask_migrate import upgrade
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from sqlalchemy.engine import make_url

from noc import create_app
from noc.database.bootstrap import prepare
from noc.database.tenancy import name_tenant
from noc.extensions import db
from noc.extensions import session as current_session
from noc.identity import tenants
from noc.identity.passwords import hash_password
from noc.settings import Settings
from tests import chromium
from tests.conftest import Services
from tests.dashboards.scored import Scored, scored
from tests.factories import Make

PATIENCE = 30_000
"""Milliseconds until what a test waits for counts as not coming. What comes ends the wait at once:
only a loaded machine ever needs them."""

expect.set_options(timeout=PATIENCE)

DATABASE = "noc_browser"
PASSWORD = "a long night shift"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; skips where there is none, fails where one is required."""
    program = chromium.program()
    if program is None:
        reason = f"none of {', '.join(chromium.PROGRAMS)} is on the PATH"
        if os.environ.get("NOC_REQUIRE_BROWSER") == "1":
            pytest.fail(f"NOC_REQUIRE_BROWSER is set, but {reason}")
        pytest.skip(reason)
    with chromium.started(program) as started:
        yield started


@dataclass
class Server:
    """The web process on a database of its own."""

    environment: dict[str, str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base of its addresses."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-k", "gthread", "--threads", "24"]
        command += ["-b", f"127.0.0.1:{self.port}", "--graceful-timeout", "1"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        self.stop()
        raise AssertionError(f"the web process does not answer:\n{self.log.read_text()}")

    def stop(self) -> None:
        """Stop it and wait for its end."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


@pytest.fixture(scope="session")
def settings(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the server: the run's services, a database that is its own."""
    prepare(services.admin_url, database=DATABASE)
    owner, user = (
        make_url(url).set(database=DATABASE).render_as_string(hide_password=False)
        for url in (services.admin_url, services.app_url)
    )
    joint = "&" if "?" in services.redis_url else "?"
    return Settings(
        noc_data_dir=tmp_path_factory.mktemp("browser"),
        database_url=user,
        database_admin_url=owner,
        redis_url=f"{services.redis_url}{joint}db=3",
        secret_key="browser",
        log_level="WARNING",
    )


@pytest.fixture(scope="session")
def house(settings: Settings) -> Iterator[APIFlask]:
    """An application on the server's database, through which tests make what happens."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def server(
    settings: Settings, house: APIFlask, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The web server, for the whole run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = os.environ | {
        "NOC_DATA_DIR": str(settings.noc_data_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "WEB_THREADS": "24",
        "TZ": "UTC",
    }
    environment.pop("PYTHONWARNINGS", None)
    server = Server(environment, port, tmp_path_factory.mktemp("web") / "web.log")
    server.start()
    yield server
    server.stop()


@dataclass
class Company:
    """A company of its own for a test, with a guard, a site and a suspicious punch."""

    app: APIFlask
    tenant_id: int
    email: str
    person_id: int
    site_id: int
    punch: Scored
    hour: int
    names: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def rows(self) -> Iterator[Make]:
        """Makes rows of the company, and commits them at the end."""
        with self.app.app_context():
            name_tenant(current_session(), self.tenant_id)
            try:
                yield Make(current_session(), self.tenant_id)
                current_session().commit()
            finally:
                name_tenant(current_session(), None)
                db.session.remove()


_number = iter(range(1, 1000))


@pytest.fixture
def company(house: APIFlask) -> Company:
    """A company that nobody has looked at yet."""
    number = next(_number)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
    with house.app_context():
        tenant = tenants.create_tenant(f"watch{number}", f"Watch {number} Ltd")
        name_tenant(current_session(), tenant.id)
        make = Make(current_session(), tenant.id)
        email = f"maya{number}@watch.example"
        make.user(email=email, name="Maya Fernandes", password_hash=hash_password(PASSWORD))
        site = make.site(name="Harbour Depot", timezone="UTC")
        person = make.person(site, name="Meera Joshi", code="G120")
        punch = scored(make, person, site, at=at)
        made = Company(
            house, tenant.id, email, person.id, site.id, punch, at.weekday() * 24 + at.hour
        )
        current_session().commit()
        name_tenant(current_session(), None)
        db.session.remove()
    return made


class Watched:
    """A page that remembers what should not have happened on it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.troubles: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.troubles.append(f"left the host: {request.url}")

    def sign_in(self, company: Company, path: str = "/app/") -> Page:
        """Sign in as the company's manager and stand on ``path``."""
        self.page.goto(f"{self.base}/login?next={path}")
        self.page.get_by_label("E-mail").fill(company.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**{path}")
        return self.page

    def check(self) -> None:
        """Nothing went wrong but what the test said would."""
        left = [text for text in self.troubles if not any(e in text for e in self.expected)]
        assert not left, "\n".join(left)


@pytest.fixture
def watched(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A fresh browser window on the server; console errors and foreign requests fail the test."""
    options: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}
    marker = request.node.get_closest_marker("window")
    context = browser.new_context(**(options | (marker.kwargs if marker else {})))
    context.set_default_timeout(PATIENCE)
    watched = Watched(context.new_page(), server.url)
    yield watched
    context.close()
    watched.check()
