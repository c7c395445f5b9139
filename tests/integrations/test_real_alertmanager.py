"""A real Alertmanager delivers to a web process of ours, and the database goes away."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from noc.database.bootstrap import prepare
from noc.launcher.instance import Instance
from noc.launcher.migrations_check import run_step
from noc.launcher.places import cluster_home
from noc.launcher.plan import child_environment
from noc.launcher.postgres import APP_ROLE, OWNER_ROLE, Postgres
from noc.launcher.process import Child, stop_now
from noc.launcher.redis import Redis
from noc.launcher.services import Services
from noc.settings import Settings
from tests.events.web_processes import WebProcess
from tests.instance import free_port

WAIT_SECONDS = 60.0
OUTAGE_SECONDS = 20.0
PATH = "/api/v2/noc/integrations/alertmanager/"

CONFIGURATION = """
route:
  receiver: noc
  group_by: [alertname]
  group_wait: 200ms
  group_interval: 1s
  repeat_interval: 2s
receivers:
  - name: noc
    webhook_configs:
      - url: http://127.0.0.1:{port}{path}
        send_resolved: true
        http_config:
          authorization:
            credentials: {token}
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.1)


@dataclass
class Server:
    """PostgreSQL or Redis of the test, to be stopped and started."""

    of: Postgres | Redis
    log: Path
    child: Child | None = None

    def start(self) -> None:
        spec = self.of.spec()
        if spec.before_start:
            spec.before_start()
        with self.log.open("ab") as output:
            self.child = child = Child(spec, output.fileno())
        until(lambda: spec.is_ready is None or spec.is_ready(child.pid), f"{spec.name} is ready")

    def stop(self) -> None:
        if self.child is not None:
            stop_now(self.child)
            self.child = None


@dataclass
class House:
    """A web process with its own database, and an Alertmanager that is to deliver to it."""

    postgres: Server
    web: WebProcess
    token: str
    port: int
    admin_url: str
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)

    def tell(self, *cameras: str, name: str = "CameraOffline", over: bool = False) -> None:
        """Have Prometheus speak: these cameras are offline, or back."""
        now = dt.datetime.now(dt.UTC)
        alerts = [
            {
                "labels": {"alertname": name, "camera": camera, "severity": "critical"},
                "annotations": {"summary": f"{camera} is offline"},
                "endsAt": (now if over else now + dt.timedelta(hours=1)).isoformat(),
            }
            for camera in cameras
        ]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts",
            data=json.dumps(alerts).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def failures(self) -> float:
        """Deliveries that Alertmanager counts as failed."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        name = "alertmanager_notification_requests_failed_total{integration=" + '"webhook"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def alerts(self) -> dict[str, list[tuple[str, str | None, int]]]:
        """Status, resolution and repeats of the alerts of each camera."""
        url = make_url(self.admin_url).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            rows = connection.execute(
                "SELECT metadata->'labels'->>'camera', status, resolution, suppressed_count"
                " FROM noc_alert_event ORDER BY id"
            ).fetchall()
        found: dict[str, list[tuple[str, str | None, int]]] = {}
        for camera, *rest in rows:
            found.setdefault(camera, []).append(tuple(rest))
        return found

    def post(self) -> tuple[int, str | None]:
        """Status and Retry-After of an empty group that is delivered by hand."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=30)) as line:
            line.request(
                "POST",
                PATH,
                json.dumps({"version": "4", "alerts": []}),
                {"Authorization": f"Bearer {self.token}", "Connection": "close"},
            )
            with line.getresponse() as answer:
                answer.read()
                return answer.status, answer.headers["Retry-After"]


def noc(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "noc", *words],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@contextmanager
def delivering(program: str, folder: Path, port: int, token: str) -> Iterator[int]:
    """Alertmanager on a free port of this machine."""
    own = free_port()
    config = folder / "alertmanager.yml"
    config.write_text(CONFIGURATION.format(port=port, path=PATH, token=token))
    with (folder / "alertmanager.log").open("wb") as output:
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.path={folder / 'alertmanager'}",
             f"--web.listen-address=127.0.0.1:{own}", "--cluster.listen-address="],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def ready() -> bool:
        assert process.poll() is None, (folder / "alertmanager.log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{own}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        until(ready, "Alertmanager is ready")
        yield own
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of it; skips where there is no Alertmanager."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        reason = "prometheus-alertmanager is not on the PATH"
        if os.environ.get("NOC_REQUIRE_ALERTMANAGER") == "1":
            pytest.fail(f"NOC_REQUIRE_ALERTMANAGER is set, but {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("alertmanager")
    folder.chmod(0o711)
    with Instance(folder) as instance:
        home = cluster_home(instance.data_dir, throwaway=True)
        postgres = Server(Postgres(home, fast=True), folder / "postgres.log")
        redis = Server(Redis(instance.data_dir / "redis", fast=True), folder / "redis.log")
        web = None
        try:
            postgres.start()
            redis.start()
            services = _services(postgres, redis)
            run_step(("upgrade",), folder, services)
            config = Settings(
                noc_data_dir=folder,
                database_url=services.app_url,
                redis_url=services.redis_url,
                secret_key="tests",
            )
            environment = child_environment(
                {
                    "NOC_DATA_DIR": str(folder),
                    "DATABASE_URL": services.app_url,
                    "REDIS_URL": services.redis_url,
                }
            )
            noc(environment, "tenants", "create", "acme", "--name", "Acme")
            words = ("tokens", "create", "--tenant", "acme", "--capability", "noc:ingest")
            token = noc(environment, *words)
            (folder / "web").mkdir()
            web = WebProcess(config, folder / "web")
            with delivering(program, folder, web.port, token) as port:
                yield House(postgres, web, token, port, services.admin_url)
        finally:
            if web is not None:
                web.process.terminate()
                web.process.wait(30)
            redis.stop()
            postgres.stop()
            home.discard()


def _services(postgres: Server, redis: Server) -> Services:
    database = postgres.of
    assert isinstance(database, Postgres)
    prepare(database.url(OWNER_ROLE, "postgres"), app_role=APP_ROLE)
    assert isinstance(redis.of, Redis)
    return Services(database.url(OWNER_ROLE), database.url(APP_ROLE), redis.of.url)


def test_it_delivers_and_nothing_is_lost_while_the_database_is_away(house: House) -> None:
    # Firing, in a group.
    house.tell("cam-1", "cam-2", "cam-3")
    until(lambda: len(house.alerts()) == 3, "the group has come")
    # Repeated.
    until(lambda: all(one[0][2] >= 1 for one in house.alerts().values()), "it was repeated")
    # Resolved, while the others of the group go on.
    house.tell("cam-1", over=True)
    until(lambda: house.alerts()["cam-1"][0][:2] == ("RESOLVED", "FIXED"), "cam-1 is resolved")
    assert {house.alerts()[camera][0][0] for camera in ("cam-2", "cam-3")} == {"NEW"}
    assert house.failures() == 0

    # Meanwhile the database goes away, and the world goes on.
    new = [f"late-{n}" for n in range(20)]
    house.postgres.stop()
    away_since = time.monotonic()
    house.tell(*new[:10])
    house.tell(*new[10:], name="RecorderFull")
    house.tell("cam-2", over=True)
    until(lambda: house.failures() > 0, "a delivery has failed")
    status, retry_after = house.post()
    assert (status, bool(retry_after)) == (503, True)
    time.sleep(max(0.0, away_since + OUTAGE_SECONDS - time.monotonic()))
    house.postgres.start()

    until(lambda: set(new) <= house.alerts().keys(), "all have come")
    until(lambda: house.alerts()["cam-2"][0][0] == "RESOLVED", "cam-2 is resolved")
    found = house.alerts()
    assert {camera: len(alerts) for camera, alerts in found.items()} == dict.fromkeys(
        ["cam-1", "cam-2", "cam-3", *new], 1
    )
    assert {found[camera][0][0] for camera in ("cam-3", *new)} == {"NEW"}
    # And they are over like any other.
    house.tell(*new[:10], over=True)
    until(
        lambda: {house.alerts()[camera][0][1] for camera in new[:10]} == {"FIXED"},
        "those of the outage are resolved",
    )
