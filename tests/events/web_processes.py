"""The web process as it is deployed, to be stopped, killed and started again."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from noc.settings import Settings
from tests.events.waiting import WAIT_SECONDS, wait_until
from tests.instance import free_port


class WebProcess:
    """gunicorn on a port of its own, with REST and the feed, and no dashboards."""

    def __init__(
        self, config: Settings, folder: Path, *, wait: bool = True, **settings: str
    ) -> None:
        self.port = free_port()
        metrics = folder / "metrics"
        metrics.mkdir(parents=True)
        self.log = folder / "web.log"
        self._environment = os.environ | {
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": config.secret_key,
            "NOC_DATA_DIR": str(folder),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "WEB_THREADS": "24",
            "WEB_PROCESSES": "1",
            "WEBSOCKET_RATE_LIMIT": "100000",
            **settings,
        }
        self.start(wait=wait)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        """Start it, on the same port as before; returns when it answers, unless not to wait."""
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        # Patience far beyond the tests': a socket that held up the stop would fail them.
        command += ["--config", "python:noc.launcher.gunicorn_config", "--graceful-timeout", "90"]
        command.append("noc:create_app()")
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            wait_until(self.answers, "the web process is ready")

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(sent)
        return self.process.wait(WAIT_SECONDS)

    def kill(self) -> None:
        """kill -9, of its children too."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(WAIT_SECONDS)

    def answers(self) -> bool:
        """Whether it answers requests."""
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            assert self.process.poll() is None, self.log.read_text()
            return False

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a GET."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", path, headers={"Connection": "close"})
            with connection.getresponse() as answer:
                return answer.status, answer.read().decode()
