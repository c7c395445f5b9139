"""Refusals are RFC 9457 problem+json, whatever went wrong."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from noc.extensions import db, session
from tests.conftest import ApiClient
from tests.problems import assert_problem


@pytest.fixture
def failing(app: APIFlask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """Whoever puts an exception in makes ``GET people/`` raise it."""
    planned: list[Exception] = []
    view = app.view_functions["workforce.people_list"]

    def fail(*args: object, **kwargs: object) -> object:
        if planned:
            raise planned[0]
        return view(*args, **kwargs)

    monkeypatch.setitem(app.view_functions, "workforce.people_list", fail)
    return planned


def test_an_unknown_path_is_not_found(client: FlaskClient) -> None:
    assert_problem(client.get("/api/v2/noc/nothing/"), 404)


def test_another_method_is_answered_with_those_there_are(api: ApiClient) -> None:
    response = api.post("me/")
    assert_problem(response, 405)
    assert "GET" in response.headers["Allow"]


def test_a_body_over_the_limit_is_too_large(
    api: ApiClient, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 64)
    body = {"name": "x" * 100, "capabilities": ["noc:view"]}
    assert_problem(api.post("tokens/", json=body), 413)


def test_a_body_that_is_not_json_is_malformed(api: ApiClient) -> None:
    for content in ("{", "", "\xff"):
        response = api.post("tokens/", data=content, content_type="application/json")
        assert_problem(response, 400)


def test_json_of_another_shape_names_the_body(api: ApiClient) -> None:
    for content in ([], "text", 7):
        assert_problem(api.post("tokens/", json=content), 422, body="")


def test_what_nobody_expected_tells_no_internals(
    api: ApiClient, failing: list[Exception], client: FlaskClient
) -> None:
    failing.append(RuntimeError("the password is swordfish"))
    with structlog.testing.capture_logs() as lines:
        problem = assert_problem(api.get("people/"), 500)
    assert "swordfish" not in str(problem)
    assert "Traceback" not in str(problem)
    assert [line["error_type"] for line in lines if line["event"] == "request_failed"] == [
        "RuntimeError"
    ]


def test_two_requests_that_waited_for_each_other_are_told_to_try_again(
    api: ApiClient, failing: list[Exception]
) -> None:
    failing.append(OperationalError("UPDATE", {}, psycopg.errors.DeadlockDetected("deadlock")))
    response = api.get("people/")
    problem = assert_problem(response, 503)
    assert "Somebody else" in problem["detail"]
    assert response.headers["Retry-After"] == "1"


def test_a_database_that_cannot_be_reached_is_busy(
    api: ApiClient, failing: list[Exception]
) -> None:
    failing.append(OperationalError("SELECT 1", {}, Exception("connection refused")))
    response = api.get("people/")
    assert_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def test_a_failed_statement_does_not_break_the_next_request(
    api: ApiClient, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = app.view_functions["workforce.people_list"]

    def fail() -> object:
        session().execute(text("SELECT 1 / 0"))
        raise AssertionError("the statement fails")

    monkeypatch.setitem(app.view_functions, "workforce.people_list", fail)
    assert_problem(api.get("people/"), 422)
    monkeypatch.setitem(app.view_functions, "workforce.people_list", view)
    assert api.get("people/").status_code == 200


def test_statements_are_logged_without_their_values(app: APIFlask, client: FlaskClient) -> None:
    assert db.engine.engine.hide_parameters


def test_a_read_costs_the_same_few_statements_every_time(api: ApiClient) -> None:
    api.get("people/")
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(db.engine.engine, "before_cursor_execute", note)
    try:
        api.get("people/")
    finally:
        event.remove(db.engine.engine, "before_cursor_execute", note)
    asked = [line for line in seen if "set_config" not in line and "SAVEPOINT" not in line]
    assert len(asked) == 2, asked  # who asks, and what


@pytest.mark.parametrize("path", ["/api/v2/noc/me/", "/healthz", "/login", "/api/docs", "/nothing"])
def test_every_answer_tells_browsers_what_not_to_do(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_data_is_neither_run_nor_kept_by_browsers(api: ApiClient) -> None:
    headers = api.get("me/").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_behind_tls_browsers_are_told_to_stay_there(client: FlaskClient) -> None:
    headers = client.get("/healthz", base_url="https://noc.example").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
