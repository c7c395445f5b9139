"""Errors leave as RFC 9457 problem+json, whatever went wrong."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


def test_an_unknown_path_is_not_found(client: FlaskClient) -> None:
    assert_problem(client.get("/api/v2/noc/nothing/"), 404)
