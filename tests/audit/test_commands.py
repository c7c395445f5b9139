"""``noc audit run``: one site, one time, on history too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from apiflask import APIFlask
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.audit.commands import audit
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.tickets.models import Ticket
from tests.audit.conftest import HOUR, on_post
from tests.factories import Make

Run = Callable[..., Result]


@pytest.fixture
def run(app: APIFlask, session: Session) -> Run:
    def invoke(*words: str) -> Result:
        session.commit()
        return app.test_cli_runner().invoke(audit, ["run", "--tenant", "acme", *words])

    return invoke


def test_it_says_what_it_found_and_stores_it(run: Run, make: Make, session: Session) -> None:
    post = on_post(make, since=utcnow() - 3 * HOUR)
    on_post(make, since=utcnow() - 3 * HOUR)

    result = run("--site", post.site.code, "--heartbeat")

    assert result.exit_code == 0, result.output
    assert "1 on duty, 1 findings, 1 of them new" in result.stdout
    assert f"HIGH     DEVICE_SILENT     {post.person.name} is silent" in result.stdout
    assert "1 escalated" in result.stdout
    assert session.scalars(select(Finding.person_id)).all() == [post.person.id]
    assert len(session.scalars(select(Ticket.id)).all()) == 1
    again = run("--site", str(post.site.id), "--heartbeat")
    assert "1 findings, 0 of them new" in again.stdout


def test_history_is_looked_at_without_tickets(run: Run, make: Make, session: Session) -> None:
    at = utcnow() - dt.timedelta(days=40)
    on_post(make, since=at - 3 * HOUR)

    result = run("--at", at.isoformat())

    assert result.exit_code == 0, result.output
    assert "A look back: no alerts, no tickets." in result.stdout
    assert session.scalars(select(Finding.detected_at)).all() == [at]
    assert session.scalars(select(Ticket.id)).all() == []


def test_a_dry_run_stores_nothing(run: Run, make: Make, session: Session) -> None:
    on_post(make, since=utcnow() - 3 * HOUR)

    result = run("--dry-run")

    assert "1 findings." in result.stdout
    assert session.scalars(select(Finding.id)).all() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--site", "NOWHERE"), "there is no site 'NOWHERE'"),
        (("--site", "9" * 30), "there is no site"),
        (("--at", "yesterday"), "is not a time of ISO 8601"),
        (("--at", "2026-11-16T09:00:00"), "needs a zone"),
        (("--at", "2199-01-01T00:00:00Z"), "lies in the future"),
        (("--at", "0001-01-01T00:00:00Z"), "must lie between"),
        (("--tenant", "nobody"), "there is no tenant 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    run: Run, make: Make, words: tuple[str, ...], said: str
) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
