"""What every refused request looks like."""

from __future__ import annotations

from typing import Any


def assert_problem(response: Any, status: int, **fields: str) -> dict[str, Any]:
    """The answer is problem+json of ``status``; each of ``fields`` is named, with this reason."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    named = {error["field"]: error["reason"] for error in body.get("errors", [])}
    for field, reason in fields.items():
        assert reason in named.get(field, ""), named
    return body
