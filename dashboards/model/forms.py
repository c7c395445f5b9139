"""What can be done with a version: activate it, take it back, and the questions before."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import queries, words
from dashboards.marks import aria, icon


def actions(model: dict[str, Any], asking: str, note: str) -> Any:
    """What this version allows; with ``asking`` the question before the step of that name."""
    if asking:
        return _asked(model, asking, note)
    if model["is_active"]:
        return html.Div(
            [
                _button(model, "rollback", "Roll back"),
                html.Span(f"{_heir(model)} again then.", className="muted"),
            ],
            className="actions",
        )
    if not model["artefact_kept"]:
        return html.P(
            "Too old to score again: what it learned is no longer kept, only its figures.",
            className="muted",
        )
    return html.Div(
        [
            _note(model, note),
            html.Div(
                [
                    _button(model, "activate", f"Activate {model['version']}", primary=True),
                    html.Span(
                        "It scores from the next batch on; who scores now stays one step back.",
                        className="muted",
                    ),
                ],
                className="actions",
            ),
        ],
        className="act",
    )


def _asked(model: dict[str, Any], asking: str, note: str) -> html.Div:
    version = model["version"]
    if asking == "rollback":
        question = f"Take {version} back? {_heir(model)} again from the next batch on."
        sure = _button(model, "rollback-sure", f"Yes, take {version} back", primary=True)
        written = None
    else:
        unmet = [
            words.say(words.GATE, c["name"])
            for c in model["gate"].get("checks", [])
            if not c["met"]
        ]
        missed = f" Not met: {', '.join(unmet)}." if unmet else ""
        question = (
            f"{version} did not pass its gate.{missed} Let it score every punch all the same?"
        )
        sure = _button(model, "activate-anyway", f"Yes, activate {version}", primary=True)
        written = _note(model, note)
    return html.Div(
        [
            html.P([icon("alert"), html.Span(question)], className="model-question", role="alert"),
            written,
            html.Div([sure, _button(model, "leave", "Leave it as it is")], className="actions"),
        ],
        className="act",
    )


def _heir(model: dict[str, Any]) -> str:
    """Who scores when this one is taken back."""
    if queries.models.ancestor_can_score(model):
        return f"{model['ancestor']} scores"
    return "The rules score"


def _note(model: dict[str, Any], value: str) -> dmc.Textarea:
    label = "Why it should score"
    return dmc.Textarea(
        id={"type": "model-note", "key": str(model["id"])},
        value=value,
        placeholder=f"{label}: for those who come after",
        autosize=True,
        minRows=1,
        maxRows=6,
        **aria(label=label),
    )


def _button(model: dict[str, Any], step: str, label: str, *, primary: bool = False) -> html.Button:
    return html.Button(
        label,
        id={"type": "model-step", "step": step, "key": str(model["id"])},
        className="btn btn-primary" if primary else "btn",
        n_clicks=0,
    )
