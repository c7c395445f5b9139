"""Moments, bodies and ids that cannot be are refused by every view in the same way."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from noc.database.base import utcnow
from noc.rest.openapi import API_PREFIX
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.rest.walk import NOTHING, concrete, operations

ODD_MOMENTS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "1763200000",
    "now",
)


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    """The description of the interface."""
    document: dict[str, Any] = client.get("/api/openapi.json").get_json()
    return document


def queries_with(
    app: APIFlask, spec: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]
) -> list[tuple[str, str]]:
    """(path, parameter) of what a GET takes that is ``wanted``."""
    return [
        (concrete(rule), parameter["name"])
        for method, rule, operation in operations(app, spec)
        for parameter in operation.get("parameters", ())
        if method == "get" and parameter["in"] == "query" and wanted(parameter)
    ]


@pytest.mark.parametrize("moment", ODD_MOMENTS)
def test_a_moment_beyond_reason_is_refused_wherever_one_is_asked_for(
    app: APIFlask, api: ApiClient, spec: dict[str, Any], moment: str
) -> None:
    asked = queries_with(app, spec, lambda one: "date-time" in str(one["schema"]))
    assert len(asked) >= 9
    for path, parameter in asked:
        assert_problem(api.get(path, query_string={parameter: moment}), 422, **{parameter: ""})


def cursor_of(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value",
    [
        *(json.dumps([moment, 1]) for moment in ODD_MOMENTS),
        '["2026-01-01T00:00:00Z", "x"]',
        '["2026-01-01T00:00:00Z", {}]',
        f'["2026-01-01T00:00:00Z", {"9" * 40}]',
        "[" * 100_000,
        "{}",
        "id:0x",
        f"id:{'9' * 40}",
    ],
    ids=range(15),
)
def test_a_cursor_that_no_list_gave_out_is_refused_by_every_list(
    app: APIFlask, api: ApiClient, spec: dict[str, Any], value: str
) -> None:
    lists = queries_with(app, spec, lambda one: one["name"] == "cursor")
    assert len(lists) >= 9
    for path, parameter in lists:
        response = api.get(path, query_string={parameter: cursor_of(value)})
        assert_problem(response, 422, cursor="not given out")


START = {"starts_at": "2026-01-01T00:00:00Z"}

WINDOW = {"name": "x", "reason": "x"}

BODIES_WITH_MOMENTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("post", "attendance/events/", "occurred_at", {"person_id": 1, "site_id": 1, "kind": "in"}),
    ("post", "telemetry/events/", "occurred_at", {"kind": "heartbeat", "person_id": 1}),
    ("post", "alerts/", "occurred_at", {"alert_type": "X", "severity": "LOW", "message": "x"}),
    ("post", "alerts/1/shelve/", "until", {}),
    ("post", "alerts/bulk/", "until", {"action": "shelve", "ids": [1]}),
    ("post", "tickets/", "due_at", {"title": "x"}),
    ("post", "tickets/1/priority/", "due_at", {"priority": "HIGH"}),
    ("post", "alerts/suppressions/", "starts_at", WINDOW | {"ends_at": "2026-01-01T00:00:00Z"}),
    ("post", "alerts/suppressions/", "ends_at", WINDOW | START),
    ("post", "tours/1/rounds/", "starts_at", {"external_id": "x", "person_id": 1}),
    ("post", "tours/1/rounds/", "expires_at", {"external_id": "x", "person_id": 1, **START}),
    ("post", "tokens/", "expires_at", {"name": "x", "capabilities": ["noc:view"]}),
    ("put", "shifts/by-code/x/", "starts_at", {"ends_at": "2026-01-01T00:00:00Z"}),
    ("put", "shifts/by-code/x/", "ends_at", START),
    ("put", "absences/by-code/x/", "starts_at", {"ends_at": "2026-01-01T00:00:00Z"}),
    ("put", "absences/by-code/x/", "ends_at", START),
    ("post", "on-call/schedules/1/overrides/", "starts_at", {"ends_at": "2026-01-01T00:00:00Z"}),
    ("post", "on-call/schedules/1/overrides/", "ends_at", START),
]


@pytest.mark.parametrize(("method", "path", "field", "rest"), BODIES_WITH_MOMENTS)
def test_a_moment_beyond_reason_is_refused_in_every_body(
    api: ApiClient, make: Make, method: str, path: str, field: str, rest: dict[str, Any]
) -> None:
    call = api.put if method == "put" else api.post
    tour = api.put("tours/by-code/N1/", json={"name": "x", "site_id": make.site().id})
    path = path.replace("tours/1/", f"tours/{tour.get_json()['data']['id']}/")
    for moment in (*ODD_MOMENTS, 1763200000, -1e308, True):
        assert_problem(call(path, json=rest | {field: moment}), 422, **{field: ""})


def test_every_body_with_a_moment_is_tried(app: APIFlask, spec: dict[str, Any]) -> None:
    tried = {(path.rpartition("/by-code/")[0] or path) for _, path, _, _ in BODIES_WITH_MOMENTS}
    for method, rule, operation in operations(app, spec):
        schema = json.dumps(operation.get("requestBody", {}))
        for schema_name in re.findall(r"#/components/schemas/(\w+)", schema):
            schema += json.dumps(spec["components"]["schemas"][schema_name])
        if '"date-time"' in schema:
            path = concrete(rule, NOTHING | {"int": "1"})
            assert (path.rpartition("/by-code/")[0] or path) in tried, (method, path)


def test_what_is_not_json_is_told_so_wherever_a_body_is_read(
    app: APIFlask, client: FlaskClient, api: ApiClient, spec: dict[str, Any]
) -> None:
    assert len(with_bodies(app, spec)) >= 30
    for method, path, needed in with_bodies(app, spec):
        for content, media_type in (
            (b"{", "application/json"),
            (b"\xff\xfe", "application/json"),
            (b"[" * 100_000, "application/json"),
            (b'{"a": ' + b"9" * 6_000 + b"}", "application/json"),
            (b"nonsense", "text/plain"),
            (b"a=b", "application/x-www-form-urlencoded"),
            (b" ", "application/json"),
            *([(b"", "application/json"), (b"", None)] if needed else []),
        ):
            response = client.open(
                f"{API_PREFIX}/{path}",
                method=method,
                data=content,
                content_type=media_type,
                headers=api.headers,
            )
            problem = assert_problem(response, 400, body="")
            assert problem["detail"] == "The body is not JSON.", (path, content)
            assert [one["field"] for one in problem["errors"]] == ["body"], (path, content)


def test_json_of_another_shape_is_told_so_wherever_a_body_is_read(
    app: APIFlask, client: FlaskClient, api: ApiClient, spec: dict[str, Any]
) -> None:
    batches = {
        concrete(rule)
        for _, rule, operation in operations(app, spec)
        if '"array"' in json.dumps(operation.get("requestBody", {}))
    }
    for method, path, _ in with_bodies(app, spec):
        lists: list[Any] = [] if path in batches else [[], [{}]]
        for value in (3, "x", True, None, *lists):
            response = client.open(
                f"{API_PREFIX}/{path}", method=method, data=json.dumps(value), headers=api.headers
            )
            assert_problem(response, 422, body="object")


def with_bodies(app: APIFlask, spec: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(method, path, whether it must be there) of every operation that reads a body."""
    return [
        (method, concrete(rule), operation["requestBody"]["required"])
        for method, rule, operation in operations(app, spec)
        if "requestBody" in operation
    ]


def test_only_actions_without_a_needed_field_may_leave_the_body_out(
    app: APIFlask, api: ApiClient, spec: dict[str, Any]
) -> None:
    optional = [path for _, path, needed in with_bodies(app, spec) if not needed]
    assert f"alerts/{NOTHING['int']}/acknowledge/" in optional
    assert "tickets/" not in optional
    for path in optional:
        empty, braces = api.post(path), api.post(path, json={})
        assert empty.status_code == braces.status_code
        assert empty.get_json().get("detail") == braces.get_json().get("detail")


ENOUGH: dict[str, dict[str, Any]] = {
    "void": {"reason": "x"},
    "password": {"password": "x" * 12},
    "shelve": {"until": (utcnow() + dt.timedelta(days=1)).isoformat()},
    "resolve": {"resolution": "FIXED"},
    "notes": {"note": "x"},
    "transition": {"status": "ON_HOLD"},
    "comments": {"comment": "x"},
    "merge": {"into": 1},
    "undo": {"alerts": {"change_id": 1}, "tickets": {"version": 1}},
}
"""What an action needs to be sent, to get as far as looking for what it is about."""


@pytest.mark.parametrize("number", ["0", "00", str(2**63), "9" * 20, "9" * 5000])
def test_an_id_that_cannot_be_is_like_one_that_is_not(
    app: APIFlask, client: FlaskClient, api: ApiClient, spec: dict[str, Any], number: str
) -> None:
    singles = [one for one in operations(app, spec) if "<int:" in one[1]]
    assert len(singles) >= 25
    for method, rule, _ in singles:
        action = rule.rstrip("/").rpartition("/")[2]
        body = ENOUGH.get(action, {})
        if action == "undo":
            body = body["tickets" if "/tickets/" in rule else "alerts"]

        def told(place: str, rule: str = rule, method: str = method, body: Any = body) -> Any:
            path = f"{API_PREFIX}/{concrete(rule, NOTHING | {'int': place})}"
            sent = None if method == "get" else body
            return client.open(path, method=method, json=sent, headers=api.headers)

        strange, absent = told(number), told(NOTHING["int"])
        assert_problem(strange, absent.status_code)
        if method == "get" or body:
            assert_problem(strange, 404)
        assert {**strange.get_json(), "request_id": ""} == {**absent.get_json(), "request_id": ""}
        assert "URL" not in strange.get_json()["detail"], (method, rule)
