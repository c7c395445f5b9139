"""Buttons that take steps: what comes from the browser, what is done, and what is answered.

Buttons have the id ``{"type": "admin-users", "step": "save", "key": "7"}``, fields
``{"type": "admin-users-field", "name": "role"}``. Each part answers a step with its whole content,
or with what stands beside its list; what was typed goes back into the form where it was refused.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field, ValidationError

from dashboards import browser, callbacks
from dashboards.admin import sight
from dashboards.callbacks import Clicks
from noc.extensions import session
from noc.rest.problems import Problem, field_errors

BESIDE = "stack admin-beside"
"""The class of what stands beside a list."""

_TEXT = 4000
_ITEMS = 1000


class Pressed(BaseModel):
    """The step of a button, and what it is for."""

    step: Annotated[str, Field(max_length=30)]
    key: Annotated[str, Field(max_length=100)]

    @property
    def parts(self) -> list[str]:
        """What the key says, between colons: ``7:2026-11-16:0f3c...``; at least three parts."""
        return [*self.key.split(":"), "", ""]

    @property
    def number(self) -> int:
        """The key's first part as an id; 0, which nothing has, where it is none."""
        return whole(self.parts[0]) or 0


Fields = dict[str, Any]
"""What the form's fields hold, by name: text, a list of texts, or None."""


class Refusal(NamedTuple):
    """Why something was not done: in general, and by field."""

    words: str
    fields: dict[str, str]
    stale: bool = False
    """Somebody else changed it since the form was filled: saving again puts this in its place."""


class Answer(NamedTuple):
    """What is shown now, a secret to show once, and whether something listed was changed."""

    content: Any
    secret: Any = None
    changed: bool = False


Act = Callable[[Pressed, Fields], Answer]


def register(ui: Dash, part: str, act: Act, *, beside: bool = False, dims: bool = True) -> None:
    """Have ``act`` answer the buttons of ``part``; 403 for whoever may not use it.

    ``beside``: the answer stands beside a list (:mod:`dashboards.admin.listing`), else it is the
    whole part. ``dims``: pale while a step is under way; not for a part that is renewed by itself,
    where buttons that only appear would make it flicker.
    """
    place, look = (f"admin-{part}-side", BESIDE) if beside else (f"admin-{part}", "")
    changed = [Output(f"admin-{part}-changed", "data")] if beside else []

    def step(_clicks: Clicks, values: list[Any]) -> tuple[Any, ...]:
        if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        wanted = Pressed.model_validate(dict(ctx.triggered_id))
        sight.act(part)
        answer = act(wanted, _fields(values))
        told = (answer.content, no_update if answer.secret is None else answer.secret)
        return (*told, str(uuid.uuid4()) if answer.changed else no_update) if beside else told

    callbacks.register(
        ui,
        step,
        Output(place, "children"),
        Output("admin-secret", "children", allow_duplicate=True),
        *changed,
        Input({"type": f"admin-{part}", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": f"admin-{part}-field", "name": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output(place, "className"), f"{look} is-loading", look)] if dims else None,
    )
    shown = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "adminShown", shown, Input(place, "children"), on_load=False)


def _fields(values: Sequence[Any]) -> Fields:
    wires = ctx.states_list[0] if ctx.states_list else []
    names = [str(wire["id"].get("name"))[:60] for wire in wires]
    return {name: _plain(value) for name, value in zip(names, values, strict=False)}


def _plain(value: Any) -> Any:
    """Text, or a list of texts; what no control holds becomes text that no schema takes."""
    if isinstance(value, list):
        return [str(item)[:_TEXT] for item in value[:_ITEMS]]
    if value is None or value == "":
        return None
    return str(value)[: _TEXT + 1]


def cleaned(text: str | None) -> str:
    """What was typed into a search; PostgreSQL's text holds every character but one."""
    return (text or "").replace("\x00", "").strip()


def whole(text: Any) -> int | None:
    """The number that is written in digits, else None."""
    fits = isinstance(text, str) and len(text) <= 18 and text.isascii() and text.isdigit()
    return int(text) if fits else None


def ids(values: Any) -> list[int]:
    """Ids chosen in a control."""
    return [number for value in values or () if (number := whole(value))]


def attempt(work: Callable[[], Any]) -> tuple[Any, Refusal | None]:
    """Do it and commit: what it gave, or why it was refused."""
    try:
        done = work()
        session().commit()
        return done, None
    except ValidationError as error:
        session().rollback()
        return None, Refusal(
            "", {one["field"]: _said(one["reason"]) for one in field_errors(error)}
        )
    except Problem as problem:
        session().rollback()
        fields = {str(one["field"]): _said(str(one["reason"])) for one in problem.errors}
        stale = "current_version" in problem.members
        return None, Refusal("" if fields else problem.detail, fields, stale)


def _said(reason: str) -> str:
    """A reason as people say it."""
    told = reason.replace("Input should be a valid integer", "must be a whole number")
    told = told.replace("String should have at least 1 character", "is needed")
    return re.sub("^(Input|String|List|Value) should ", "must ", told)
