"""What the parts have in common: buttons that take steps, forms, tables, secrets shown once.

Buttons have the id ``{"type": "admin-users", "step": "save", "key": "7"}``, fields
``{"type": "admin-users-field", "name": "role"}``. Each part answers a step with its whole content;
what was typed goes back into the form where it was refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field, ValidationError

from dashboards import browser, callbacks, marks, states
from dashboards.admin import sight
from dashboards.callbacks import Clicks
from dashboards.detail import parts
from dashboards.marks import aria, icon
from noc.extensions import session
from noc.rest.problems import Problem, field_errors

_TEXT = 4000
_ITEMS = 1000


class Pressed(BaseModel):
    """The step of a button, and what it is for."""

    step: Annotated[str, Field(max_length=30)]
    key: Annotated[str, Field(max_length=100)]

    @property
    def number(self) -> int:
        """The key as an id; 0, which nothing has, where it is none."""
        return whole(self.key) or 0


Fields = dict[str, Any]
"""What the form's fields hold, by name: text, a list of texts, or None."""


class Refusal(NamedTuple):
    """Why something was not done: in general, and by field."""

    words: str
    fields: dict[str, str]


class Answer(NamedTuple):
    """The part's content, and a secret to show once."""

    content: Any
    secret: Any = None


Act = Callable[[Pressed, Fields], Answer]


def register(ui: Dash, part: str, act: Act, *, dims: bool = True) -> None:
    """Have ``act`` answer the buttons of ``part``; 403 for whoever may not use it.

    ``dims``: pale while a step is under way; not for a part that is renewed by itself, where
    buttons that only appear would make it flicker.
    """

    def step(_clicks: Clicks, values: list[Any]) -> tuple[Any, Any]:
        if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        wanted = Pressed.model_validate(dict(ctx.triggered_id))
        sight.act(part)
        answer = act(wanted, _fields(values))
        return answer.content, no_update if answer.secret is None else answer.secret

    callbacks.register(
        ui,
        step,
        Output(f"admin-{part}", "children"),
        Output("admin-secret", "children", allow_duplicate=True),
        Input({"type": f"admin-{part}", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": f"admin-{part}-field", "name": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output(f"admin-{part}", "className"), "is-loading", "")] if dims else None,
    )
    shown = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "adminShown", shown, Input(f"admin-{part}", "children"), on_load=False)


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
        return None, Refusal("" if fields else problem.detail, fields)


def _said(reason: str) -> str:
    """A reason as people say it."""
    told = reason.replace("Input should be a valid integer", "must be a whole number")
    told = told.replace("String should have at least 1 character", "is needed")
    return re.sub("^(Input|String|List|Value) should ", "must ", told)


# -- what it looks like ------------------------------------------------------------------------


def content(listing: Any, side: Any = None) -> html.Div:
    """A list, and beside it what is being looked at or written."""
    return html.Div(
        [html.Div(listing, className="stack"), side and html.Div(side, className="stack")],
        className="admin-split" if side else "stack",
    )


def button(
    part: str, step: str, label: Any, key: Any = "", *, look: str = "", **props: Any
) -> html.Button:
    """A button that takes a step; ``look``: one of the styles below."""
    style = {
        "primary": "btn btn-primary",
        "text": "text-btn",
        "danger": "btn btn-danger",
        "small": "btn btn-small",
        "icon": "btn-icon",
    }
    return html.Button(
        label,
        id={"type": f"admin-{part}", "step": step, "key": str(key)},
        className=style.get(look, "btn"),
        n_clicks=0,
        type="button",
        **props,
    )


def actions(*buttons: Any) -> html.Div:
    """Buttons in a row."""
    return html.Div(list(buttons), className="actions")


def side(title: str, children: Any, *, part: str) -> html.Section:
    """What is being looked at, with a way to close it."""
    named = aria(label=f"Close: {title}")
    close = button(part, "close", icon("cross"), look="icon", title="Close", **named)
    return marks.section(
        title,
        html.Div(children, className="section-body admin-form"),
        aside=close,
        className="admin-side",
        tabIndex=-1,
        **marks.data(focus="yes"),
    )


def told(refusal: Refusal | None, *shown: str, done: str = "") -> Any:
    """What came of a step: what is wrong beyond the fields ``shown``, or that it is done."""
    if done:
        return html.P(done, className="done", role="status")
    if refusal is None:
        return None
    rest = [
        f"{name.replace('_', ' ').replace('.', ' ')}: {reason}"
        for name, reason in refusal.fields.items()
        if name not in shown
    ]
    if not rest and not refusal.words:
        rest = ["Not yet: something is marked below"]
    return parts.problem(". ".join(filter(None, (refusal.words, *rest))))


def confirm(question: str, *buttons: Any) -> html.Div:
    """What hurts is asked about once."""
    return html.Div(
        [
            html.P([icon("alert"), html.Span(question)], className="admin-question", role="alert"),
            actions(*buttons),
        ],
        className="act",
    )


class Form:
    """Fields of a part, filled with what was typed, each with its own fault beside it."""

    def __init__(self, part: str, values: Mapping[str, Any], refusal: Refusal | None = None):
        self._part, self._values = part, values
        self._faults = refusal.fields if refusal else {}
        self.names: list[str] = []

    def _common(self, name: str, label: str, hint: str | None) -> dict[str, Any]:
        self.names.append(name)
        fault = self._faults.get(name)
        return {
            "id": {"type": f"admin-{self._part}-field", "name": name},
            "label": label,
            "description": hint,
            "error": fault,
        }

    def text(self, name: str, label: str, hint: str | None = None, **props: Any) -> dmc.TextInput:
        """One line."""
        value = str(self._values.get(name) or "")
        return dmc.TextInput(**self._common(name, label, hint), value=value, **props)

    def prose(self, name: str, label: str, hint: str | None = None) -> dmc.Textarea:
        """Several lines."""
        value = str(self._values.get(name) or "")
        return dmc.Textarea(
            **self._common(name, label, hint), value=value, autosize=True, minRows=2, maxRows=6
        )

    def choice(
        self, name: str, label: str, options: Iterable[tuple[str, str]], hint: str | None = None,
        **props: Any,
    ) -> dmc.Select:  # fmt: skip
        """One of several."""
        value = self._values.get(name)
        return dmc.Select(
            **self._common(name, label, hint),
            data=_options(options),
            value=None if value is None else str(value),
            **({"allowDeselect": False} | props),
        )

    def several(
        self, name: str, label: str, options: Iterable[tuple[str, str]], hint: str | None = None,
        **props: Any,
    ) -> dmc.MultiSelect:  # fmt: skip
        """Any of several."""
        return dmc.MultiSelect(
            **self._common(name, label, hint),
            data=_options(options),
            value=[str(value) for value in self._values.get(name) or ()],
            searchable=True,
            clearable=True,
            **props,
        )

    def typed(self, name: str, label: str, hint: str | None = None, **props: Any) -> dmc.TagsInput:
        """Several words that are typed."""
        value = [str(one) for one in self._values.get(name) or ()]
        return dmc.TagsInput(**self._common(name, label, hint), value=value, **props)

    def boxes(
        self, name: str, label: str, options: Iterable[tuple[str, str, str]], hint: str | None
    ) -> dmc.CheckboxGroup:
        """Boxes to tick, each with what it means."""
        boxes = [
            dmc.Checkbox(value=value, label=word, description=meaning, size="xs")
            for value, word, meaning in options
        ]
        return dmc.CheckboxGroup(
            boxes,
            **self._common(name, label, hint),
            value=[str(value) for value in self._values.get(name) or ()],
            className="admin-boxes",
        )

    def moment(self, name: str, label: str, hint: str | None = None) -> dmc.DateTimePicker:
        """A day and a time, local to the place that the form names."""
        return dmc.DateTimePicker(
            **self._common(name, label, hint),
            value=self._values.get(name) or None,
            valueFormat="DD MMM YYYY HH:mm",
            clearable=True,
            size="xs",
        )


def _options(options: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in options]


def table(
    name: str, head: Sequence[str], rows: Sequence[html.Tr], *, label: str | None = None
) -> html.Div:
    """Rows under names; on a narrow screen each row is a card."""
    return html.Div(
        html.Table(
            [html.Thead(html.Tr([html.Th(one, scope="col") for one in head])), html.Tbody(rows)],
            className="admin-table",
            id=name,
        ),
        className="admin-table-frame",
        tabIndex=0,
        role="region",
        **aria(label=label or head[0]),
    )


def row(first: Any, *cells: tuple[str, Any], chosen: bool = False, over: bool = False) -> html.Tr:
    """A row: what it is about, then named cells; ``over`` is what no longer holds."""
    named = [html.Td(value, **marks.data(name=name)) for name, value in cells]
    here = aria(current="true") if chosen else {}
    look = "is-chosen" if chosen else "is-over" if over else ""
    return html.Tr([html.Th(first, scope="row"), *named], className=look, **here)


def two(first: Any, second: Any) -> html.Span:
    """A line, and a quiet one below."""
    return html.Span([first, html.Span(second, className="muted admin-second")], className="two")


def secret(title: str, value: str, hint: str) -> html.Section:
    """Something that is shown once: it leaves the page, and everything in it, when it is closed."""
    copy = html.Button(
        "Copy", className="btn btn-primary", type="button", **marks.data(copy="admin-secret-value")
    )
    done = html.Button(
        "I have it", id="admin-secret-close", className="btn", n_clicks=0, type="button"
    )
    return marks.section(
        title,
        html.Div(
            [
                html.P(hint),
                html.Code(value, id="admin-secret-value", className="admin-secret"),
                actions(copy, done),
            ],
            className="section-body admin-form",
        ),
        className="admin-secret-box",
        role="alert",
        tabIndex=-1,
        **marks.data(focus="yes"),
    )


def or_failed(what: str, part: str, build: Callable[[], Any]) -> Any:
    """What ``build`` makes, else that it could not be read."""
    return states.or_failed(what, {"type": "retry", "page": f"admin-{part}", "n": 0}, build)
