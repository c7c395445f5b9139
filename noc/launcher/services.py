"""The embedded services together: addresses, and a context of their own for tests and checks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from noc.launcher.errors import LauncherError
from noc.launcher.instance import Instance
from noc.launcher.places import cluster_home
from noc.launcher.postgres import APP_ROLE, OWNER_ROLE, Postgres
from noc.launcher.process import Child, ProcessSpec, stop_now
from noc.launcher.redis import Redis


@dataclass(frozen=True)
class Services:
    """Where the database and the queue are; ``admin_url`` is the owner's, for migrations only."""

    admin_url: str
    app_url: str
    redis_url: str


@contextmanager
def embedded(data_dir: Path, fast: bool = True) -> Iterator[Services]:
    """PostgreSQL and Redis on ``data_dir`` alone, both stopped at the end, whatever happens.

    The database and the application role exist; no migration has run. ``fast`` gives up
    everything that survives a crash, and is a throwaway: what had to be put outside of
    ``data_dir`` is deleted at the end. Enter it from a thread that outlives it (the main one).
    """
    with ExitStack() as stack:
        instance = stack.enter_context(Instance(data_dir))
        home = cluster_home(instance.data_dir, throwaway=fast)
        stack.callback(home.discard)
        postgres = Postgres(home, fast=fast)
        redis = Redis(instance.data_dir / "redis", fast=fast)
        for folder in (postgres.sockets, redis.sockets):
            stack.callback(forget_folder, folder)
        started = []
        for spec in (postgres.spec(), redis.spec()):
            child = _start(spec, instance.logs / f"{spec.name}.log")
            stack.callback(stop_now, child)
            started.append((child, instance.logs / f"{spec.name}.log"))
        for child, log in started:
            _await_ready(child, log)
        prepare_database(postgres)
        yield Services(postgres.url(OWNER_ROLE), postgres.url(APP_ROLE), redis.url)


def prepare_database(postgres: Postgres) -> None:
    """Make the application's role and database where they are missing."""
    # Not before it is needed: it brings SQLAlchemy, which `noc up --help` can do without.
    from noc.database.bootstrap import prepare

    prepare(postgres.url(OWNER_ROLE, "postgres"), app_role=APP_ROLE)


def forget_folder(folder: Path) -> None:
    """Remove a folder of sockets, where the server left it empty."""
    with suppress(OSError):
        folder.rmdir()


def _start(spec: ProcessSpec, log: Path) -> Child:
    if spec.before_start:
        spec.before_start()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return Child(spec, output)
    finally:
        os.close(output)


def _await_ready(child: Child, log: Path) -> None:
    deadline = time.monotonic() + child.spec.ready_within
    while child.poll() is None and time.monotonic() < deadline:
        if child.spec.is_ready is None or child.spec.is_ready(child.pid):
            return
        time.sleep(0.02)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    raise LauncherError(f"{child.spec.name} did not start; the end of {log}:\n{tail}")
