"""``noc demo``: simulated tenants, their past, their life from now on."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import click
from flask import current_app
from flask.cli import ScriptInfo, with_appcontext
from rich.console import Console
from rich.table import Table

from noc.demo import accounts as demo_accounts
from noc.demo.places import COMPANIES
from noc.extensions import settings
from noc.settings import read_instance

if TYPE_CHECKING:
    from noc.demo.comparison import Compared
    from noc.demo.evaluation import Found
    from noc.demo.seeding import MakeApp

# What simulates and scores is imported where it is used: it brings numpy and pandas, which the
# other commands of `noc` start without.

MIN_GUARDS, MIN_SITES = 18, 6
"""Six guards and two sites a tenant."""


class _UtcTime(click.ParamType[dt.datetime]):
    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-16T09:00:00+00:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@click.group()
def demo() -> None:
    """Simulated tenants: honest about being simulated, and never mixed with real ones."""


@demo.command()
@click.option("--if-empty", is_flag=True, help="Do nothing where the demo is complete already.")
@click.option("--days", default=45, show_default=True, type=click.IntRange(1, 180))
@click.option("--guards", default=600, show_default=True, type=click.IntRange(MIN_GUARDS, 5000))
@click.option("--sites", default=30, show_default=True, type=click.IntRange(MIN_SITES, 200))
@click.option("--random-seed", default=2026, show_default=True, type=click.IntRange(0, 2**32 - 1))
@click.option("--now", type=_UtcTime(), help="End of the history; the present by default.")
@with_appcontext
def seed(
    if_empty: bool, days: int, guards: int, sites: int, random_seed: int, now: dt.datetime | None
) -> None:
    """Make the simulated tenants and their past, anew; what they had before goes.

    Tenants that are not simulated are never touched.
    """
    from noc.demo import seed as demo_seed
    from noc.demo import seeding
    from noc.demo.scale import Scale

    console = Console(stderr=True, soft_wrap=True)
    if if_empty and demo_seed.is_complete():
        console.print("The simulated tenants are there already.", highlight=False)
        return
    scale = Scale(now or dt.datetime.now(dt.UTC), days, guards, sites, random_seed)
    started = dt.datetime.now(dt.UTC)
    try:
        with demo_seed.only_one(), seeding.Display(console) as display:
            founded = demo_seed.start_over(scale)
            seeded = seeding.seed_all(founded, display, _app_factory())
    except demo_seed.SeedError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        console.print("Interrupted: the next `noc demo seed` starts afresh.")
        raise SystemExit(130) from None
    seconds = (dt.datetime.now(dt.UTC) - started).total_seconds()
    console.print(
        f"Simulated {len(seeded)} companies: {sum(s.punches for s in seeded):,} punches scored, "
        f"{sum(s.signals for s in seeded):,} phone signals, "
        f"{sum(s.shifts for s in seeded):,} shifts in {seconds:.0f} s.",
        highlight=False,
    )


def _app_factory() -> MakeApp | None:
    """What made the application of this command; None where it was not made for a command."""
    info = click.get_current_context().find_object(ScriptInfo)
    return None if info is None else cast("MakeApp | None", info.create_app)


@demo.command()
@click.option(
    "--rate",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0, 200),
    help="Punches and signals a second over all tenants, as far as there are guards on duty.",
)
@click.option("--url", help="Where the product is; the running instance's address by default.")
@with_appcontext
def stream(rate: float, url: str | None) -> None:  # fmt: skip
    """Let the simulated tenants live from now on, through the product's own interface."""
    from noc.demo.stream import Stream

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    where = url or read_instance(settings().noc_data_dir).get("url") or "http://127.0.0.1:8000"
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()
        # Even out of the middle of a request.
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    Stream(app, where, rate=rate).run(stop)


@demo.command()
def accounts() -> None:
    """Who signs in to the simulated tenants, and with which password."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("role", no_wrap=True)
    for plan in COMPANIES:
        table.add_column(plan.name, no_wrap=True)
    by_title: dict[str, list[str]] = {}
    for plan in COMPANIES:
        for account in demo_accounts.accounts_of(plan):
            by_title.setdefault(account.title, []).append(account.email)
    for title, addresses in by_title.items():
        table.add_row(title, *addresses)
    console = Console(width=120, highlight=False)
    console.print(f"Password of all: [bold]{demo_accounts.PASSWORD}[/]")
    console.print(table)


@demo.command()
@click.option("--threshold", default=0.80, show_default=True, help="Score that opens a ticket.")
@with_appcontext
def evaluate(threshold: float) -> None:
    """Measure how well the scores find the simulated fraud of the seed."""
    from noc.demo import comparison, evaluation, marks

    found = [one for one in marks.simulated_tenants() if one.complete]
    if not found:
        raise click.ClickException("there are no simulated tenants: noc demo seed")
    try:
        scored = evaluation.read_scored(found)
    except evaluation.NotSimulatedAsStored as error:
        raise click.ClickException(str(error)) from error
    console = Console(width=110, highlight=False, soft_wrap=True)
    console.print(evaluation.summary(scored))
    table = Table("score from", "punches", "precision", "recall", box=None, pad_edge=False)
    for row in evaluation.quality(scored, (0.2, 0.4, 0.6, threshold)):
        table.add_row(
            f"{row.threshold:.2f}", str(row.flagged), f"{row.precision:.2f}", f"{row.recall:.2f}"
        )
    console.print(table)
    console.print(_found("fraud", evaluation.found_by_typology(scored, threshold)))
    console.print(_found("innocent", evaluation.flagged_by_lookalike(scored, threshold)))
    console.print(_compared(comparison.compare(found)))


def _found(kind: str, rows: Sequence[Found]) -> Table:
    table = Table(kind, "punches", "anomaly", "ticket", "median score", box=None, pad_edge=False)
    for row in rows:
        if row.count:
            table.add_row(
                row.name,
                str(row.count),
                f"{row.anomalies / row.count:.1%}",
                f"{row.tickets / row.count:.1%}",
                f"{row.median_score:.2f}",
            )
    return table


def _compared(rows: Sequence[Compared]) -> Table:
    headings = ("average precision, live", "version", "punches", "fraud", "rules", "model",
                "together")  # fmt: skip
    table = Table(*headings, box=None, pad_edge=False)
    for row in rows:
        figures = (f"{part:.3f}" for part in (row.rules, row.model, row.together))
        table.add_row(row.company, row.version, str(row.punches), str(row.frauds), *figures)
    return table


@demo.command()
@click.confirmation_option(prompt="Delete the simulated tenants and all they have?")
@with_appcontext
def drop() -> None:
    """Take the simulated tenants away; others are never touched."""
    from noc.demo import marks
    from noc.demo import seed as demo_seed

    try:
        with demo_seed.only_one():
            found = marks.simulated_tenants()
            for one in found:
                marks.drop(one.tenant)
    except demo_seed.SeedError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Dropped {len(found)} simulated tenants.", err=True)
