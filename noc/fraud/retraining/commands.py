"""``noc train``, ``noc models``, ``noc export training-data``."""

from __future__ import annotations

import uuid
from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.fraud.registry import activation
from noc.fraud.registry.activation import NotPossible
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import dataset, runs
from noc.fraud.retraining.export import as_table, write
from noc.identity.commands import TENANT, inside, print_table
from noc.runs.models import JobRun

DAYS = click.option(
    "--days", default=runs.DEFAULT_DAYS, show_default=True, type=click.IntRange(1, 3650),
    help="How many days of punches.",
)  # fmt: skip


@click.command()
@TENANT
@DAYS
@click.option(
    "--test-size", default=runs.DEFAULT_TEST_SIZE, show_default=True,
    type=click.FloatRange(0.05, 0.5), help="Share of the labels that the last window holds.",
)  # fmt: skip
@click.option("--verbose", is_flag=True, help="Show the figures, the folds and every check.")
@with_appcontext
def train(tenant: str, days: int, test_size: float, verbose: bool) -> None:
    """Train a fraud model on the verdicts, here and now, and say what came of it.

    Exits 0 where a new version is registered, whether it passed the gate or not, 1 where there is
    no new version.
    """
    with inside(tenant) as found:
        run, created = runs.ask(
            tenant_id=found.id, trigger="manual", now=utcnow(), days=days, test_size=test_size,
            queued=False,
        )  # fmt: skip
        session().commit()
        if not created:
            raise click.ClickException("A training of this tenant is under way: `noc models list`.")
        run_id = run.id
        state = _with_progress(run_id, found.id)
        ended = session().get_one(JobRun, (found.id, run_id), populate_existing=True)
        click.echo(f"{state or ended.state}: {ended.reason}")
        if verbose and ended.result.get("model_id"):
            _say_more(session().get_one(
                FraudModel, (found.id, uuid.UUID(ended.result["model_id"]))
            ))  # fmt: skip
        if not ended.result.get("model_id"):
            raise click.exceptions.Exit(1)


def _with_progress(run_id: uuid.UUID, tenant_id: int) -> str | None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("waiting", total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=stage, completed=share)

        return runs.carry_out(run_id, tenant_id=tenant_id, now=utcnow(), also=show)


def _say_more(model: FraudModel) -> None:
    report = model.report
    click.echo(f"\n{report['rows']} labels, {report['positives']} of them fraud; chosen: "
               f"{model.model_type}. Weights: {report['served']['weights']}")  # fmt: skip
    print_table(
        ("average precision", "value", "90 % from", "to"),
        [
            _figure(name, figures["ap"])
            for name, figures in (
                ("as served", report["served"]["test"]),
                ("model alone", report["served"]["alone"]["model"]),
                ("rules alone", report["served"]["alone"]["rules"]),
            )
        ],
    )
    click.echo("")
    print_table(
        ("at the threshold", "value", "90 % from", "to"),
        [_figure(name, report["served"]["test"][name]) for name in ("precision", "recall", "f1")],
    )
    click.echo("")
    for fold in report["folds"]:
        click.echo(f"fold from {fold['start'][:10]} to {fold['end'][:10]}: {fold['positives']} "
                   f"frauds in {fold['rows']}, average precision {_short(fold['ap'])}")  # fmt: skip
    for check in model.gate["checks"]:
        click.echo(f"{'met    ' if check['met'] else 'not met'}  {check['sentence']}")
    for warning in report["warnings"]:
        click.echo(f"note     {warning}")


def _figure(name: str, figure: dict[str, float | None]) -> tuple[str, ...]:
    return (name, *(_short(figure[part]) for part in ("value", "low", "high")))


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@click.group()
def models() -> None:
    """The versions of a tenant's fraud model."""


@models.command("list")
@TENANT
@with_appcontext
def list_models(tenant: str) -> None:
    """Every version, newest first, and the training under way."""
    with inside(tenant) as found:
        rows = session().scalars(
            select(FraudModel)
            .where(FraudModel.tenant_id == found.id)
            .order_by(FraudModel.created_at.desc())
        ).all()  # fmt: skip
        running = session().scalar(
            select(JobRun).where(
                JobRun.tenant_id == found.id,
                JobRun.name == runs.NAME,
                JobRun.finished_at.is_(None),
            )
        )
        if running is not None:
            click.echo(f"Training {running.state}, {running.progress:.0%}: {running.stage or ''}")
        if not rows:
            click.echo("No model yet: the rules score every punch.")
            return
        print_table(
            ("version", "status", "kind", "labels", "AP", "made", "note"),
            [
                (row.version, row.status, row.model_type, row.train_samples, _short(row.pr_auc),
                 f"{row.created_at:%Y-%m-%d %H:%M}", row.note or "")
                for row in rows
            ],
        )  # fmt: skip


@models.command()
@click.argument("version")
@TENANT
@click.option("--note", help="Why, for those who come after.")
@with_appcontext
def activate(version: str, tenant: str, note: str | None) -> None:
    """Let VERSION score from now on, whatever the gate said of it."""
    with inside(tenant) as found, _possible():
        model = activation.activate(
            _id_of(version, found.id), tenant_id=found.id, now=utcnow(),
            note=note, by="on the command line",
        )  # fmt: skip
        click.echo(f"{model.version} scores from the next punch on.")


@models.command()
@click.argument("version", required=False)
@TENANT
@with_appcontext
def rollback(version: str | None, tenant: str) -> None:
    """Take the active version back: the one before scores again, without one the rules do."""
    with inside(tenant) as found, _possible():
        active = session().scalar(
            select(FraudModel.version).where(FraudModel.tenant_id == found.id, FraudModel.is_active)
        )
        if version is None and active is None:
            raise LookupError("no model is active: the rules score")
        scores = activation.roll_back(
            _id_of(version or str(active), found.id), tenant_id=found.id, now=utcnow(),
            by="on the command line",
        )  # fmt: skip
        click.echo(f"{scores.version if scores else 'The rules'} score{'s' if scores else ''} now.")


class _possible:
    """Say in one line why a version cannot be activated or taken back."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, NotPossible):
            raise LookupError(str(error)) from error


def _id_of(version: str, tenant_id: int) -> uuid.UUID:
    found = session().scalar(
        select(FraudModel.id).where(
            FraudModel.tenant_id == tenant_id, FraudModel.version == version
        )
    )
    if found is None:
        raise LookupError(f"there is no version {version!r}: see `noc models list`")
    return found


@click.group()
def export() -> None:
    """Take data out, as files."""


@export.command("training-data")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@TENANT
@DAYS
@click.option(
    "--pseudonymous", is_flag=True,
    help="No ids, rows shuffled, numbers rounded. Hides nobody from who has the punches, too.",
)  # fmt: skip
@with_appcontext
def training_data(file: Path, tenant: str, days: int, pseudonymous: bool) -> None:
    """Write the vectors as they were served, with their labels and where these came from.

    The file is whole or not there: where it cannot be written (exit status 1), an older one of
    its name stays as it was.
    """
    with inside(tenant) as found:
        data = dataset.read(tenant_id=found.id, now=utcnow(), days=days)
        # Names hold across exports of one instance, and mean nothing to anybody without its key.
        secret = settings().secret_key.encode() if pseudonymous else None
        table = as_table(data, secret=secret)
        try:
            write(table, file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise click.ClickException(f"cannot write {file}: {reason}") from error
        click.echo(
            f"{len(data)} labelled punches of {data.scored} scored in {days} days, "
            f"{data.positives} of them fraud, written to {file}."
        )
