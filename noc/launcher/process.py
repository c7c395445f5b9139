"""A child process: what to run, how it is stopped, and the running thing itself."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from noc.launcher import pids
from noc.launcher.errors import LauncherError

_PR_SET_PDEATHSIG = 1
# Loaded here, because the child between fork and exec must not load anything.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

JSON_OR_PLAIN = re.compile(r"\b(?:WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|^Traceback|^\w*Error\b")


class Stage(IntEnum):
    """Order of starting; stopping goes the other way, a stage at a time."""

    DATABASE = 0
    QUEUE = 1
    PROGRAM = 2


@dataclass(frozen=True)
class Account:
    """The user a process runs as, where it is not the one who called."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class ProcessSpec:
    """What to run and how to treat it.

    ``stop`` lists signals with the seconds each is given; SIGKILL follows the last.
    ``death_signal`` reaches the process when the launcher itself dies without a chance to stop
    it. ``before_start`` runs before every start, restarts included; ``is_ready``, asked with the
    pid, holds up what is started next. A ``console`` process writes to the terminal itself.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    stage: Stage = Stage.PROGRAM
    stop: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 4.5),)
    death_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None
    directory: Path | None = None
    noteworthy: re.Pattern[str] = JSON_OR_PLAIN
    before_start: Callable[[], None] | None = None
    is_ready: Callable[[int], bool] | None = None
    ready_within: float = 30.0
    console: bool = False


class Child:
    """A process of a spec, leader of a session of its own.

    Start it from a thread that lives as long as the child should: the kernel sends the death
    signal when that *thread* ends.
    """

    def __init__(self, spec: ProcessSpec, output: int | None) -> None:
        """Start the process; ``output`` takes its standard output and error, None: inherited."""
        self.spec = spec
        account = spec.account
        identity: dict[str, object] = (
            {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
        )
        try:
            self._popen: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
                spec.argv,
                env=dict(spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                cwd=spec.directory,
                start_new_session=True,
                # Runs after the change of user, which would have cleared the death signal.
                preexec_fn=_die_with_parent(spec.death_signal),
                **identity,
            )
        except OSError as error:
            raise LauncherError(f"Cannot start {spec.name} ({spec.argv[0]}): {error}") from error
        self.pid = self._popen.pid

    @property
    def output(self) -> int | None:
        """The reading end of the pipe that was asked for, if one was."""
        return None if self._popen.stdout is None else self._popen.stdout.fileno()

    def poll(self) -> int | None:
        """Exit status (negative: the signal), None while it runs. What it left behind is ended."""
        if self._popen.returncode is None and _has_exited(self.pid):
            # Before it is reaped: until then nobody else can be given its session id.
            self._kill_session()
            return self._popen.wait()
        return self._popen.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the process alone, if it still runs."""
        if self.poll() is None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        """End the process and everything in its session, now."""
        if self.poll() is None:
            self._kill_session()
            self._popen.kill()

    def close(self) -> None:
        """Give up its output."""
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within ``seconds``."""
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def _kill_session(self) -> None:
        members = [pid for pid in pids.session_members(self.pid) if pid != self.pid]
        pids.send(members, signal.SIGKILL)


def stop_now(child: Child) -> None:
    """Stop one child as its spec says; returns when it is gone."""
    for number, grace in child.spec.stop:
        child.signal(number)
        if child.wait(grace):
            break
    child.kill()
    child.wait(5.0)
    child.close()


def _has_exited(pid: int) -> bool:
    """Whether a child has ended and waits to be reaped."""
    if not hasattr(os, "waitid"):  # macOS: it is reaped before what it left is ended.
        return False
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # It died before the kernel knew whom to watch.
            os.kill(os.getpid(), number)

    return arrange
