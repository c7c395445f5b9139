"""What the drawers of alerts and tickets have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ctx, html
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field

from dashboards import consequences, marks, words
from dashboards.callbacks import Id
from dashboards.marks import aria


class Pressed(BaseModel):
    """The step of a button, and the alert or ticket it is for."""

    step: str = Field(max_length=50)
    key: Id


def pressed() -> Pressed:
    """The button that was pressed; PreventUpdate where buttons only appeared."""
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    return Pressed.model_validate(dict(ctx.triggered_id))


def button(kind: str, step: str, key: int, label: str, *, primary: bool = False) -> html.Button:
    """A button that takes a step with the alert or ticket."""
    return html.Button(
        label,
        id={"type": f"{kind}-step", "step": step, "key": key},
        className="btn btn-primary" if primary else "btn",
        n_clicks=0,
    )


def note(kind: str, key: int, placeholder: str) -> dmc.Textarea:
    """Where people write."""
    return dmc.Textarea(
        id={"type": f"{kind}-note", "key": key},
        placeholder=placeholder,
        autosize=True,
        minRows=1,
        maxRows=8,
        **aria(label=placeholder),
    )


def resolution(kind: str, key: int, codes: tuple[str, ...]) -> dmc.Select:
    """The choice of what came of it; nothing is chosen before somebody does."""
    return dmc.Select(
        id={"type": f"{kind}-resolution", "key": key},
        data=[{"value": code, "label": words.say(words.RESOLUTION, code)} for code in codes],
        placeholder="Outcome",
        className="resolution",
        **aria(label="Outcome"),
    )


def priority(kind: str, key: int, codes: tuple[str, ...], value: str) -> dmc.Select:
    """The choice of how urgent it is."""
    return dmc.Select(
        id={"type": f"{kind}-priority", "key": key},
        data=[{"value": code, "label": words.say(words.SEVERITY, code)} for code in codes],
        value=value,
        allowDeselect=False,
        className="resolution",
        **aria(label="Priority"),
    )


def problem(text: str) -> html.P | None:
    """Why the last step was not taken."""
    return html.P(text, className="problem", role="alert") if text else None


def history(
    changes: list[dict[str, Any]], verbs: Mapping[str, str], zone: str | None, said: str
) -> html.Ol:
    """Who did what, when, what they wrote (``said`` names the field), and what came of it."""
    return html.Ol(
        [
            html.Li(
                [
                    html.Div(
                        [
                            html.Span(_verb(change, verbs)),
                            html.Span(f"by {change['user_name']}" if change["user_name"] else ""),
                            marks.moment(change["at"], zone),
                        ],
                        className="step-head",
                    ),
                    html.P(change[said]) if change[said] else None,
                    _came_of_it(change),
                ]
            )
            for change in changes
        ],
        className="steps",
    )


def _came_of_it(change: dict[str, Any]) -> html.P | None:
    told = consequences.line(change.get("detail"))
    return html.P(told, className="muted") if told else None


def _verb(change: dict[str, Any], verbs: Mapping[str, str]) -> str:
    if change["action"] == "transition":
        return words.say(words.STATE, change["new_status"])
    if (change.get("detail") or {}).get("said_by") == "guard":
        return "The guard's side, written down"
    return words.say(verbs, change["action"])
