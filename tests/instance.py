"""A whole instance in processes of its own: ``noc up`` on a free port and a folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_SECONDS = 60

_NOC = (sys.executable, "-m", "noc")


@dataclass
class Answer:
    """Status and decoded body of an HTTP answer."""

    status: int
    body: Any

    @property
    def data(self) -> Any:
        """The payload of a success envelope."""
        return self.body["data"]


@dataclass
class Instance:
    """A running instance: where it is, and the ways to talk to it."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base of all HTTP addresses."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def feed_url(self) -> str:
        """Address of the feed."""
        return f"ws://127.0.0.1:{self.port}/ws/noc/dashboard/"

    def noc(self, *words: str, check: bool = True, **kwargs: Any) -> str:
        """Run a ``noc`` command against this instance; its standard output."""
        done = subprocess.run(
            [*_NOC, *words, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=_environment(),
            **kwargs,
        )
        if check and done.returncode:
            raise AssertionError(f"noc {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def call(self, method: str, path: str, body: Any = None, *, token: str) -> Answer:
        """A JSON call below ``/api/v2/noc/``."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/v2/noc/{path}",
            data=data,
            method=method,
            headers={
                "Authorization": f"Bearer {self.tokens.get(token, token)}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def get(self, path: str, *, token: str) -> Answer:
        """GET below ``/api/v2/noc/``."""
        return self.call("GET", path, token=token)

    def post(self, path: str, body: Any, *, token: str) -> Answer:
        """POST below ``/api/v2/noc/``."""
        return self.call("POST", path, body, token=token)

    def put(self, path: str, body: Any, *, token: str) -> Answer:
        """PUT below ``/api/v2/noc/``."""
        return self.call("PUT", path, body, token=token)

    def add_tenant(self, slug: str, *capabilities: str) -> str:
        """A tenant and a token of it, kept under the tenant's slug; the token."""
        self.noc("tenants", "create", slug, "--name", slug.title())
        wanted = [word for name in capabilities for word in ("--capability", name)]
        token = self.noc("tokens", "create", "--tenant", slug, *wanted).strip()
        assert re.fullmatch(r"noc_[\w-]+", token), "the token stands alone on standard output"
        self.tokens[slug] = token
        return token


@contextmanager
def running(**environment: str) -> Iterator[Instance]:
    """``noc up`` in a folder of its own, from start to clean stop; ``up.log`` has its output."""
    with tempfile.TemporaryDirectory(prefix="noc-instance-") as folder:
        data_dir = Path(folder)
        # As root PostgreSQL runs under an account of its own, which must pass through here.
        data_dir.chmod(0o711)
        port = free_port()
        with (data_dir / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [*_NOC, "up", "--port", str(port), "--data-dir", str(data_dir)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment() | environment,
            )
        try:
            wait_ready(process, port, data_dir)
            yield Instance(data_dir, port, process)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End ``noc up`` cleanly; TimeoutExpired, after killing it, when it does not stop in time."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
        raise


def wait_ready(process: subprocess.Popen[bytes], port: int, data_dir: Path) -> None:
    """Return once ``/readyz`` answers 200; AssertionError with the output if it never does."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"noc up is not ready:\n{(data_dir / 'up.log').read_text()[-4000:]}")


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """The test's environment without settings that would lead to another instance."""
    hidden = ("DATABASE_URL", "DATABASE_ADMIN_URL", "REDIS_URL", "SECRET_KEY", "NOC_DATA_DIR")
    return {name: value for name, value in os.environ.items() if name not in hidden}
