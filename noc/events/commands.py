"""``noc feed``: the live feed, or the end of the log, in a terminal."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.core import ParameterSource
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.events.log import EVENT_TYPES
from noc.extensions import session
from noc.feed_client.addresses import FeedRefused, Frame, checked_address
from noc.feed_client.following import Follower, Notice
from noc.feed_client.lines import line, plain
from noc.feed_client.reading import LogReader
from noc.identity import tokens
from noc.identity.capabilities import VIEW
from noc.identity.commands import inside
from noc.identity.models import ApiToken
from noc.rest.keyset import BIGGEST_ID
from noc.settings import load_settings, read_instance

_LAST = 50
_TOKEN_LASTS = dt.timedelta(days=7)
"""The command's own token is revoked when it ends; this is for one that is killed."""


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="A frame a line, as JSON.")
@click.option(
    "--last",
    "-n",
    type=click.IntRange(1, 500),
    help=f"Begin with the newest so many ({_LAST}, or none with --follow).",
)
@click.option("--after", type=click.IntRange(0, BIGGEST_ID), help="Begin after this seq.")
@click.option("--types", metavar="A,B", default="", help="Only events of these types.")
@click.option(
    "--site", "sites", multiple=True, type=click.IntRange(1, BIGGEST_ID), help="Only of this site."
)
@click.option("--tenant", metavar="ID|SLUG", help="Whose feed; with a token it is the token's.")
@click.option("--token", envvar="NOC_TOKEN", help="API token; better as NOC_TOKEN.")
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="Address of the web process, repeatable; the running instance's by default.",
)
@click.pass_context
def feed(
    context: click.Context,
    follow: bool,
    as_json: bool,
    last: int | None,
    after: int | None,
    types: str,
    sites: tuple[int, ...],
    tenant: str | None,
    token: str | None,
    urls: tuple[str, ...],
) -> None:
    """Print what happens, a line an event; what happens to the line itself goes to stderr."""
    if last is not None and after is not None:
        raise click.UsageError("give either --last or --after")
    if tenant and context.get_parameter_source("token") is ParameterSource.ENVIRONMENT:
        token = None  # What was typed goes before what lies about.
    if bool(token) == bool(tenant):
        raise click.UsageError("give either --tenant or a token (--token, NOC_TOKEN)")
    wanted = _types(types)
    addresses = [_address(url) for url in urls or (_instance_address(),)]
    with _ends_cleanly(), _token(context, token, tenant) as secret:
        log = LogReader(addresses[0], secret, wanted, sites)
        if not follow and after is not None:
            _print(log.after(after), as_json)
            return
        if not follow or last is not None:
            newest, after = log.last(last or _LAST)
            _print(newest, as_json)
        if follow:
            follower = Follower(
                addresses, secret, after=after, types=wanted, site_ids=sites, tell=_tell
            )
            _print(follower.events(), as_json)


def _print(frames: Iterator[Frame] | list[Frame], as_json: bool) -> None:
    for frame in frames:
        # click leaves the colours out where standard output is no terminal, and flushes.
        click.echo(json.dumps(frame) if as_json else line(frame, _paint))


def _paint(text: str, colour: str) -> str:
    return text if "NO_COLOR" in os.environ else click.style(text, fg=colour)


def _tell(notice: Notice) -> None:
    click.echo(f"{utcnow():%H:%M:%S} {plain(notice.text)}", err=True)


def _types(value: str) -> tuple[str, ...]:
    wanted = tuple(word.strip() for word in value.split(",") if word.strip())
    for word in wanted:
        if word not in EVENT_TYPES:
            raise click.UsageError(f"--types: {word!r} is none of {', '.join(EVENT_TYPES)}")
    return wanted


def _address(url: str) -> str:
    try:
        return checked_address(url)
    except ValueError as error:
        raise click.UsageError(f"--url: {error}") from error


def _instance_address() -> str:
    folder = load_settings().noc_data_dir
    url = read_instance(folder).get("url")
    if not url:
        raise click.UsageError(
            f"no instance ran in {folder}: name its folder (--data-dir) or its address (--url)"
        )
    return str(url)


@contextmanager
def _token(context: click.Context, given: str | None, tenant: str | None) -> Iterator[str]:
    """The token given, or one of the tenant that may view, and is revoked at the end."""
    if given is not None:
        yield given
        return
    app = context.ensure_object(ScriptInfo).load_app()
    with app.app_context():
        with inside(str(tenant)) as found:
            row, secret = tokens.create(
                found.id, "noc feed", [VIEW], expires_at=utcnow() + _TOKEN_LASTS
            )
            key = (found.id, row.id)
        try:
            yield secret
        finally:
            _revoke(key)


def _revoke(key: tuple[int, int]) -> None:
    try:
        with tenant_context(session(), key[0]):
            tokens.revoke(session().get_one(ApiToken, key))
            session().commit()
    except OperationalError:
        click.echo("The token made for this could not be revoked; it ends by itself.", err=True)


@contextmanager
def _ends_cleanly() -> Iterator[None]:
    """Ctrl-C and SIGTERM end it with exit code 0, and so does a reader that has enough."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # The interpreter flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except FeedRefused as refused:
        raise click.ClickException(plain(refused)) from refused
    except OSError as error:
        raise click.ClickException(plain(f"the server cannot be reached: {error}")) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
