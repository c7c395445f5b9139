"""Seeds all simulated tenants at once, each in a process of its own, and shows how far it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from flask import Flask
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from noc.demo.marks import Simulated
from noc.demo.seed import Seeded, SeedError, seed_company

_REPORT_EVERY = 0.2

MakeApp = Callable[[], Flask]
"""Makes the application; can be pickled."""


class Display:
    """A bar for each tenant on a terminal; elsewhere a line when something new begins."""

    def __init__(self, console: Console) -> None:
        """Nothing is shown before the first report."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.fields[tenant]:<11}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("[dim]{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._phases: dict[str, str] = {}

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def report(self, tenant: str, phase: str, share: float) -> None:
        """``tenant`` is at ``share`` (0 to 1) of its seed and does ``phase``."""
        if tenant not in self._tasks:
            self._tasks[tenant] = self._progress.add_task(phase, total=1.0, tenant=tenant)
        self._progress.update(self._tasks[tenant], completed=share, description=phase)
        if not self._console.is_terminal and self._phases.get(tenant) != phase:
            self._console.print(f"{tenant}: {phase}", highlight=False)
        self._phases[tenant] = phase


@dataclass
class _Child:
    simulated: Simulated
    process: Any
    pipe: Connection


def seed_all(
    founded: Sequence[Simulated], display: Display, make_app: MakeApp | None
) -> list[Seeded]:
    """Seed the founded tenants. SeedError where one of them fails; what is half done is marked so.

    Each in a process of its own, with an application that ``make_app`` makes there. Without one
    they are seeded here, one after another, in the application context that is open.
    """
    if make_app is None:
        return [seed_company(one, _reporter(display, one)) for one in founded]
    # Not forked from here, where there are threads and connections: from a process that has done
    # no more than import, once for all of them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["noc.factory", "noc.demo.seed"])
    children = []
    try:
        for one in founded:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_seed_in_child, args=(make_app, one, theirs), daemon=True
            )
            process.start()
            theirs.close()
            children.append(_Child(one, process, ours))
        return _watch(children, display)
    finally:
        for child in children:
            child.process.terminate()
            child.process.join(5.0)
            child.pipe.close()


def _reporter(display: Display, one: Simulated) -> Callable[[str, float], None]:
    return lambda phase, share: display.report(one.tenant.slug, phase, share)


def _watch(children: list[_Child], display: Display) -> list[Seeded]:
    """Show reports until every child has handed in its result."""
    done: dict[str, Seeded] = {}
    by_pipe = {child.pipe: child for child in children}
    while len(done) < len(children):
        for pipe in wait(list(by_pipe)):
            child = by_pipe[pipe]  # type: ignore[index]
            slug = child.simulated.tenant.slug
            try:
                message = child.pipe.recv()
            except EOFError:
                child.process.join()
                raise SeedError(
                    f"seeding {slug} broke off (exit status {child.process.exitcode}); "
                    "the next `noc demo seed` starts afresh"
                ) from None
            if isinstance(message, Seeded):
                done[slug] = message
                del by_pipe[child.pipe]
            else:
                display.report(slug, *message)
    return [done[child.simulated.tenant.slug] for child in children]


def _seed_in_child(make_app: MakeApp, simulated: Simulated, pipe: Connection) -> None:
    """Seed one tenant; the pipe takes the reports and at last the result."""
    os.environ["LOG_LEVEL"] = "WARNING"
    # Ctrl-C reaches the whole group; it is the parent who ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, last = os.getppid(), [0.0]

    def report(phase: str, share: float) -> None:
        if os.getppid() != parent:
            # The seed was killed, and another may want this one's place.
            os._exit(1)
        if time.monotonic() - last[0] >= _REPORT_EVERY:
            last[0] = time.monotonic()
            pipe.send((phase, share))

    with make_app().app_context():
        result = seed_company(simulated, report)
    pipe.send(("done", 1.0))
    pipe.send(result)
