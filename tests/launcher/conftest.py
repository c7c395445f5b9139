"""Real processes: data folders, and ``noc up`` with stand-in programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from noc.launcher import pids
from noc.launcher.instance import MARK, owner_url

ROOT = Path(__file__).parents[2]
STANDIN = Path(__file__).with_name("standin.py")


class Up:
    """A running ``noc up`` of stand-in programs."""

    def __init__(self, data_dir: Path, port: int, *programs: str) -> None:
        self.data_dir = data_dir
        self.port = port
        self._log = (data_dir.parent / f"up-{time.monotonic_ns()}.out").open("w+")
        self._seen: set[int] = set()
        self.process = subprocess.Popen(
            [sys.executable, STANDIN, data_dir, str(port), *programs],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            # A test run in the background hands down that Ctrl-C is ignored; `noc up` keeps to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={name: value for name, value in os.environ.items() if "DATABASE" not in name}
            | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        )

    @property
    def said(self) -> str:
        """Everything it has written so far."""
        self._log.flush()
        return Path(self._log.name).read_text()

    @property
    def instance(self) -> dict[str, Any]:
        """What it published."""
        content: dict[str, Any] = json.loads((self.data_dir / "instance.json").read_text())
        return content

    def until(self, words: str, seconds: float = 30.0) -> None:
        """Wait until it has said ``words``."""
        wait_for(lambda: words in self.said or self.process.poll() is not None, seconds)
        assert words in self.said, self.said

    def ready(self) -> Up:
        """Wait until it is announced, and note which processes it has."""
        self.until("is ready")
        self._seen.update(self.processes())
        return self

    def processes(self) -> set[int]:
        """The launcher, its services and programs, as far as they run."""
        return {pid for pid in _descendants(self.process.pid) if pids.is_running(pid)}

    def survivors(self) -> set[int]:
        """What still runs of all that was seen at :meth:`ready` or carries the mark."""
        marked = pids.with_environment(MARK, str(self.data_dir))
        return {pid for pid in (*self._seen, *marked) if pids.is_running(pid)}

    def pid_of(self, name: str) -> int:
        """Pid of a service."""
        if name == "redis":
            return int((self.data_dir / "redis" / "redis.pid").read_text())
        data = next(
            p for p in (self.data_dir / "postgres", _elsewhere(self.data_dir)) if p.exists()
        )
        return int((data / "cluster" / "postmaster.pid").read_text().splitlines()[0])

    def connect(self) -> psycopg.Connection:
        """As the owner, to the product's database."""
        url = owner_url(self.data_dir).replace("postgresql+psycopg", "postgresql")
        return psycopg.connect(url, autocommit=True)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 12.0) -> float:
        """Send a signal and wait for the end; seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(seconds)
        return time.monotonic() - began

    def end(self) -> None:
        """Leave nothing, whatever a test did."""
        self._log.close()
        if self.process.poll() is None:
            self._seen.update(self.processes())
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._seen:  # Else it started nothing, and what has the mark is another's.
            wait_for(lambda: not self.survivors(), 10, required=False)
            pids.end(list(self.survivors()), first=signal.SIGKILL)


def _elsewhere(data_dir: Path) -> Path:
    record = data_dir / "cluster.json"
    return Path(json.loads(record.read_text())["cluster"]) if record.exists() else record


def _descendants(root: int) -> set[int]:
    parents = {
        int(entry.name): int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (entry / "stat").exists()
    }
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def wait_for(done: Callable[[], bool], seconds: float, *, required: bool = True) -> None:
    """Wait for a condition, bounded."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            assert not required, f"not within {seconds} s"
            return
        time.sleep(0.05)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that every account can pass through."""
    path = Path(tempfile.mkdtemp(prefix="noc-test-", dir="/tmp")).resolve()
    path.chmod(0o711)
    yield path
    for record in path.rglob("cluster.json"):
        shutil.rmtree(json.loads(record.read_text())["cluster"], ignore_errors=True)
    shutil.rmtree(path)


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def up(folder: Path, port: int) -> Iterator[Callable[..., Up]]:
    """Starts ``noc up`` on the folder's ``data``; ended with the test."""
    started: list[Up] = []

    def start(*programs: str, data_dir: Path | None = None, port: int = port) -> Up:
        started.append(Up(data_dir or folder / "data", port, *programs))
        return started[-1]

    yield start
    for one in reversed(started):  # A later one may have been given the same folder.
        one.end()
