"""``noc audit run``: one cycle, of one site, at one time."""

from __future__ import annotations

import datetime as dt

import click
from flask.cli import with_appcontext
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from noc.audit.cycle import HISTORY, Outcome, run
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.tenants import resolve_tenant
from noc.rest.keyset import BIGGEST_ID
from noc.rest.quantities import UtcMoment
from noc.workforce.models import Site

_MOMENT: TypeAdapter[dt.datetime] = TypeAdapter(UtcMoment)


@click.group()
def audit() -> None:
    """Look at who is on duty and what is heard of them."""


@audit.command("run")
@click.option("--tenant", required=True, metavar="ID|SLUG", help="Which tenant.")
@click.option("--site", metavar="ID|CODE", help="One site; all of the tenant, if left out.")
@click.option("--at", metavar="TIME", help="Moment to look at, ISO 8601 with a zone; default now.")
@click.option("--heartbeat", is_flag=True, help="Who is silent or away, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Say what would be found, and store nothing.")
@with_appcontext
def run_audit(
    tenant: str, site: str | None, at: str | None, heartbeat: bool, dry_run: bool
) -> None:
    """Run one audit cycle now, or as of a moment of the past.

    Of a moment more than an hour back the findings are stored as of then, without alerts and
    tickets. Running twice stores nothing twice.
    """
    now = utcnow()
    moment = _moment(at) if at else now
    if moment > now:
        raise click.UsageError(f"--at lies in the future: it is {now:%Y-%m-%dT%H:%M:%SZ} now")
    try:
        found = resolve_tenant(tenant)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from error
    session().rollback()
    with tenant_context(session(), found.id):
        sites = None if site is None else [_site(site, found.id)]
        outcome = run(
            "heartbeat" if heartbeat else "comprehensive",
            moment,
            tenant_id=found.id,
            now=now,
            site_ids=sites,
            dry_run=dry_run,
        )
        session().commit()
        _say(outcome, past=now - moment > HISTORY, dry_run=dry_run)


def _say(outcome: Outcome, *, past: bool, dry_run: bool) -> None:
    click.echo(
        f"{outcome.kind.capitalize()} of {outcome.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{outcome.on_duty} on duty, {len(outcome.drafts)} findings"
        + ("." if dry_run else f", {len(outcome.created)} of them new.")
    )
    for draft in sorted(outcome.drafts, key=lambda one: (one.finding_type, one.title)):
        click.echo(f"  {draft.severity:<8} {draft.finding_type:<17} {draft.title}")
        click.echo(f"           {draft.summary}")
    for finding in outcome.closed:
        click.echo(f"  closed   {finding.finding_type:<17} {finding.resolution_note}")
    if not dry_run:
        click.echo(
            f"{outcome.escalated} escalated, {outcome.incidents} incidents opened or grown, "
            f"{outcome.samples} samples learned."
            + (" A look back: no alerts, no tickets." if past else "")
        )


def _moment(value: str) -> dt.datetime:
    try:
        return _MOMENT.validate_python(value)
    except ValidationError as error:
        raise click.UsageError(f"--at {value!r} {error.errors()[0]['msg']}") from error


def _site(name: str, tenant_id: int) -> int:
    matches = Site.code == name
    if name.isdecimal() and int(name) <= BIGGEST_ID:
        matches |= Site.id == int(name)
    found = session().scalar(
        select(Site.id)
        .where(Site.tenant_id == tenant_id, matches)
        .order_by((Site.code == name).desc())
        .limit(1)
    )
    if found is None:
        raise click.UsageError(f"there is no site {name!r} in this tenant (give an id or a code)")
    return found
