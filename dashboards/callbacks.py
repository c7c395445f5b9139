"""The border between the browser and the pages: what a callback is sent is checked before it runs.

Pages only send what their own controls hold, but anybody who is signed in can post anything. A
body that no page would send is refused with 400, a value that the callback's annotations do not
allow with 422, both as problem+json; what fails beyond that is a fault of ours, and stays one.
"""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from dash import Dash
from flask import Flask, request
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    validate_call,
)

from noc.rest.keyset import BIGGEST_ID
from noc.rest.problems import Problem, field_errors
from noc.rest.quantities import UtcMoment

UPDATE_PATH = "_dash-update-component"


def _or_none(value: Any) -> Any:
    return None if value == "" else value


Id = Annotated[int, Field(gt=0, le=BIGGEST_ID)]
"""An id, which controls hold as text."""

Choice = Annotated[str | None, Field(max_length=200)]
"""The value of a control; what it does not offer is taken for its first choice."""

SiteChoice = Annotated[Id | None, BeforeValidator(_or_none)]
"""A site, or all of them."""

SomeId = SiteChoice
"""What may be chosen by id, or left out."""

Note = Annotated[str | None, Field(max_length=4000)]
"""What somebody wrote."""

Cursor = tuple[UtcMoment, Id] | None
"""Where the next page of a list begins, as the browser keeps it."""

UuidCursor = tuple[UtcMoment, uuid.UUID] | None
"""The same of a list whose rows have UUIDs."""

Clicks = Any
"""That a button was pressed counts, not how often."""


class _Wire(BaseModel):
    """A component's property and its value, as the browser sends it."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(max_length=200)] | dict[str, str | int]
    property: Annotated[str, Field(max_length=100)]
    value: Any = None


class _Output(BaseModel):
    id: str
    property: str


class _Call(BaseModel):
    model_config = ConfigDict(extra="ignore")

    output: str
    outputs: _Output | list[_Output]
    inputs: list[_Wire | list[_Wire]]
    state: list[_Wire | list[_Wire]] = Field(default_factory=list)
    changedPropIds: list[str] = Field(default_factory=list, max_length=100)


_CALL = TypeAdapter(_Call)


def register(ui: Dash, function: Callable[..., Any], *wires: Any, **options: Any) -> None:
    """Have Dash call ``function`` for the wires, with what its annotations allow and no more."""
    ui.callback(*wires, **options)(_checked(function))


def guard(server: Flask, ui: Dash, prefix: str) -> None:
    """Refuse bodies that no page would send, before Dash takes them apart."""

    def check() -> None:
        if request.method == "POST" and request.path == f"{prefix}{UPDATE_PATH}":
            _check_body(request.get_json(), ui.callback_map)

    server.before_request(check)


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    validated = validate_call(function)
    signature = inspect.signature(function)

    def call(*values: Any) -> Any:
        # By name, so that a refusal names the value.
        return validated(**signature.bind(*values).arguments)

    return call


def _check_body(body: Any, callbacks: Mapping[str, Any]) -> None:
    try:
        call = _CALL.validate_python(body)
    except ValidationError as error:
        raise _malformed(*field_errors(error)) from error
    known = callbacks.get(call.output)
    if known is None or "callback" not in known:
        raise _malformed({"field": "output", "reason": "is not one of these pages"})
    outputs = len(call.outputs) if isinstance(call.outputs, list) else 1
    if outputs != len(call.output.strip(".").split("...")):
        raise _malformed({"field": "outputs", "reason": "do not go with the output"})
    _check_wires("inputs", call.inputs, known["inputs"])
    _check_wires("state", call.state, known["state"])
    _check_changed(call)


def _check_wires(
    field: str, sent: Sequence[_Wire | list[_Wire]], expected: Sequence[Mapping[str, str]]
) -> None:
    fits = len(sent) == len(expected) and all(map(_fits, sent, expected))
    if not fits:
        raise _malformed({"field": field, "reason": "are not those of this output"})


def _fits(sent: _Wire | list[_Wire], expected: Mapping[str, str]) -> bool:
    if expected["id"].startswith("{"):
        pattern = json.loads(expected["id"])
        return isinstance(sent, list) and all(
            wire.property == expected["property"] and _matches(wire.id, pattern) for wire in sent
        )
    return (
        isinstance(sent, _Wire)
        and sent.id == expected["id"]
        and sent.property == expected["property"]
    )


def _matches(key: Any, pattern: Mapping[str, Any]) -> bool:
    """Whether a component's id is one of the pattern's: ``["ALL"]`` stands for any value."""
    return (
        isinstance(key, dict)
        and key.keys() == pattern.keys()
        and all(isinstance(value, list) or key[name] == value for name, value in pattern.items())
    )


def _check_changed(call: _Call) -> None:
    flat = [wire for item in call.inputs for wire in (item if isinstance(item, list) else [item])]
    ids = {f"{_spelled(wire.id)}.{wire.property}" for wire in flat}
    if not ids.issuperset(map(_normal, call.changedPropIds)):
        raise _malformed({"field": "changedPropIds", "reason": "are not among the inputs"})


def _spelled(key: str | dict[str, Any]) -> str:
    return key if isinstance(key, str) else json.dumps(key, sort_keys=True)


def _normal(changed: str) -> str:
    """A changed property with its pattern's id spelled as :func:`_spelled` does."""
    if not changed.startswith("{"):
        return changed
    key, _, name = changed.rpartition(".")
    try:
        return f"{json.dumps(json.loads(key), sort_keys=True)}.{name}"
    except ValueError:
        return changed


def _malformed(*errors: Mapping[str, Any]) -> Problem:
    return Problem(400, "No page sends such a call.", errors=errors)
