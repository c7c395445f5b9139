"""Where notifications go: addresses as they are typed, shown without their secrets, and refused."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from noc.identity.words import BadField, email_address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}

_LONGEST = 2000
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given to anybody (RFC 4291; IANA). What lies outside stands for an IPv4

address (compatible, translated, NAT64), is nobody's yet, or was a site's own (fec0::/10).
"""


class Unreachable(Exception):
    """The target could not be asked. ``permanent`` where asking again cannot help.

    The message is in our own words: neither an address nor what the other side said.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Where:
    """A URL taken apart; ``path`` with its query."""

    scheme: str
    host: str
    port: int
    path: str


def checked_url(value: str) -> str:
    """``value``, if a webhook can live there; BadField, which does not repeat it, otherwise."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise BadField("url", "is not a URL") from None
    reason = _refusal(value, url)
    if reason is None and port == 0:
        reason = "has a port that cannot be"
    if reason:
        raise BadField("url", reason)
    return value


def _refusal(value: str, url: SplitResult) -> str | None:
    if url.scheme not in PORTS:
        return "must begin with https:// or http://"
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return "must be ASCII without blanks; write other characters percent-encoded"
    if not url.hostname:
        return "has no host"
    if url.username is not None or url.password is not None:
        return "must not have a user or a password in it; the signature says who sends"
    if url.fragment:
        return "must not have a fragment"
    if len(value) > _LONGEST:
        return f"must not be longer than {_LONGEST} characters"
    return None


def masked_url(url: str) -> str:
    """The URL as it is shown: where, but not the path or query, which often are the secret."""
    parts = urlsplit(url)
    hidden = "/***" if parts.path.strip("/") or parts.query else "/"
    return f"{parts.scheme}://{parts.netloc}{hidden}"


def checked_addresses(values: list[str]) -> list[str]:
    """The mail addresses, each once; BadField for one that is none."""
    try:
        addresses = list(dict.fromkeys(email_address(value) for value in values))
    except BadField as error:
        raise BadField("addresses", str(error)) from error
    for address in addresses:
        # Of "a,b@x" the library would mail to "a": what it reads otherwise is no single address.
        if smtplib.quoteaddr(address) != f"<{address}>":
            raise BadField("addresses", f"{address!r} is not one e-mail address")
    return addresses


def take_apart(url: str) -> Where:
    """A stored URL in its parts."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Where(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], path)


def resolve(where: Where, *, private: bool, loopback_only: bool = False) -> list[str]:
    """The addresses of the host, all of which we may talk to.

    Asked at each attempt, and the answer is what is connected to: a name that leads somewhere
    else a moment later (DNS rebinding) leads nowhere. One forbidden address forbids all. Without
    ``private`` only public addresses are allowed; with ``loopback_only`` nothing but this machine.
    :class:`Unreachable` otherwise.
    """
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("the host's name was not found") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        parsed = ipaddress.ip_address(address.partition("%")[0])
        if loopback_only and not _embedded(parsed).is_loopback:
            raise Unreachable(
                "a simulated company sends nothing that leaves this machine", permanent=True
            )
        if not (private or loopback_only or is_public(parsed)):
            raise Unreachable("the host has an address that is not public", permanent=True)
    return addresses


def is_public(address: Address) -> bool:
    """Whether the address is somebody's on the Internet, and so nobody's in our own network."""
    inner = _embedded(address)
    if isinstance(inner, ipaddress.IPv6Address) and inner not in _GLOBAL_UNICAST:
        return False
    return inner.is_global and not inner.is_multicast


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does: the packets go there."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo[1] if address.teredo else None
        return address.ipv4_mapped or address.sixtofour or teredo or address
    return address
