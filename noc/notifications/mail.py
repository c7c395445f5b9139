"""Mail by SMTP: one message, to people, bounded in time whatever the server does."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from noc.smtp_url import BadSmtpUrl, SmtpServer, read_smtp_url

TIMEOUT_SECONDS = 20.0
"""For all of it together: a server that says a byte now and then passes every single step."""

STEP_SECONDS = 10.0
SENDER = "NOC Intelligence"


class MailFailed(Exception):
    """The message was not taken. ``permanent`` where sending it again cannot help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Refused:
    """Whom the server did not take beside those it took: how many for good, and who for now."""

    for_good: int = 0
    for_now: tuple[str, ...] = ()


@dataclass(slots=True)
class _Attempt:
    where: SmtpServer
    recipients: Sequence[str]
    message: EmailMessage
    server: smtplib.SMTP | None = None
    refused: Refused | None = None
    error: Exception | None = None
    given_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self._connect()
            self.refused = self._send()
        except Exception as error:  # handed to whoever waits, in whose thread it is judged
            self.error = error
        finally:
            # What it says to the goodbye changes nothing: the message is taken, or it is not.
            if self.server is not None:
                with suppress(smtplib.SMTPException, OSError):
                    self.server.quit()
                self.server.close()

    def _connect(self) -> None:
        context, where = ssl.create_default_context(), self.where
        if where.scheme == "smtps":
            _noted(smtplib.SMTP_SSL, self, context=context)
            server = self._wanted()
        else:
            _noted(smtplib.SMTP, self)
            server = self._wanted()
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif where.password:
                raise smtplib.SMTPNotSupportedError("no password without TLS")
        if where.user:
            server.login(where.user, where.password)

    def _send(self) -> Refused:
        """Hand it over; whom of the recipients the server does not take."""
        server = self._wanted()
        server.ehlo_or_helo_if_needed()
        recipients = list(self.recipients)
        if not server.has_extn("smtputf8"):
            # One address that it cannot be told must not keep the message from the others.
            recipients = [one for one in recipients if one.isascii()]
        if not recipients:
            raise smtplib.SMTPRecipientsRefused(dict.fromkeys(self.recipients, (553, b"")))
        refused = server.send_message(self.message, to_addrs=recipients)
        for_now = tuple(one for one, (code, _) in refused.items() if code < 500)
        return Refused(
            len(self.recipients) - len(recipients) + len(refused) - len(for_now), for_now
        )

    def _wanted(self) -> smtplib.SMTP:
        if self.server is None or self.given_up.is_set():
            raise smtplib.SMTPServerDisconnected("given up")
        return self.server

    def give_up(self) -> None:
        """Wake the thread that still waits for the server, so that it ends."""
        self.given_up.set()
        sock = None if self.server is None else getattr(self.server, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def send(
    url: str,
    recipients: Sequence[str],
    subject: str,
    body: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Refused:
    """Send one message to all ``recipients``, who do not see each other; who was refused.

    ``url`` is ``smtp://[user:password@]host[:port]`` (STARTTLS where the server offers it, always
    before a password is sent) or ``smtps://...`` (TLS from the start). ``headers`` are added.
    :class:`noc.smtp_url.BadSmtpUrl`, a ValueError, for another URL and one that makes no sender;
    :class:`MailFailed` where the server is not done within ``timeout`` seconds, cannot be reached
    or takes nobody.
    """
    where = read_smtp_url(url)
    message = _message(where, subject, body, headers or {})
    attempt = _Attempt(where, recipients, message)
    thread = threading.Thread(target=attempt.run, name="mail", daemon=True)
    thread.start()
    thread.join(timeout)
    late = thread.is_alive()
    if late:
        attempt.give_up()
    # Taken is taken, though the server be slow to say goodbye.
    if attempt.refused is not None:
        return attempt.refused
    if late:
        raise MailFailed(f"not done within {timeout:g} seconds")
    raise _in_our_words(attempt.error)


def _message(
    where: SmtpServer, subject: str, body: str, headers: Mapping[str, str]
) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    try:
        message["From"] = Address(SENDER, addr_spec=_sender(where))
    except (MessageError, ValueError):
        # Not all of these are ValueErrors, and they repeat the user.
        raise BadSmtpUrl("SMTP_URL: its user is no mail address that can send") from None
    message["To"] = "undisclosed-recipients:;"
    message["Message-ID"] = make_msgid(domain=_domain(where))
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message


def _sender(where: SmtpServer) -> str:
    return where.user if "@" in where.user else f"noc@{_domain(where)}"


def _domain(where: SmtpServer) -> str:
    """The host as a mail address has it (RFC 5321, 4.1.3)."""
    return f"[IPv6:{where.host}]" if ":" in where.host else where.host


def _noted(kind: type[smtplib.SMTP], attempt: _Attempt, **more: Any) -> None:
    """Connect; the attempt knows the server before its first word, and so can hang up on it."""

    class Noted(kind):  # type: ignore[misc, valid-type]
        def connect(self, *args: Any, **kwargs: Any) -> Any:
            attempt.server = self
            return super().connect(*args, **kwargs)

    Noted(attempt.where.host, attempt.where.port, timeout=STEP_SECONDS, **more)


def _in_our_words(error: Exception | None) -> MailFailed:
    # Never the server's words, nor as a cause that RQ stores: they can repeat what it was sent.
    permanent = False
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        permanent = all(code >= 500 for code, _ in error.recipients.values())
    elif isinstance(error, smtplib.SMTPDataError):
        permanent = error.smtp_code >= 500
    elif isinstance(error, ValueError | TypeError | LookupError):
        permanent = not isinstance(error, OSError)  # a message that cannot be written
    return MailFailed(type(error).__name__, permanent=permanent)
