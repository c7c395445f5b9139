"""Mail by SMTP: one message, to people, with a timeout on every step."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid

from noc.smtp_url import SmtpServer, read_smtp_url

TIMEOUT_SECONDS = 20
SENDER = "NOC Intelligence"


class MailFailed(Exception):
    """The message was not taken; sending it again later may help."""


def send(
    url: str,
    recipients: Sequence[str],
    subject: str,
    body: str,
    *,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send one message to all ``recipients``, who do not see each other.

    ``url`` is ``smtp://[user:password@]host[:port]`` (STARTTLS where the server offers it, always
    before a password is sent) or ``smtps://...`` (TLS from the start). ``headers`` are added.
    :class:`noc.smtp_url.BadSmtpUrl`, a ValueError, for another URL; :class:`MailFailed` where the
    server cannot be reached or takes nobody. Whom it refuses beside others it takes is left to
    the server's own report.
    """
    where = read_smtp_url(url)
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = Address(SENDER, addr_spec=_sender(where))
    message["To"] = "undisclosed-recipients:;"
    message["Message-ID"] = make_msgid(domain=where.host)
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    try:
        with _connect(where) as server:
            server.send_message(message, to_addrs=list(recipients))
    except (smtplib.SMTPException, OSError) as error:
        # Never the server's words, nor as a cause that RQ stores: they can repeat what it was sent.
        raise MailFailed(type(error).__name__) from None


def _sender(where: SmtpServer) -> str:
    return where.user if "@" in where.user else f"noc@{where.host}"


def _connect(where: SmtpServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            where.host, where.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(where.host, where.port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif where.password:
            server.close()
            raise smtplib.SMTPNotSupportedError("no password without TLS")
    if where.user:
        server.login(where.user, where.password)
    return server
