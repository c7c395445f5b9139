"""The processes of the product, as data."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from noc.demo.accounts import ENTRANCE
from noc.launcher.process import ProcessSpec

FAST_QUEUES = "scoring,escalation"
SLOW_QUEUES = "reports,ml_queue,maintenance,scoring"
ALL_QUEUES = "scoring,escalation,reports,ml_queue,maintenance"


@dataclass(frozen=True)
class Options:
    """What the person asked of ``noc up``."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    demo: bool = False
    workers: int = 2
    verbose: bool = False
    open_browser: bool = False

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the web process."""
        anywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
        host = anywhere.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass(frozen=True)
class Plan:
    """``migrate`` and ``prepare`` run to their end, one after another; ``keep`` is kept running.

    ``greeting`` is a program whose output is shown with the address: how to sign in. ``entrance``
    prints the address at which a browser is signed in already; it runs once the web is ready.
    """

    keep: tuple[ProcessSpec, ...]
    migrate: tuple[ProcessSpec, ...] = ()
    prepare: tuple[ProcessSpec, ...] = ()
    greeting: ProcessSpec | None = None
    entrance: ProcessSpec | None = None


Planner = Callable[[Options, Mapping[str, str], str], Plan]
"""Makes a plan of the options, the programs' environment, and the owner's address ('': none)."""


def product_plan(options: Options, environment: Mapping[str, str], admin_url: str) -> Plan:
    """Web, workers and scheduler; with ``--demo`` a seeded demo and its stream."""

    def noc(name: str, *arguments: str, console: bool = False) -> ProcessSpec:
        argv = (sys.executable, "-m", "noc", *arguments)
        return ProcessSpec(name, argv, environment, console=console)

    keep = [
        noc("web", "web", "--host", options.host, "--port", str(options.port)),
        *(
            noc(f"worker-{number}", "worker", "--queues", queues)
            for number, queues in enumerate(worker_queues(options.workers), 1)
        ),
        noc("scheduler", "scheduler"),
    ]
    if options.demo:
        keep.append(noc("demo", "demo", "stream"))
    owner = {**environment, "DATABASE_ADMIN_URL": admin_url}
    upgrade = (sys.executable, "-m", "noc", "db", "upgrade")
    return Plan(
        keep=tuple(keep),
        migrate=(ProcessSpec("migrate", upgrade, owner),) if admin_url else (),
        prepare=(noc("seed", "demo", "seed", "--if-empty", console=True),) if options.demo else (),
        greeting=noc("accounts", "demo", "accounts") if options.demo else None,
        entrance=noc("entrance", *_entrance(options.url)) if options.demo else None,
    )


def _entrance(url: str) -> tuple[str, ...]:
    tenant, email = ENTRANCE
    return ("users", "link", email, "--tenant", tenant, "--url", url)


def worker_queues(workers: int) -> list[str]:
    """Queues of each worker: one stays free for what people wait for, another for the rest.

    A single one serves all; any beyond two are for what people wait for.
    """
    if workers == 1:
        return [ALL_QUEUES]
    return [FAST_QUEUES, SLOW_QUEUES, *[FAST_QUEUES] * (workers - 2)]


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the programs: ours, with ``settings``, and never the owner's address."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_ADMIN_URL"}
    return {**inherited, "PYTHONUNBUFFERED": "1", "TZ": "UTC", **settings}
