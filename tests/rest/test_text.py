"""Names, codes and prose: one rule, wherever they come in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from noc.database.base import utcnow
from noc.rest.text import code, identifier, line, lines, name
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.rest.walk import operations


@pytest.mark.parametrize(
    "text", ["", " ", "\t", "a\nb", "a\x00", "a\x7f", "\u202eabc", "a\u2066", "\u200b", "\ufeffa"]
)
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


BAD_CODES = {
    ".": "nor contain",
    "..": "nor contain",
    "a/b": "nor contain",
    "a\\b": "nor contain",
    " a": "neither begin",
    "a ": "neither begin",
    "\u3000a": "neither begin",
    "\u202ea": "one line",
    "a\nb": "one line",
    "\u200b": "blank",
}


@pytest.mark.parametrize(("text", "reason"), BAD_CODES.items())
def test_a_code_that_would_be_a_place_in_a_path_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        code(text)


def test_blanks_around_a_name_are_dropped_but_those_of_a_code_are_told() -> None:
    assert name("  Asha  Rao ") == "Asha  Rao"
    assert code("G-7 (Gate)…") == "G-7 (Gate)…"


CODED = ["sites", "people", "devices", "shifts", "absences", "tours"]


@pytest.mark.parametrize("kind", CODED)
def test_every_path_by_code_refuses_what_cannot_be_one(
    app: APIFlask, client: FlaskClient, api: ApiClient, make: Make, kind: str
) -> None:
    spec = client.get("/api/openapi.json").get_json()
    ruled = {rule.split("/")[4] for _, rule, _ in operations(app, spec) if "by-code" in rule}
    assert ruled == set(CODED)
    span = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T08:00:00Z"}
    body = {
        "sites": {"name": "x", "timezone": "UTC", "lat": 1, "lon": 1},
        "people": {"name": "x"},
        "tours": {"name": "x", "site_id": make.site().id},
        "shifts": {"person_id": make.person().id, "site_id": make.site().id, **span},
        "absences": {"person_id": make.person().id, **span},
    }.get(kind, {})
    before = len(api.get(f"{kind}/").get_json()["data"])
    for text in BAD_CODES:
        response = api.put(f"{kind}/by-code/{quote(text, safe='')}/", json=body)
        # A client, a proxy or the router may have taken a place of a path for one before us.
        if text not in (".", "..", "a/b"):
            assert_problem(response, 422, code=BAD_CODES[text])
    assert len(api.get(f"{kind}/").get_json()["data"]) == before
    assert api.put(f"{kind}/by-code/{quote('अ 7')}/", json=body).status_code == 201


@pytest.mark.parametrize(("text", "reason"), BAD_CODES.items())
def test_a_device_or_a_checkpoint_of_such_a_code_is_not_made(
    api: ApiClient, make: Make, text: str, reason: str
) -> None:
    punch = {
        "person_id": make.person().id,
        "site_id": make.site().id,
        "kind": "in",
        "occurred_at": utcnow().isoformat(),
        "device_id": text,
    }
    assert_problem(api.post("attendance/events/", json=punch), 422, device_id=reason)
    plan = {"name": "x", "site_id": make.site().id, "checkpoints": [{"code": text}]}
    response = api.put("tours/by-code/N1/", json=plan)
    assert_problem(response, 422, **{"checkpoints.0.code": reason})
