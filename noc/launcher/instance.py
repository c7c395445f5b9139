"""The data folder of an instance: who holds it, and what other commands find in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from noc.launcher import pids
from noc.launcher.errors import LauncherError
from noc.launcher.places import make_data_dir, private_folder
from noc.settings import INSTANCE_FILE, OWNER_FILE, read_owner_url

LOCK_FILE = "noc.lock"
SECRET_FILE = "secret_key"
MARK = "NOC_UP_INSTANCE"
"""Environment variable by which the programs of an instance are known, even orphaned."""


@dataclass(frozen=True)
class Holder:
    """Who runs an instance."""

    pid: int
    url: str
    started: str


class Instance:
    """Exclusive hold of a data folder, for as long as the object is entered.

    The lock is the kernel's, so that it is free the moment its holder is gone, however it went.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        """Nothing is touched until the object is entered."""
        self._wanted = data_dir
        self._url = url
        self._lock: int | None = None
        self._made = False
        self.data_dir = data_dir

    def __enter__(self) -> Instance:
        """Take the folder; raises :class:`LauncherError` naming who has it."""
        self._made = not self._wanted.exists()
        self.data_dir = make_data_dir(self._wanted)
        try:
            lock = os.open(self.data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LauncherError(
                f"Cannot use the data folder {self.data_dir}: {error.strerror}. Choose another "
                "with --data-dir."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise LauncherError(self._who_runs()) from None
        self._lock = lock
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(asdict(Holder(os.getpid(), self._url, now))).encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the folder go."""
        if self._lock is not None:
            if self._made and isinstance(error, LauncherError):
                self._leave_nothing()
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def _leave_nothing(self) -> None:
        """Take a folder away again that was made for an instance which could not begin."""
        if [path.name for path in self.data_dir.iterdir()] == [LOCK_FILE]:
            (self.data_dir / LOCK_FILE).unlink()
            self.data_dir.rmdir()

    def _who_runs(self) -> str:
        held = f"The data folder {self.data_dir} is in use"
        try:
            holder = Holder(**json.loads((self.data_dir / LOCK_FILE).read_text()))
        except (ValueError, TypeError, OSError):
            return f"{held} by another `noc up`."
        at = f" at {holder.url}" if holder.url else ""
        return (
            f"{held}: `noc up` runs there{at} as process {holder.pid} since {holder.started}. Stop "
            f"it with `kill {holder.pid}`, or choose another folder with --data-dir."
        )

    @property
    def logs(self) -> Path:
        """Folder of the logs of every process."""
        return private_folder(self.data_dir / "logs")

    @property
    def metrics(self) -> Path:
        """Folder where the processes share their metrics."""
        return self.data_dir / "run" / "metrics"

    def empty_metrics(self) -> None:
        """Forget the metrics of processes that are gone; before new ones start."""
        private_folder(self.data_dir / "run")
        for path in private_folder(self.metrics).glob("*.db"):
            path.unlink()

    def end_leftovers(self) -> int:
        """End programs that a killed ``noc up`` of this folder left; how many there were."""
        found = pids.with_environment(MARK, str(self.data_dir))
        pids.end(found)
        return len(found)

    def secret_key(self) -> str:
        """The instance's secret key, made the first time."""
        path = self.data_dir / SECRET_FILE
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48))
        return path.read_text()

    def publish(self, addresses: dict[str, Any], owner: str) -> None:
        """Write down what other commands of this folder need, the owner's address apart."""
        write_private(self.data_dir / INSTANCE_FILE, json.dumps(addresses, indent=2) + "\n")
        content = {"database_admin_url": owner}
        write_private(self.data_dir / OWNER_FILE, json.dumps(content) + "\n")


def owner_url(data_dir: Path) -> str:
    """The owner's address of the database of ``data_dir``; empty where no instance ever ran.

    For migrations and partitions only: web, workers and scheduler are never given it.
    """
    return read_owner_url(data_dir)


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read; a reader sees the old or the new, whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:  # mkstemp made it with mode 0600.
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
