"""``noc import attendance`` and ``noc import locations``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from noc.attendance.csv_file import read_punches, resolve_codes
from noc.attendance.ingest import store_punches
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.tenants import TenantRef, resolve_tenant
from noc.importing.loading import Reader, Totals, load
from noc.importing.tracks import as_signals, resolve_person
from noc.rest.batches import BatchResult
from noc.telemetry.formats import EXTENSIONS, READERS
from noc.telemetry.ingest import store_signals

TENANT = click.option("--tenant", required=True, metavar="ID|SLUG", help="Whose they are.")
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group("import")
def import_group() -> None:
    """Bring in punches and tracks from files, of any age. Safe to repeat."""


@import_group.command("attendance")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE.csv...")
@TENANT
@with_appcontext
def attendance(files: tuple[Path, ...], tenant: str) -> None:
    """Import punches from CSV.

    The header names the columns: person_id or person_code, site_id or site_code, kind,
    occurred_at with a zone, and what else is known of a punch. Jobs score what was stored.
    """
    with _inside(tenant) as found:

        def store(items: list[Any]) -> BatchResult:
            resolved = resolve_codes(items, tenant_id=found.id)
            return store_punches(
                resolved, tenant_id=found.id, now=utcnow(), source="import", limits=False
            )

        _finish(load(files, lambda _: read_punches, store), "Punches")


@import_group.command("locations")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--person", required=True, metavar="ID|CODE", help="Whose track it is.")
@TENANT
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(READERS)),
    help="Of every file; told from the extension where it is not given.",
)
@with_appcontext
def locations(files: tuple[Path, ...], person: str, tenant: str, format_: str | None) -> None:
    """Import a person's tracks: GeoLife's .plt, GPX, or CSV with lat, lon, time[, accuracy]."""
    readers = {path: READERS[format_ or _format_of(path)] for path in files}
    with _inside(tenant) as found:
        try:
            person_id = resolve_person(person, tenant_id=found.id)
        except LookupError as error:
            raise click.UsageError(str(error.args[0])) from error

        def reader_of(path: Path) -> Reader:
            return as_signals(readers[path], person_id)

        def store(items: list[Any]) -> BatchResult:
            return store_signals(items, tenant_id=found.id, now=utcnow(), limits=False)

        _finish(load(files, reader_of, store), "Locations")


@contextmanager
def _inside(tenant: str) -> Iterator[TenantRef]:
    try:
        found = resolve_tenant(tenant)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from error
    session().rollback()
    with tenant_context(session(), found.id):
        yield found


def _format_of(path: Path) -> str:
    try:
        return EXTENSIONS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(EXTENSIONS)
        raise click.UsageError(
            f"{path}: the format is not told by its extension ({known}); give --format"
        ) from None


def _finish(totals: Totals, what: str) -> None:
    click.echo(f"{what}: {totals}.")
    if totals.refused:
        raise SystemExit(1)
