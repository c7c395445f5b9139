"""Alerta taking in the same alerts, for comparison: its server on gunicorn, over PostgreSQL.

Two processes, one a core, where ours has one. Its packages are installed in a folder of their own
for this benchmark alone.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.bench.alerts import CLIENTS, SECONDS, TENANTS, taken_in
from tests.bench.figures import Figure, percentile
from tests.bench.house import build
from tests.instance import free_port, running

# Alerta still imports pkg_resources, which setuptools dropped after 80.
PACKAGES = ("alerta-server==9.*", "psycopg2-binary==2.*", "gunicorn", "setuptools<81")

_number = itertools.count()


def beside_alerta() -> list[Figure]:
    """Single alerts a second from 16 clients: ours, then Alerta's on the same PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder, running() as instance:
        ours = {figure.name: figure for figure in taken_in(build(instance))}
        python = _installed(Path(folder))
        owner = json.loads((instance.data_dir / "owner.json").read_text())["database_admin_url"]
        plain = make_url(owner).set(drivername="postgresql")
        with psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE alerta")
        url = plain.set(database="alerta").render_as_string(hide_password=False)
        port = free_port()
        environment = os.environ | {
            "DATABASE_URL": url,
            "AUTH_REQUIRED": "False",
            "PYTHONWARNINGS": "ignore",
        }
        server = subprocess.Popen(
            [python, "-m", "gunicorn", "-w", "2", "-k", "gthread", "--threads", "16",
             "-b", f"127.0.0.1:{port}", "alerta:create_app()"],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(port)
            rate, times, refused = _rate(port)
        finally:
            server.terminate()
            server.wait(20)
    beside = {"floor": rate, "floor_name": "Alerta, one by one"}
    return [
        Figure("alerts in, one by one", ours["alerts in, one by one"].value, "/s", **beside),
        Figure("alerts in, batches", _batches(ours), "/s", must="10 x Alerta", **beside),
        Figure("one alert into Alerta, 16 at once, p99", percentile(times, 0.99), "ms"),
        Figure("alerts that Alerta refused", refused, ""),
    ]


def _batches(ours: dict[str, Figure]) -> float:
    return next(figure.value for name, figure in ours.items() if "batches" in name)


def _rate(port: int) -> tuple[float, list[float], int]:
    """Alerts a second that were answered as created, milliseconds of each, how many were not."""
    until = time.perf_counter() + SECONDS
    times: list[float] = []
    refused: list[int] = []

    def send(tenant: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() < until:
            report = {
                "resource": f"door-{next(_number)}",
                "event": "DOOR_OPEN",
                "environment": "Production",
                "service": [tenant],
                "severity": "major",
                "text": "The door is open",
            }
            begun = time.perf_counter()
            try:
                status = _post(connection, report)
            except (ConnectionError, http.client.HTTPException):
                connection.close()  # gunicorn closes some under load; monitors call again.
                refused.append(0)
                continue
            if status == 201:
                times.append((time.perf_counter() - begun) * 1000)
            else:
                refused.append(status)
        connection.close()

    threads = [
        threading.Thread(target=send, args=(TENANTS[n % len(TENANTS)],)) for n in range(CLIENTS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.perf_counter() - started), times, len(refused)


def _post(connection: http.client.HTTPConnection, report: dict[str, Any]) -> int:
    connection.request("POST", "/alert", json.dumps(report), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _installed(home: Path) -> str:
    """A Python with the packages, in the folder."""
    subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True)
    python = str(home / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("Alerta did not start")
