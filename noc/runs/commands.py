"""``noc jobs``: what failed in the queues, and trying it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import redis
from flask.cli import with_appcontext

from noc.database.base import utcnow
from noc.identity.commands import TENANT, inside, print_table
from noc.rest.problems import Problem
from noc.runs import backstage

PLATFORM = click.option(
    "--platform", is_flag=True, help="Also what belongs to no tenant, such as upkeep."
)


@click.group()
def jobs() -> None:
    """Work in the background."""


@jobs.command("failed")
@TENANT
@PLATFORM
@with_appcontext
def jobs_failed(tenant: str, platform: bool) -> None:
    """List what failed, the latest first; why in full is in the worker's log."""
    with inside(tenant) as found, _plainly():
        rows = backstage.failed(tenant_id=found.id, platform=platform)
    print_table(
        ("id", "queue", "job", "ended (UTC)", "trouble"),
        [
            (
                row.id,
                row.queue,
                row.job,
                f"{row.ended_at:%Y-%m-%d %H:%M}" if row.ended_at else "-",
                row.reason,
            )
            for row in rows
        ],
    )


@jobs.command("retry")
@TENANT
@PLATFORM
@click.argument("job", metavar="ID")
@with_appcontext
def jobs_retry(tenant: str, platform: bool, job: str) -> None:
    """Queue a failed job again."""
    with inside(tenant) as found, _plainly():
        backstage.retry(job, tenant_id=found.id, platform=platform, now=utcnow())
    click.echo(f"{job} waits for a worker.", err=True)


@contextmanager
def _plainly() -> Iterator[None]:
    """What cannot be is said in one line."""
    try:
        yield
    except Problem as problem:
        raise LookupError(problem.detail) from problem
    except redis.RedisError as error:
        reason = "the queue cannot be reached. Is `noc up` running on this data folder?"
        raise click.UsageError(reason) from error
