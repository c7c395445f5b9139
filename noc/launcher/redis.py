"""The embedded Redis: append-only, so that queued jobs survive a kill -9; Unix socket only."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from noc.launcher import binaries, pids
from noc.launcher.places import private_folder, socket_folder
from noc.launcher.process import ProcessSpec, Stage


@dataclass
class Redis:
    """The server of one folder, which is the caller's by a lock held elsewhere."""

    folder: Path
    fast: bool = False
    """Keep nothing on disk: for tests."""
    program: Path = field(init=False)
    sockets: Path = field(init=False)

    def __post_init__(self) -> None:
        self.program = binaries.find_redis()
        private_folder(self.folder)
        self.sockets = socket_folder(self.folder / "sockets")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """Address for redis-py."""
        return f"unix://{quote(str(self.socket))}"

    def spec(self) -> ProcessSpec:
        """The server as a process."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self._pid_file),
            "appendonly": "no" if self.fast else "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return ProcessSpec(
            name="redis",
            argv=(str(self.program), *arguments),
            environment={"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"},
            stage=Stage.QUEUE,
            stop=((signal.SIGTERM, 1.5),),
            death_signal=signal.SIGTERM,
            directory=self.folder,
            # Its "#" level, without the advice about the kernel it gives at every start.
            noteworthy=re.compile(
                r" # (?!WARNING|Server initialized|oO0|Redis version|Configuration|User requested"
                r"|Redis is now ready to exit|Warning: no config)"
            ),
            before_start=self.end_orphan,
            is_ready=self.is_ready,
        )

    @property
    def _pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def is_ready(self, pid: int) -> bool:
        """Whether the server of ``pid`` answers, its log read back."""
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1.0)
        try:
            return bool(client.ping()) and client.info("server")["process_id"] == pid
        except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
            return False
        finally:
            client.close()

    def end_orphan(self) -> None:
        """End a server that a killed launcher left on this folder: two would spoil the log."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        # It writes the path of its socket over its arguments.
        if pids.is_running(pid) and str(self.socket) in pids.command_line(pid):
            pids.end([pid], grace=5.0)
        self._pid_file.unlink(missing_ok=True)
