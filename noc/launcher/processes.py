"""``noc web``, ``noc worker`` and ``noc scheduler``: one process each, for real deployments.

Each becomes the program it starts, so that signals and exit codes are that program's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from noc.settings import load_settings

GUNICORN_CONFIG = "python:noc.launcher.gunicorn_config"
APPLICATION = "wsgi:app"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--processes", type=click.IntRange(min=1), help="Web processes (default: WEB_PROCESSES)."
)
@click.option(
    "--threads",
    type=click.IntRange(min=8),
    help="Threads of each; three quarters of them may be feed sockets (default: WEB_THREADS).",
)
def web(host: str, port: int, processes: int | None, threads: int | None) -> None:
    """Serve REST, the dashboards and the feed."""
    settings = load_settings()
    chosen = {
        "WEB_PROCESSES": str(processes or settings.web_processes),
        "WEB_THREADS": str(threads or settings.web_threads),
    }
    if settings.prometheus_multiproc_dir:
        # Read by the metrics library when it is imported, before any of our settings are.
        chosen["PROMETHEUS_MULTIPROC_DIR"] = settings.prometheus_multiproc_dir
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    _become("gunicorn", "--config", GUNICORN_CONFIG, "--bind", address, APPLICATION, **chosen)


@click.command()
@click.option(
    "--queues",
    default="scoring,escalation,reports,ml_queue,maintenance",
    show_default=True,
    help="Queues to work on, with commas, the most urgent first.",
)
def worker(queues: str) -> None:
    """Run jobs."""
    _become("jobs.worker", "--queues", queues, **_shared_metrics())


@click.command()
def scheduler() -> None:
    """Enqueue the jobs whose time has come. A second one waits to take over."""
    _become("jobs.scheduler", **_shared_metrics())


def _shared_metrics() -> dict[str, str]:
    folder = load_settings().prometheus_multiproc_dir
    return {"PROMETHEUS_MULTIPROC_DIR": folder} if folder else {}


def _become(module: str, *arguments: str, **environment: str) -> None:
    """Replace this process by ``python -m module``."""
    sys.stdout.flush()
    sys.stderr.flush()
    changed: Mapping[str, str] = {**os.environ, "TZ": "UTC", **environment}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], dict(changed))
