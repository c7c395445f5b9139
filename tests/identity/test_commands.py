"""``noc tenants``, ``noc users`` and ``noc tokens``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from apiflask import APIFlask
from click.testing import Result
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc import create_app
from noc.identity import tokens as api_tokens
from noc.identity.commands import tenants, tokens, users
from noc.identity.models import ApiToken, User, UserSession
from noc.identity.users import create_user
from noc.settings import Settings
from tests.factories import Make
from tests.identity.conftest import PASSWORD

Run = Callable[..., Result]


@pytest.fixture
def run(app: APIFlask, make: Make, session: Session) -> Run:
    """Runs a command in the test's transaction."""

    def invoke(group: click.Group, *words: Any, stdin: str | None = None) -> Result:
        session.commit()
        return app.test_cli_runner().invoke(group, [str(word) for word in words], input=stdin)

    return invoke


def refused(result: Result, *words: str) -> None:
    """One line that says why, on standard error, with exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    for word in words:
        assert word in error
    assert "Traceback" not in result.stderr


def test_a_token_stands_alone_on_standard_output(run: Run, make: Make) -> None:
    result = run(
        tokens, "create", "--tenant", "acme", "--capability", "noc:view", "--capability",
        "noc:ingest", "--name", "monitors", "--days", "30",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    secret = result.stdout.strip()
    assert result.stdout == f"{secret}\n"
    found = api_tokens.find(secret)
    assert found is not None
    assert found.capabilities == {"noc:view", "noc:ingest"}
    assert found.tenant_id == make.tenant_id
    assert secret not in result.stderr
    assert "not shown again" in result.stderr


def test_a_tenant_goes_by_its_id_too(run: Run, make: Make) -> None:
    result = run(tokens, "create", "--tenant", make.tenant_id, "--capability", "admin")
    assert result.exit_code == 0, result.stderr


def test_an_unknown_tenant_is_told_with_those_there_are(run: Run) -> None:
    refused(
        run(tokens, "create", "--tenant", "nobody", "--capability", "admin"), "'nobody'", "acme"
    )
    refused(run(users, "list", "--tenant", "nobody"), "'nobody'")


def test_an_unknown_capability_is_told_with_those_there_are(run: Run) -> None:
    refused(run(tokens, "create", "--tenant", "acme", "--capability", "root"), "noc:ingest")
    assert run(tokens, "create", "--tenant", "acme").exit_code == 2


def test_tokens_are_listed_by_their_beginning_and_revoked(
    run: Run, make: Make, session: Session
) -> None:
    token, secret = api_tokens.create(make.tenant_id, "monitors", ["noc:view"])
    listed = run(tokens, "list", "--tenant", "acme").stdout
    assert f"{token.prefix}..." in listed
    assert secret not in listed
    assert run(tokens, "revoke", "--tenant", "acme", f"{token.prefix}...").exit_code == 0
    session.refresh(token)
    assert token.revoked_at is not None
    assert run(tokens, "revoke", "--tenant", "acme", token.id).exit_code == 0
    refused(run(tokens, "revoke", "--tenant", "acme", "999999"), "no token")


def test_a_tenant_is_made_once(run: Run) -> None:
    made = run(tenants, "create", "harbour", "--name", "Harbour Guarding")
    assert made.exit_code == 0, made.stderr
    assert made.stdout.strip().isdecimal()
    assert "Harbour Guarding" in run(tenants, "list").stdout
    refused(run(tenants, "create", "harbour"), "already")
    refused(run(tenants, "create", "7seas"), "slug")
    refused(run(tenants, "create", "Harbour"), "slug")
    refused(run(tenants, "create", "harbour2\n"), "slug")
    refused(run(tenants, "create", "quay", "--name", "Quay \u202eyauq"), "one line")


def test_a_user_is_made_with_a_password_from_standard_input(
    run: Run, make: Make, session: Session
) -> None:
    site = make.site()
    result = run(
        users, "create", "--tenant", "acme", "--email", "Olga@Acme.example", "--name", "Olga",
        "--role", "security_manager", "--site", site.id, "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    user = session.scalars(select(User)).one()
    assert (user.email, user.role) == ("olga@acme.example", "security_manager")
    assert PASSWORD not in result.output


def test_without_a_terminal_the_password_is_not_waited_for(run: Run) -> None:
    words = ("--tenant", "acme", "--email", "o@acme.example", "--name", "Olga")
    refused(run(users, "create", *words), "--password-stdin")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--password", "short"), "at least 8"),
        (("--password", "o@acme.example"), "own name or address"),
        (("--password", PASSWORD, "--site", "999999"), "no site 999999"),
        (("--password", PASSWORD, "--email", "not an address"), "not an e-mail address"),
        (("--password", PASSWORD, "--name", " "), "name"),
        (("--password", PASSWORD, "--role", "king"), "security_manager"),
    ],
)
def test_a_user_that_cannot_be_is_refused_in_one_line(
    run: Run, session: Session, more: tuple[str, ...], word: str
) -> None:
    words = ("--tenant", "acme", "--email", "o@acme.example", "--name", "Olga")
    refused(run(users, "create", *words, *more), word)
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_an_address_is_taken_once_over_all_tenants(run: Run, operator: User) -> None:
    assert run(tenants, "create", "other").exit_code == 0
    words = ("--email", operator.email, "--name", "Olga", "--password", PASSWORD)
    refused(run(users, "create", "--tenant", "other", *words), "cannot be the address")


def test_users_are_listed_deactivated_and_given_new_passwords(
    run: Run, make: Make, session: Session
) -> None:
    user = create_user(make.tenant_id, "olga@acme.example", "Olga", "operator", PASSWORD)
    api_tokens.create(make.tenant_id, "hers", ["noc:view"], created_by=user.id)
    assert "olga@acme.example" in run(users, "list", "--tenant", "acme").stdout
    changed = run(
        users, "set-password", "--tenant", "acme", "olga@acme.example", "--password-stdin",
        stdin="another good one\n",
    )  # fmt: skip
    assert changed.exit_code == 0, changed.stderr
    ended = run(users, "deactivate", "--tenant", "acme", "OLGA@acme.example")
    assert ended.exit_code == 0, ended.stderr
    assert "still work: 1" in ended.stderr
    session.refresh(user)
    assert not user.active
    refused(run(users, "deactivate", "--tenant", "acme", "nobody@acme.example"), "no user")
    assert session.scalar(select(func.count()).select_from(ApiToken)) == 1
    assert session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_without_a_database_it_says_so_in_one_line(app: APIFlask, config: Settings) -> None:
    nowhere = create_app(
        config.model_copy(update={"database_url": "postgresql+psycopg://x:y@127.0.0.1:1/noc"})
    )
    for group, words in ((tenants, ["list"]), (users, ["list", "--tenant", "acme"])):
        result = nowhere.test_cli_runner().invoke(group, words)
        refused(result, "the database cannot be reached", "noc up")


def test_a_sign_in_link_stands_alone_on_standard_output(
    run: Run, make: Make, client: FlaskClient
) -> None:
    user = make.user()
    result = run(users, "link", user.email, "--tenant", "acme", "--url", "http://localhost:8000/")
    assert result.exit_code == 0, result.stderr
    link = result.stdout.strip()
    assert link.startswith("http://localhost:8000/login?link=")
    assert client.get(link.removeprefix("http://localhost:8000")).status_code == 303
