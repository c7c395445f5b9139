"""``noc tenants``, ``noc users``, ``noc tokens``."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity import tokens as api_tokens
from noc.identity import users as people
from noc.identity.capabilities import ROLES, TOKEN_CAPABILITIES
from noc.identity.links import one_time_link
from noc.identity.models import ApiToken, User
from noc.identity.tenants import TenantRef, all_tenants, create_tenant, resolve_tenant
from noc.identity.trail import on_the_command_line

TENANT = click.option("--tenant", required=True, metavar="ID|SLUG", help="Which tenant.")
PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@contextmanager
def inside(tenant: str) -> Iterator[TenantRef]:
    """Work for the tenant, and commit; what is wrong is said in one line, exit code 2."""
    with _plain_errors(), on_the_command_line():
        found = resolve_tenant(tenant)
        with tenant_context(session(), found.id):
            yield found
            session().commit()


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError) as error:
        session().rollback()
        raise click.UsageError(str(error.args[0])) from error
    except OperationalError as error:
        reason = str(error.orig).partition("\n")[0]
        raise click.UsageError(
            f"the database cannot be reached ({reason}). Is `noc up` running on this data folder?"
        ) from error


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns on standard output, as wide as their widest cell."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _note(message: str) -> None:
    click.echo(message, err=True)


def _day(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password: --password-stdin")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@click.group()
def tenants() -> None:
    """Security companies."""


@tenants.command("create")
@click.argument("slug")
@click.option("--name", help="The company's name; the slug where it is not given.")
@with_appcontext
def tenants_create(slug: str, name: str | None) -> None:
    """Create a tenant; SLUG is its short name, such as "acme"."""
    with _plain_errors():
        made = create_tenant(slug, name or slug)
        session().commit()
    click.echo(made.id)
    _note(f"Created the tenant {made.slug} ({made.name}).")


@tenants.command("list")
@with_appcontext
def tenants_list() -> None:
    """List the active tenants."""
    with _plain_errors():
        rows = [(one.id, one.slug, one.name) for one in all_tenants()]
    print_table(("id", "slug", "name"), rows)


@click.group()
def users() -> None:
    """People who sign in."""


@users.command("create")
@TENANT
@click.option("--email", required=True, help="What the user signs in with.")
@click.option("--name", required=True, help="The user's name.")
@click.option("--role", type=click.Choice(list(ROLES)), default="operator", show_default=True)
@click.option("--site", "sites", multiple=True, type=int, help="Limit to this site; repeatable.")
@click.option("--password", help="Seen by whoever lists processes; better leave it out.")
@PASSWORD_STDIN
@with_appcontext
def users_create(
    tenant: str,
    email: str,
    name: str,
    role: str,
    sites: tuple[int, ...],
    password: str | None,
    password_stdin: bool,
) -> None:
    """Create a user; asks for the password."""
    with inside(tenant) as found:
        secret = password if password is not None else _read_password(password_stdin)
        user = people.create_user(found.id, email, name, role, secret, sites)
        user_id, note = user.id, f"Created {user.email}, {user.role} of {found.slug}."
    click.echo(user_id)
    _note(note)


@users.command("list")
@TENANT
@with_appcontext
def users_list(tenant: str) -> None:
    """List the users of a tenant."""
    with inside(tenant) as found:
        rows = session().scalars(
            select(User).where(User.tenant_id == found.id).order_by(User.email)
        )
        print_table(
            ("id", "email", "name", "role", "active", "last sign-in (UTC)"),
            [
                (
                    row.id,
                    row.email,
                    row.name,
                    row.role,
                    "yes" if row.active else "no",
                    _day(row.last_login_at),
                )
                for row in rows
            ],
        )


@users.command("deactivate")
@TENANT
@click.argument("email")
@with_appcontext
def users_deactivate(tenant: str, email: str) -> None:
    """Let a user in no more; ends their sign-ins at once."""
    with inside(tenant) as found:
        user = people.find_user(found.id, email)
        people.deactivate(user, now=utcnow())
        _note(f"{user.email} is signed out everywhere and cannot sign in.")
        left = session().scalar(
            select(func.count())
            .select_from(ApiToken)
            .where(
                ApiToken.tenant_id == found.id,
                ApiToken.created_by == user.id,
                ApiToken.revoked_at.is_(None),
            )
        )
        if left:
            _note(f"API tokens made by them that still work: {left}. See: noc tokens list")


@users.command("link")
@TENANT
@click.option("--url", default="", help="Address of the web process, to put before the link.")
@click.argument("email")
@with_appcontext
def users_link(tenant: str, url: str, email: str) -> None:
    """Print a link that signs a user in, once, within 15 minutes."""
    with inside(tenant) as found:
        user = people.find_user(found.id, email)
        if not user.active:
            raise click.UsageError(f"{user.email} is deactivated.")
        link = one_time_link(user)
    click.echo(url.rstrip("/") + link)
    _note("It works once, and for 15 minutes.")


@users.command("set-password")
@TENANT
@click.argument("email")
@PASSWORD_STDIN
@with_appcontext
def users_set_password(tenant: str, email: str, password_stdin: bool) -> None:
    """Give a user a new password; ends sign-ins made with the old one."""
    with inside(tenant) as found:
        user = people.find_user(found.id, email)
        people.set_password(user, _read_password(password_stdin), now=utcnow())
        _note(f"{user.email} has a new password.")


@click.group()
def tokens() -> None:
    """Tokens of API clients."""


@tokens.command("create")
@TENANT
@click.option(
    "--capability",
    "capabilities",
    multiple=True,
    required=True,
    type=click.Choice(sorted(TOKEN_CAPABILITIES)),
    help="What the token may do; repeatable.",
)
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True, max=36500), help="Ends after.")
@with_appcontext
def tokens_create(
    tenant: str, capabilities: tuple[str, ...], name: str, days: float | None
) -> None:
    """Create a token and print it, once, alone on standard output."""
    with inside(tenant) as found:
        expires_at = utcnow() + dt.timedelta(days=days) if days else None
        token, secret = api_tokens.create(found.id, name, capabilities, expires_at=expires_at)
        note = f"Token {token.id} ({token.name}) of {found.slug}: {', '.join(token.capabilities)}."
    click.echo(secret)
    _note(f"{note} It is not shown again.")


@tokens.command("list")
@TENANT
@with_appcontext
def tokens_list(tenant: str) -> None:
    """List the tokens of a tenant, by their first characters."""
    with inside(tenant) as found:
        rows = session().scalars(
            select(ApiToken).where(ApiToken.tenant_id == found.id).order_by(ApiToken.id)
        )
        print_table(
            ("id", "prefix", "name", "capabilities", "last used (UTC)", "ends (UTC)", "revoked"),
            [
                (
                    row.id,
                    f"{row.prefix}...",
                    row.name,
                    ",".join(row.capabilities),
                    _day(row.last_used_at),
                    _day(row.expires_at),
                    _day(row.revoked_at),
                )
                for row in rows
            ],
        )


@tokens.command("revoke")
@TENANT
@click.argument("token", metavar="ID|PREFIX")
@with_appcontext
def tokens_revoke(tenant: str, token: str) -> None:
    """End a token at once, named by its id or its first characters."""
    with inside(tenant) as found:
        row = _find_token(found.id, token)
        api_tokens.revoke(row)
        _note(f"Token {row.id} ({row.name}) is revoked.")


def _find_token(tenant_id: int, named: str) -> ApiToken:
    called = (
        ApiToken.id == int(named)
        if named.isdecimal()
        else ApiToken.prefix == named.removesuffix("...")
    )
    rows = session().scalars(select(ApiToken).where(ApiToken.tenant_id == tenant_id, called)).all()
    if len(rows) != 1:
        reason = "there are several tokens" if rows else "there is no token"
        raise LookupError(f"{reason} {named!r} in this tenant")
    return rows[0]
