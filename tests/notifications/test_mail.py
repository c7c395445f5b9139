"""Mail to a real SMTP server on this machine."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from flask import current_app
from sqlalchemy import update
from sqlalchemy.orm import Session

from jobs import notifications
from noc.extensions import queue, settings
from noc.fraud.retraining.signals import training_keeps_failing
from noc.identity.models import Tenant
from noc.notifications.mail import MailFailed, Refused, send
from noc.settings import load_settings
from noc.smtp_url import BadSmtpUrl, read_smtp_url
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


class Words:
    """A mail server that says what it is told to, connection by connection."""

    def __init__(self, **answers: str) -> None:
        self.answers = {"banner": "220 x", "EHLO": "250 x", "MAIL": "250 x", "RCPT": "250 x"}
        self.answers |= {"DATA": "354 x", ".": "250 x", "QUIT": "221 x"} | answers
        self.heard: list[str] = []
        self.dribbles = False

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            self._say(connection, "banner")
            data = False
            for line in lines:
                words = line.decode().rstrip()
                self.heard.append(words)
                command = words[:4].strip().upper()
                if data and words != ".":
                    continue
                data = command == "DATA"
                self._say(connection, "RCPT2" if self._other(words) else command)

    def _other(self, words: str) -> bool:
        return "RCPT2" in self.answers and words.upper().startswith("RCPT") and "b@" in words

    def _say(self, connection: socket.socket, command: str) -> None:
        words = self.answers.get(command, "502 x").encode() + b"\r\n"
        for at in range(0, len(words), 1):
            connection.sendall(words[at : at + 1])
            while self.dribbles:
                connection.sendall(b"2")
                time.sleep(0.05)


@contextmanager
def speaking(server: Words) -> Iterator[str]:
    """Its URL while it listens."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                server.talk(listener.accept()[0])

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.dribbles = False
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_server_that_never_comes_to_an_end_is_given_up_in_time() -> None:
    server = Words()
    server.dribbles = True
    began = time.monotonic()
    with speaking(server) as url, pytest.raises(MailFailed, match="not done within") as failed:
        send(url, ["a@acme.example"], "x", "y", timeout=0.3)
    assert time.monotonic() - began < 20, "left alone it never ends"
    assert not failed.value.permanent
    deadline = time.monotonic() + 20
    while any(thread.name == "mail" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread that waited ends with the wait"
        time.sleep(0.01)


@pytest.mark.parametrize("goodbye", ["421 closing", "500 what?"])
def test_what_was_taken_is_not_sent_again_for_a_bad_goodbye(goodbye: str) -> None:
    with speaking(Words(QUIT=goodbye)) as url:
        assert send(url, ["a@acme.example"], "x", "y") == Refused()


@pytest.mark.parametrize(
    ("answers", "permanent"),
    [
        ({"RCPT": "550 nobody"}, True),
        ({"RCPT": "450 later"}, False),
        ({"RCPT": "550 nobody", "RCPT2": "450 later"}, False),
        ({".": "554 no"}, True),
        ({".": "452 full"}, False),
        ({"MAIL": "550 not you"}, False),
    ],
)
def test_only_what_will_never_be_taken_is_given_up(
    answers: dict[str, str], permanent: bool
) -> None:
    with speaking(Words(**answers)) as url, pytest.raises(MailFailed) as failed:
        send(url, ["a@acme.example", "b@acme.example"], "x", "y")
    assert failed.value.permanent is permanent


@pytest.mark.parametrize(
    ("words", "refused"),
    [("450 later", Refused(0, ("b@acme.example",))), ("550 nobody", Refused(1))],
)
def test_whom_the_server_refuses_is_told(words: str, refused: Refused) -> None:
    server = Words(RCPT2=words)
    with speaking(server) as url:
        assert send(url, ["a@acme.example", "b@acme.example"], "x", "y") == refused
    assert "." in server.heard


def test_an_address_that_the_server_cannot_be_told_does_not_keep_it_from_the_others() -> None:
    server = Words()
    with speaking(server) as url:
        assert send(url, ["a@acme.example", "büro@acme.example"], "x", "y") == Refused(1)
        with pytest.raises(MailFailed) as failed:
            send(url, ["büro@acme.example"], "x", "y")
    assert failed.value.permanent
    assert "rcpt TO:<a@acme.example>" in server.heard


def test_a_server_is_named_by_its_address_of_ipv6() -> None:
    with pytest.raises(MailFailed):
        send("smtp://[::1]:1", ["a@acme.example"], "x", "y")


@pytest.mark.parametrize("user", ["x%40y%40z", "we%20ird%40x", "a%3Cb%40c"])
def test_a_user_that_is_no_sender_is_a_fault_of_the_setting(user: str) -> None:
    with pytest.raises(BadSmtpUrl, match="SMTP_URL") as refused:
        send(f"smtp://{user}@127.0.0.1:1", ["a@acme.example"], "x", "y")
    assert "ird" not in str(refused.value)


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
