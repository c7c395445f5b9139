"""The description of the interface, for programs and for people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from noc.rest.openapi import API_PREFIX
from tests.problems import assert_problem
from tests.rest import walk


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    """The document as served."""
    response = client.get("/api/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = response.get_json()
    return document


def operations(spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
    ]


def test_the_document_is_valid(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []


def test_it_describes_every_path_of_the_interface_and_nothing_else(
    app: APIFlask, spec: dict[str, Any]
) -> None:
    described = {path.replace("{", "<").replace("}", ">") for path in spec["paths"]}
    served = {
        re.sub(r"<[^<>]*:", "<", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API_PREFIX)
    }
    assert described == served


def test_every_operation_says_what_it_does_and_who_may(spec: dict[str, Any]) -> None:
    open_to_all = {("get", f"{API_PREFIX}/me/")}
    for path, method, operation in operations(spec):
        assert operation["summary"], path
        assert operation["security"] == [{"bearer": []}, {"session": []}]
        assert operation["responses"]["401"], path
        if (method, path) not in open_to_all:
            assert operation["x-capabilities"], (method, path)
            assert "Needs the capability" in operation["description"]


def test_what_is_posted_is_described(spec: dict[str, Any]) -> None:
    put = spec["paths"][f"{API_PREFIX}/sites/by-code/{{code}}/"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("SitePut")
    assert put["responses"]["422"] == {"$ref": "#/components/responses/Invalid"}
    envelope = put["responses"]["201"]["content"]["application/json"]["schema"]
    assert envelope["properties"]["status"] == {"const": "success"}


def test_whatever_takes_a_body_says_which(spec: dict[str, Any]) -> None:
    bare = {
        path.removeprefix(API_PREFIX)
        for path, method, operation in operations(spec)
        if method not in ("get", "delete") and "requestBody" not in operation
    }
    users = {f"/users/{{user_id}}/{action}/" for action in ("activate", "deactivate", "link")}
    assert bare == users | {"/tokens/{token_id}/revoke/"}


def test_lists_describe_their_pages(spec: dict[str, Any]) -> None:
    listing = spec["paths"][f"{API_PREFIX}/people/"]["get"]
    names = {parameter["name"] for parameter in listing["parameters"]}
    assert {"limit", "cursor", "code", "home_site_id", "active"} <= names
    envelope = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert "pagination" in envelope["required"]


def test_nobody_gets_past_the_guard_anywhere(
    app: APIFlask, client: FlaskClient, spec: dict[str, Any]
) -> None:
    """Neither without a token, nor by a body or a query that would fail first."""
    for method, rule, _ in walk.operations(app, spec):
        address = f"{API_PREFIX}/{walk.concrete(rule)}"
        assert_problem(client.open(f"{address}?limit=x", method=method.upper()), 401)
        if method != "get":
            assert_problem(client.open(address, method=method.upper(), data="{"), 401)


def test_the_page_shows_each_operation_and_runs_nothing(
    client: FlaskClient, spec: dict[str, Any]
) -> None:
    response = client.get("/api/docs")
    assert response.status_code == 200
    for _, _, operation in operations(spec):
        assert f'id="{operation["operationId"]}"' in response.text
    assert "<script" not in response.text
    assert "http://" not in response.text
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
