"""Log lines: one JSON object each, with the request's id and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient

from noc.monitoring import logs
from noc.settings import Settings
from tests.conftest import ApiClient

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(app: APIFlask, config: Settings) -> Iterator[Lines]:
    """The lines logged since it was asked last, each parsed as JSON."""
    logs.configure(config.model_copy(update={"log_level": "INFO"}))
    (handler,) = (one for one in logging.getLogger().handlers if getattr(one, "noc", False))
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    logs.configure(config)


def only(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    found = [line for line in lines if line["event"] == event]
    assert len(found) == 1, lines
    return found[0]


def test_a_request_is_one_line_with_its_id(client: FlaskClient, lines: Lines) -> None:
    response = client.get("/api/v2/noc/nothing/?secret=1")
    line = only(lines(), "request")
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["method"], line["path"]) == ("GET", "/api/v2/noc/nothing/")
    assert line["status"] == 404
    assert line["ms"] >= 0
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")
    assert "secret" not in json.dumps(line)


def test_an_id_from_outside_is_kept_where_it_is_one(client: FlaskClient, lines: Lines) -> None:
    given = client.get("/nothing", headers={"X-Request-ID": "proxy-12345678"})
    assert given.headers["X-Request-ID"] == "proxy-12345678"
    assert only(lines(), "request")["request_id"] == "proxy-12345678"
    for bad in ("short", "x" * 65, 'a"b\\c{}12345', "with blanks in it"):
        answered = client.get("/nothing", headers={"X-Request-ID": bad})
        assert answered.headers["X-Request-ID"] != bad


def test_one_requests_id_does_not_stick_to_the_next(client: FlaskClient, lines: Lines) -> None:
    first = client.get("/nothing").headers["X-Request-ID"]
    second = client.get("/nothing").headers["X-Request-ID"]
    assert first != second
    assert [line["request_id"] for line in lines()] == [first, second]


def test_probes_and_scrapes_leave_no_line(client: FlaskClient, lines: Lines) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert [line for line in lines() if line["event"] == "request"] == []


def test_neither_token_nor_password_is_in_any_line(
    client: FlaskClient, api: ApiClient, lines: Lines
) -> None:
    api.get("me/")
    client.get("/api/v2/noc/me/", headers={"Authorization": "Bearer noc_not-a-token-at-all"})
    client.post("/login", data={"email": "olga@acme.example", "password": "swordfish"})
    written = json.dumps(lines())
    for secret in (api.headers["Authorization"].split()[1], "not-a-token", "swordfish"):
        assert secret not in written
    assert "Authorization" not in written


def test_what_a_library_lets_slip_is_masked(lines: Lines) -> None:
    token = "noc_" + "a1B2-_" * 8
    logging.getLogger("some.library").warning(
        "retrying redis://user:swordfish@host:6379/0 with Bearer %s", token
    )
    structlog.get_logger("ours").warning("odd", password="swordfish", headers={"Cookie": "x=1"})
    try:
        raise RuntimeError(f"refused {token}")
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")
    written = lines()
    assert token not in json.dumps(written)
    assert "swordfish" not in json.dumps(written)
    assert "x=1" not in json.dumps(written)
    assert written[0]["event"] == "retrying redis://***@host:6379/0 with Bearer ***"
    assert written[0]["logger"] == "some.library"
    assert "RuntimeError" in written[2]["exception"]


def test_a_failure_is_found_by_the_id_that_was_answered(
    app: APIFlask, api: ApiClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("nobody expected this")

    monkeypatch.setitem(app.view_functions, "identity.me", fail)
    answered = api.get("me/").get_json()["request_id"]
    line = only(lines(), "request_failed")
    assert line["request_id"] == answered
    assert "nobody expected this" in line["exception"]
