"""Mail to a real SMTP server on this machine."""

from __future__ import annotations

import traceback

import pytest
from flask import current_app
from sqlalchemy import update
from sqlalchemy.orm import Session

from jobs import notifications
from noc.extensions import queue, settings
from noc.fraud.retraining.signals import training_keeps_failing
from noc.identity.models import Tenant
from noc.notifications.mail import MailFailed, send
from noc.settings import load_settings
from noc.smtp_url import read_smtp_url
from tests.factories import NOW, Make
from tests.notifications.conftest import Inbox


def test_a_message_arrives_and_nobody_sees_the_others(smtp: str, inbox: Inbox) -> None:
    send(smtp, ["a@acme.example", "b@acme.example"], "Grüße", "Drei Zeilen:\nä\n.\nEnde\n")

    ((recipients, message),) = inbox.taken
    assert recipients == ["a@acme.example", "b@acme.example"]
    assert "a@acme.example" not in str(message["To"])
    assert message["From"] == "NOC Intelligence <noc@127.0.0.1>"
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n") == "Drei Zeilen:\nä\n.\nEnde\n"


def test_what_the_server_does_not_take_has_failed(smtp: str, inbox: Inbox) -> None:
    inbox.refuses = True
    with pytest.raises(MailFailed, match="SMTPDataError"):
        send(smtp, ["a@acme.example"], "x", "y")


def test_a_password_is_never_sent_in_the_open(smtp: str, inbox: Inbox) -> None:
    with pytest.raises(MailFailed, match="SMTPNotSupportedError") as failed:
        send(smtp.replace("//", "//noc:secret@"), ["a@acme.example"], "x", "y")
    assert "secret" not in str(failed.value)
    assert not inbox.taken


def test_nobody_there_has_failed() -> None:
    with pytest.raises(MailFailed):
        send("smtp://127.0.0.1:1", ["a@acme.example"], "x", "y")


UNREADABLE = [
    "http://x", "smtp://", "mail.example", "smtp://mail.example:port",
    # As people paste a password: everything before its first odd character looks like a port.
    "smtp://noc:geheim/wort@mail.example:587", "smtp://noc:geheim#wort@mail.example",
    "smtp://noc:geheim?wort@mail.example", "smtp://noc:465/geheim@mail.example",
    "smtp://noc:geheim[wort@mail.example", "smtp://noc:geheim\u2100@mail.example",
    "smtp://noc:gehe%C3%ADm@mail.example",
]  # fmt: skip


@pytest.mark.parametrize("url", [*UNREADABLE, ""])
def test_a_url_of_something_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        send(url, ["a@acme.example"], "x", "y")
    assert "gehe" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("url", UNREADABLE)
def test_settings_with_such_a_url_are_refused_when_they_are_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        load_settings()
    told = "".join(traceback.format_exception(refused.value))
    assert "gehe" not in told
    assert "noc:" not in told


def test_what_is_escaped_arrives_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "smtps://ops%40acme.example:a%2Fb%23c%3Fd%25@mail.example"
    monkeypatch.setenv("SMTP_URL", url)
    assert load_settings().smtp_url == url

    server = read_smtp_url(url)

    assert (server.host, server.port) == ("mail.example", 465)
    assert (server.user, server.password) == ("ops@acme.example", "a/b#c?d%")
    assert "a/b" not in repr(server)


def test_the_servers_words_are_not_kept(smtp: str, inbox: Inbox) -> None:
    inbox.refuses = True
    with pytest.raises(MailFailed) as failed:
        send(smtp, ["a@acme.example"], "x", "y")
    assert "try later" not in "".join(traceback.format_exception(failed.value))


@pytest.fixture
def configured(smtp: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application mails through the server."""
    changed = settings().model_copy(update={"smtp_url": smtp})
    monkeypatch.setitem(current_app.config, "NOC_SETTINGS", changed)


def fail_twice(make: Make) -> None:
    training_keeps_failing.send(
        "fraud", tenant_id=make.tenant_id, reasons=["Recall is 0.40.", "72 verdicts."], now=NOW
    )


@pytest.mark.usefixtures("configured")
def test_the_admins_are_told_of_trainings_that_keep_failing(
    make: Make, session: Session, inbox: Inbox
) -> None:
    first, second = make.user("admin"), make.user("admin")
    make.user("admin", active=False)
    make.user("security_manager")
    fail_twice(make)
    assert queue("reports").count == 0
    session.commit()

    (job,) = queue("reports").jobs
    assert job.func_name == "jobs.notifications.mail_admins"
    assert notifications.mail_admins(*job.args) == 2
    ((recipients, message),) = inbox.taken
    assert recipients == [first.email, second.email]
    assert "could not be renewed" in message["Subject"]
    body = message.get_payload()
    assert "The latest: Recall is 0.40." in str(body)
    assert "The one before: 72 verdicts." in str(body)


@pytest.mark.usefixtures("configured")
def test_nobody_of_a_simulated_tenant_is_mailed(make: Make, session: Session, inbox: Inbox) -> None:
    make.user("admin")
    session.execute(update(Tenant).values(simulated={"complete": True}))
    session.commit()

    assert notifications.mail_admins(make.tenant_id, "x", "y") == 0
    assert not inbox.taken


def test_without_a_server_nothing_is_sent_and_nothing_breaks(make: Make, session: Session) -> None:
    make.user("admin")
    session.commit()

    assert notifications.mail_admins(make.tenant_id, "x", "y") == 0


def test_what_is_rolled_back_mails_nobody(make: Make, session: Session) -> None:
    fail_twice(make)
    session.rollback()

    assert queue("reports").count == 0
