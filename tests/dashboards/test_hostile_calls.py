"""Whatever is posted to the pages' callbacks, no answer is a fault of ours."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.dashboards.conftest import Reader, _filled, _outputs

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "x", "9" * 5000, "a\x00b", [], [1], [None], {}, {"id": 1},
    {"id": "alert:x"}, {"id": "alert:" + "9" * 400}, {"points": [{"x": "n", "y": -1}]},
    {"points": []}, [["2026-01-01", "x"]], ["junk", 1], ["0001-01-01T00:00:00Z", 1],
)  # fmt: skip

BODIES: tuple[Any, ...] = (
    {}, [], None, "text", 7, {"output": "x"}, {"output": None, "inputs": 3},
    {"output": "page.children", "outputs": [], "inputs": {}, "changedPropIds": 1},
)  # fmt: skip


def server_side(reader: Reader) -> list[dict[str, Any]]:
    """The callbacks that run here, not in the browser."""
    return [one for one in reader.dependencies() if not one.get("clientside_function")]


def named(callbacks: list[dict[str, Any]], output: str) -> dict[str, Any]:
    return next(one for one in callbacks if output in one["output"])


def body_of(callback: dict[str, Any], value: Any = None) -> dict[str, Any]:
    """A body as the browser would send it, but with ``value`` in every place."""

    def filled(item: dict[str, Any]) -> Any:
        if not item["id"].startswith("{"):
            return {"id": item["id"], "property": item["property"], "value": value}
        key = {
            name: 1 if isinstance(part, list) else part
            for name, part in json.loads(item["id"]).items()
        }
        return [{"id": key, "property": item["property"], "value": value}]

    inputs = [filled(item) for item in callback["inputs"]]
    first = inputs[0][0] if isinstance(inputs[0], list) else inputs[0]
    key = first["id"]
    spelled = key if isinstance(key, str) else json.dumps(key, separators=(",", ":"))
    return {
        "output": callback["output"],
        "outputs": _outputs(callback["output"]),
        "inputs": inputs,
        "state": [filled(item) for item in callback.get("state", [])],
        "changedPropIds": [f"{spelled}.{first['property']}"],
    }


def test_no_value_in_any_callback_is_a_fault(reader: Reader) -> None:
    callbacks = server_side(reader)
    assert len(callbacks) >= 15
    statuses = set()
    for callback, value in itertools.product(callbacks, JUNK):
        answer = reader.post("_dash-update-component", json=body_of(callback, value))
        assert answer.status_code < 500, (callback["output"], value, answer.text[:300])
        statuses.add(answer.status_code)
        if answer.status_code >= 400:
            assert answer.content_type == "application/problem+json"
    assert {200, 422} <= statuses


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_a_body_that_no_page_sends_is_malformed(reader: Reader, body: Any) -> None:
    answer = reader.post(
        "_dash-update-component", data=json.dumps(body), content_type="application/json"
    )

    assert answer.status_code == 400
    assert answer.json["errors"]


def test_what_is_not_json_is_malformed(reader: Reader) -> None:
    answer = reader.post("_dash-update-component", data="{", content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["detail"] == "The body is not JSON."


@pytest.mark.parametrize("field", ["inputs", "state", "outputs", "changedPropIds"])
def test_a_body_that_does_not_go_with_its_output_is_malformed(reader: Reader, field: str) -> None:
    body = body_of(named(server_side(reader), "tickets-grid.rowTransaction"))
    other = body_of(named(server_side(reader), "people-list"))
    wrong = {"outputs": other["outputs"], "changedPropIds": ["people-text.value"]}
    body[field] = wrong.get(field, other["inputs"][:1])

    answer = reader.post("_dash-update-component", json=body)

    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("output", "values", "field"),
    [
        ("people-list.children", {"people-site.value": "x"}, "site"),
        ("tickets-grid.rowTransaction", {"tickets-cursor.data": "junk"}, "cursor"),
        ("alerts-grid.rowTransaction", {"alerts-cursor.data": ["2026-01-01", 1]}, "cursor.0"),
        (
            "feed-result.data",
            {"feed-action.data": {"ids": ["alert:x"], "action": "undo"}},
            "wanted.ids.0",
        ),
        (
            "feed-result.data",
            {"feed-action.data": {"ids": ["alert:1"], "action": "x"}},
            "wanted.action",
        ),
        (
            "feed-result.data",
            {"feed-action.data": {"ids": ["alert:1"], "action": "undo", "changes": ["x"]}},
            "wanted.changes.0",
        ),
        ("feed-result.data", {"feed-action.data": None}, "wanted"),
        ("ticket-undone.data", {"ticket-undo.data": {"id": 1}}, "wanted.version"),
        (
            "tickets-moved.data",
            {"tickets-move.data": {"id": 1, "version": 1, "to": "X"}},
            "wanted.to",
        ),
        ("tickets-moved.data", {"tickets-move.data": {"id": 1, "to": "NEW"}}, "wanted.version"),
        ("tickets-created.data", {"tickets-new-site.value": "x"}, "site"),
        ("heatmap-cell.children", {"heatmap-at.value": 7}, "at"),
        (
            "model-whatif.children",
            {"model-ask.value": "budget", "model-threshold.value": 0.8, "model-budget.value": -1},
            "budget",
        ),
        ("model-whatif.children", {"model-threshold.value": 1.5}, "threshold"),
        ("heatmap-punches.children", {"heatmap-cursor.data": [2, 1]}, "after.0"),
    ],
)
def test_a_value_that_no_control_holds_is_named(
    reader: Reader, output: str, values: dict[str, Any], field: str
) -> None:
    callback = named(server_side(reader), output)
    body = body_of(callback) | {
        part: [_filled(item, values) for item in callback[part]] for part in ("inputs", "state")
    }

    answer = reader.post("_dash-update-component", json=body)

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in [error["field"] for error in answer.json["errors"]]
