"""What ``SMTP_URL`` says, taken apart where none of its errors repeats the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
"""The ports of the schemes, where the URL has none."""


class BadSmtpUrl(ValueError):
    """SMTP_URL cannot be used; the message names the setting and never its content."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server, and who signs in there: nobody where ``user`` is empty."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


def read_smtp_url(url: str) -> SmtpServer:
    """The server in ``smtp[s]://[user:password@]host[:port]``; :class:`BadSmtpUrl` otherwise.

    User and password are percent-decoded. An unescaped ``/``, ``#`` or ``?`` ends the host for
    every reader of URLs: the rest of the password would be a path, and its beginning a port.
    """
    try:
        where = urlsplit(url)
        host, port = where.hostname, where.port
        user, password = unquote(where.username or ""), unquote(where.password or "")
    except ValueError:
        # From None: Python's words for a bad port or host are a part of the password here.
        raise _bad() from None
    rest = where.path.removeprefix("/") or where.query or where.fragment
    if where.scheme not in PORTS or not host or rest:
        raise _bad()
    if not (user.isascii() and password.isascii()):
        raise BadSmtpUrl("SMTP_URL: user and password may have ASCII characters only")
    return SmtpServer(where.scheme, host, port or PORTS[where.scheme], user, password)


def _bad() -> BadSmtpUrl:
    return BadSmtpUrl(
        "SMTP_URL must look like smtp://user:password@host:port; write / # ? @ : % in the user or "
        "the password as %2F %23 %3F %40 %3A %25"
    )
