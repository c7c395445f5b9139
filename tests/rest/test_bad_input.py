"""What no view expects is refused by every one of them in the same way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from noc.rest.openapi import API_PREFIX
from noc.rest.text import identifier, line, lines
from tests.conftest import ApiClient
from tests.problems import assert_problem

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


def concrete(path: str) -> str:
    """A path below the prefix with an id in each place."""
    return re.sub(r"{[^}]+}", "1", path.removeprefix(f"{API_PREFIX}/"))


def moments(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """(path, parameter) of every moment that a GET takes."""
    return [
        (concrete(path), parameter["name"])
        for path, item in spec["paths"].items()
        for parameter in item.get("get", {}).get("parameters", ())
        if "date-time" in str(parameter["schema"])
    ]


def test_a_moment_beyond_reason_is_refused_wherever_one_is_asked_for(
    api: ApiClient, spec: dict[str, Any]
) -> None:
    asked = moments(spec)
    assert len(asked) >= 9
    for path, name in asked:
        for moment in ODD_MOMENTS:
            response = api.get(path, query_string={name: moment})
            if response.status_code != 404:
                assert_problem(response, 422, **{name: ""})
                assert name in str(response.get_json()["errors"])


def with_bodies(app: APIFlask) -> list[tuple[str, str]]:
    """(method, path) of every operation that reads a body which must be there."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(f"{API_PREFIX}/"):
            continue
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH"}):
            path = re.sub(r"<[^>]+>", "1", rule.rule).removeprefix(f"{API_PREFIX}/")
            found.append((method.lower(), path))
    return found


def test_what_is_not_json_is_told_so_wherever_a_body_is_read(app: APIFlask, api: ApiClient) -> None:
    told = []
    for method, path in with_bodies(app):
        for content in (b"{", b"\xff\xfe", b"nonsense"):
            call = api.put if method == "put" else api.post
            response = call(path, data=content, content_type="application/json")
            if response.status_code == 404:
                continue
            problem = assert_problem(response, 400)
            assert problem["detail"] == "The body is not JSON.", path
            assert problem["errors"][0]["field"] == "body", path
        told.append(path)
    assert len(told) > 25


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "9" * 5000])
def test_an_id_that_cannot_be_is_like_one_that_is_not(
    api: ApiClient, spec: dict[str, Any], number: str
) -> None:
    singles = [path for path in spec["paths"] if re.search(r"_id}/$", path)]
    assert len(singles) >= 8
    for path in singles:
        if "get" not in spec["paths"][path]:
            continue
        below = path.removeprefix(f"{API_PREFIX}/")
        strange = api.get(re.sub(r"{[^}]+}", number, below))
        absent = api.get(re.sub(r"{[^}]+}", "987654321", below))
        assert_problem(strange, 404)
        assert strange.get_json()["detail"] == absent.get_json()["detail"]


@pytest.mark.parametrize("text", ["", " ", "\t", "a\nb", "a\x00", "a\x7f", "\u202eabc", "a\u2066"])
def test_what_does_not_show_as_what_it_is_is_no_line(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        line(text)


@pytest.mark.parametrize(
    "text", ["Anjali Rao", "अन\u200dजलि", "محمد\u200f 1", "日本", "naïve", "🙂\u200d🙂"]
)
def test_names_of_every_script_are_lines(text: str) -> None:
    assert line(text) == text
    assert identifier(text) == text


def test_prose_has_line_breaks_but_no_tricks() -> None:
    assert lines("one\n\ttwo") == "one\n\ttwo"
    for text in ("  \n ", "a\x00", "a\u202eb"):
        with pytest.raises(ValueError, match="must"):
            lines(text)


@pytest.mark.parametrize("code", ["%2e", "..", "a%2fb", "a%5cb", " a", "a ", "%E2%80%AE"])
def test_a_code_that_would_be_a_place_in_a_path_is_refused(api: ApiClient, code: str) -> None:
    response = api.put(f"people/by-code/{code}/", json={"name": "Ravi"})

    assert response.status_code in (404, 405, 422)
    assert api.get("people/").get_json()["data"] == []
