"""Questions about processes that are not our children, and ending them, by pid.

Answers come from ``/proc``. Where there is none (macOS) the questions that need it answer
"unknown", as empty values, and callers fall back on what PostgreSQL and Redis do themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()


def is_running(pid: int) -> bool:
    """Whether ``pid`` runs; a zombie, which nobody may ever reap in a container, does not."""
    if pid <= 0:
        return False
    if HAS_PROC:
        fields = _stat(pid)
        return bool(fields) and fields[0] not in ("Z", "X")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """The arguments of a process separated by spaces, whoever owns it; empty when unknown."""
    if not HAS_PROC:
        ask = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return os.fsdecode(raw.replace(b"\0", b" "))


def session_members(session: int) -> list[int]:
    """Every process of a session: children of children too, unless they left it."""
    return [pid for pid in _all() if (fields := _stat(pid)) and fields[3] == str(session)]


def with_environment(name: str, value: str) -> list[int]:
    """Our own processes started with ``name=value``, except this one and its ancestors."""
    entry = os.fsencode(f"{name}={value}")
    exempt = _ancestors()
    return [pid for pid in _all() if pid not in exempt and entry in _environment(pid)]


def end(pids: Sequence[int], *, grace: float = 2.0, first: int = signal.SIGTERM) -> None:
    """Send ``first`` to processes, SIGKILL after ``grace`` seconds; return when all are gone."""
    send(pids, first)
    if wait_gone(pids, grace):
        return
    send(pids, signal.SIGKILL)
    wait_gone(pids, 2.0)


def send(pids: Sequence[int], number: int) -> None:
    """Send a signal to processes; those that are gone already are as good as signalled."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_gone(pids: Sequence[int], seconds: float) -> bool:
    """Whether all processes were gone within ``seconds``; for those that are not our children."""
    deadline = time.monotonic() + seconds
    while any(is_running(pid) for pid in pids):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _all() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()] if HAS_PROC else []


def _stat(pid: int) -> list[str]:
    """state, ppid, process group, session, ...: what follows the name in ``/proc/<pid>/stat``."""
    try:
        content = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return content.rpartition(")")[2].split()


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _ancestors() -> set[int]:
    found = {pid := os.getpid()}
    while (fields := _stat(pid)) and (pid := int(fields[1])) > 0:
        found.add(pid)
    return found
