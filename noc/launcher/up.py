"""``noc up``: the whole product from one command."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import click

from noc.launcher.errors import LauncherError, StopRequested
from noc.launcher.instance import MARK, Instance
from noc.launcher.output import Reporter, SteadyConsole
from noc.launcher.places import cluster_home
from noc.launcher.plan import Options, Plan, Planner, child_environment, product_plan
from noc.launcher.ports import check_port_is_free
from noc.launcher.postgres import APP_ROLE, OWNER_ROLE, Postgres
from noc.launcher.process import ProcessSpec
from noc.launcher.redis import Redis
from noc.launcher.services import Services, forget_folder, prepare_database
from noc.launcher.supervisor import Supervisor

_PATIENCE = 60.0
"""Seconds without an answer of the web process after which we say what is wrong."""


@click.command()
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port to listen on.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="NOC_DATA_DIR",
    default=Path("var"),
    show_default=True,
    help="Folder of the instance: database, queue, logs, secret key.",
)
@click.option("--demo", is_flag=True, help="Seed simulated tenants and let them live.")
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Workers; beyond two they score and escalate.",
)
@click.option("--verbose", is_flag=True, help="Show the output of every process.")
@click.option(
    "--open/--no-open", "open_browser", default=True, help="Open a browser, on a desktop."
)
def up(
    port: int, host: str, data_dir: Path, demo: bool, workers: int, verbose: bool,
    open_browser: bool,
) -> None:  # fmt: skip
    """Run everything: PostgreSQL, Redis, migrations, web, workers, scheduler.

    Uses DATABASE_URL and REDIS_URL where they are set, and embedded services where not.
    """
    bring_up(Options(data_dir, host, port, demo, workers, verbose, open_browser))


def bring_up(options: Options, planner: Planner = product_plan) -> None:
    """Run the plan on the instance until SIGINT or SIGTERM, then stop all of it.

    Raises :class:`LauncherError`, with nothing left running, when it cannot be brought up.
    """
    with Instance(options.data_dir, options.url) as instance:
        left = instance.end_leftovers()
        check_port_is_free(options.host, options.port)
        reporter = Reporter(SteadyConsole(), instance.logs)
        try:
            if left:
                reporter.warn(f"ended {left} processes of a `noc up` that was killed")
            _run(_Launch(options, instance, reporter), planner)
        finally:
            reporter.close()


@dataclass(frozen=True)
class _Launch:
    options: Options
    instance: Instance
    reporter: Reporter


def _run(launch: _Launch, planner: Planner) -> None:
    instance, reporter = launch.instance, launch.reporter
    with (
        ExitStack() as afterwards,
        Supervisor(instance.logs, reporter, verbose=launch.options.verbose) as supervisor,
    ):
        try:
            services = _start_services(launch, supervisor, afterwards)
            environment = _publish(launch, services)
            plan = planner(launch.options, environment, services.admin_url)
            _start_programs(launch, supervisor, plan, services)
            supervisor.run_forever()
        except StopRequested:
            reporter.say("stopping ...")
            supervisor.stop()
            reporter.say("stopped")


def _start_services(launch: _Launch, supervisor: Supervisor, afterwards: ExitStack) -> Services:
    """Start what the environment does not name; returns where everything is."""
    data_dir = launch.instance.data_dir
    admin_url, app_url = os.environ.get("DATABASE_ADMIN_URL", ""), os.environ.get("DATABASE_URL")
    redis_url = os.environ.get("REDIS_URL")
    # Both are looked for before either is started.
    postgres = None if app_url else Postgres(cluster_home(data_dir, throwaway=False))
    redis = None if redis_url else Redis(data_dir / "redis")
    for service in (postgres, redis):
        if service:
            afterwards.callback(forget_folder, service.sockets)
    if postgres:
        launch.reporter.say("starting PostgreSQL")
        supervisor.start(postgres.spec())
        prepare_database(postgres)
        admin_url, app_url = postgres.url(OWNER_ROLE), postgres.url(APP_ROLE)
    if redis:
        launch.reporter.say("starting Redis")
        supervisor.start(redis.spec())
        redis_url = redis.url
    return Services(admin_url, app_url or "", redis_url or "")


def _publish(launch: _Launch, services: Services) -> dict[str, str]:
    """Write the instance's addresses down; returns the environment of its programs."""
    instance, options = launch.instance, launch.options
    instance.empty_metrics()
    secret_key = os.environ.get("SECRET_KEY") or instance.secret_key()
    addresses = {
        "database_url": services.app_url,
        "redis_url": services.redis_url,
        "secret_key": secret_key,
        "prometheus_multiproc_dir": str(instance.metrics),
        "port": options.port,
        "url": options.url,
        "pid": os.getpid(),
    }
    instance.publish(addresses, services.admin_url)
    return child_environment(
        {
            "NOC_DATA_DIR": str(instance.data_dir),
            MARK: str(instance.data_dir),
            "DATABASE_URL": services.app_url,
            "REDIS_URL": services.redis_url,
            "SECRET_KEY": secret_key,
            "PROMETHEUS_MULTIPROC_DIR": str(instance.metrics),
        }
    )


def _start_programs(
    launch: _Launch, supervisor: Supervisor, plan: Plan, services: Services
) -> None:
    reporter = launch.reporter
    if plan.migrate:
        reporter.say("migrating the database")
    elif not services.admin_url:
        reporter.warn(
            "DATABASE_ADMIN_URL is not set: migrations are not run, the database must be up to date"
        )
    for spec in (*plan.migrate, *plan.prepare):
        supervisor.run(spec)
    reporter.say(f"starting {', '.join(spec.name for spec in plan.keep)}")
    for spec in plan.keep:
        supervisor.start(spec)
    greeting = _words_of(plan.greeting, launch, supervisor)
    _await_web(launch, supervisor)
    entrance = _words_of(plan.entrance, launch, supervisor)
    _announce(launch, greeting, next((line for line in entrance if line.startswith("http")), ""))


def _words_of(spec: ProcessSpec | None, launch: _Launch, supervisor: Supervisor) -> list[str]:
    """What the program says; nothing, with a warning, when it fails."""
    if spec is None:
        return []
    try:
        return supervisor.run(spec)
    except LauncherError as error:
        launch.reporter.warn(error.message)
        return []


def _await_web(launch: _Launch, supervisor: Supervisor) -> None:
    """Until ``/readyz`` answers 200; says every minute what it answers instead."""
    answer = ""

    def ready() -> bool:
        nonlocal answer
        answer = readiness(launch.options.url)
        return answer == ""

    while not supervisor.wait_until(ready, _PATIENCE):
        launch.reporter.warn(f"not ready yet ({answer}); see {launch.instance.logs}")


def readiness(url: str) -> str:
    """'' when the web process is ready, else what it or the network says."""
    # Through no proxy: this is our own machine.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=2.0) as response:
            return "" if response.status == 200 else f"status {response.status}"
    except HTTPError as error:
        with error:
            return f"status {error.code}: {error.read(300).decode('utf-8', 'replace').strip()}"
    except (URLError, OSError) as error:
        return str(getattr(error, "reason", error))


def _announce(launch: _Launch, greeting: list[str], entrance: str) -> None:
    options, instance, reporter = launch.options, launch.instance, launch.reporter
    reporter.show("")
    reporter.say(f"NOC Intelligence is ready: {options.url}", "bold green")
    for line in greeting:
        reporter.show(f"  {line}")
    if not options.demo:
        reporter.show("  The first time: `noc tenants create`, then `noc users create`, with")
        reporter.show(f"  NOC_DATA_DIR={instance.data_dir} in the environment.")
    if entrance:
        reporter.show(f"\n  Straight to the live feed (once, within 15 minutes):\n  {entrance}\n")
    reporter.show(f"  Logs: {instance.data_dir / 'logs'}\n  Ctrl-C stops it.\n")
    if options.open_browser:
        _open_browser(entrance or options.url)


def _open_browser(url: str) -> None:
    """Open ``url`` where a person sits at a desktop; says nothing where not."""
    desktop = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not desktop or "SSH_CONNECTION" in os.environ or not sys.stdout.isatty():
        return
    quiet = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, "-m", "webbrowser", url],
        stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True,
    )  # fmt: skip
