"""Where notifications may go: not into our own network, whatever a name says."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from noc.database.base import utcnow
from noc.identity.words import BadField
from noc.notifications import http, targets
from noc.notifications.targets import Unreachable, checked_url, is_public, masked_url, take_apart
from tests.notifications.conftest import Desk, Receiver

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:0:0:0:0:80ff:fffe", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::a00:1", "fec0::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_are_not_somebody_elses_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_addresses_on_the_internet_are_taken(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"])
def test_nothing_is_sent_into_our_own_network(desk: Desk, receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    route = desk.route(f"http://{host}:{port}/admin")
    desk.alert()
    assert desk.send(route) == ["dead"]
    assert desk.deliveries(route)[0].last_error == "the host has an address that is not public"
    assert receiver.received == []


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names lead to these addresses, one list after another; what is connected to."""
    waiting, connected = list(answers), []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host.replace(".", "").isdecimal():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in waiting.pop(0)]

    def connection(where: Any, address: str) -> Any:
        connected.append(address)
        raise OSError("no network here")

    monkeypatch.setattr(targets.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(http, "_connection", connection)
    return connected


def post(url: str) -> None:
    http.post(url, b"{}", {}, private=False, now=utcnow())


def test_one_address_inside_forbids_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving_to(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(Unreachable, match="not public") as refused:
        post("https://hooks.example/x")
    assert refused.value.permanent
    assert connected == []


def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads inside when it is asked a second time is not asked a second time."""
    connected = resolving_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(Unreachable, match="OSError"):
        post("https://hooks.example/x")
    assert connected == ["93.184.216.34"]


def test_a_name_that_is_not_found_may_be_found_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(targets.socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="not found") as failed:
        post("https://hooks.example/x")
    assert not failed.value.permanent


def test_the_host_that_was_meant_is_named(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    answer = http.post(f"{url}/a?b=c", b"{}", {}, private=True, now=utcnow())
    assert answer.status == 204
    (request,) = receiver.received
    assert request.headers["host"] == url.removeprefix("http://")
    assert request.path == "/a?b=c"


UNUSABLE = [
    "", "hooks.example", "ftp://hooks.example/x", "file:///etc/passwd", "gopher://x/", "http://",
    "https:///x", "http://user:geheim@hooks.example/", "http://geheim@hooks.example/",
    "http://hooks.example/#geheim", "http://hooks.example/ge heim", "http://hooks.example:geheim/",
    "http://hooks.example:0/", "http://hooks.example\\geheim", "http://h\u00f6ks.example/",
    "http://[geheim/", "http://hooks.example/\r\nX: geheim", "javascript:alert(1)",
    "https://hooks.example/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadField) as refused:
        checked_url(url)
    assert refused.value.field == "url"
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/geheim", "https://hooks.slack.com/***"),
        ("https://hooks.example:8443/?key=geheim", "https://hooks.example:8443/***"),
        ("http://hooks.example", "http://hooks.example/"),
        ("http://[::1]:80/", "http://[::1]:80/"),
    ],
)
def test_of_a_url_only_where_it_leads_is_shown(url: str, shown: str) -> None:
    assert masked_url(checked_url(url)) == shown
    assert take_apart(url).host in shown
