"""One version: what it was measured by, its gate, and what can be done with it."""

from __future__ import annotations

import uuid
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field, ValidationError

from dashboards import callbacks, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Note
from dashboards.detail import parts
from dashboards.marks import icon
from dashboards.model import forms, sight
from dashboards.model.versions import status
from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.registry import activation
from noc.fraud.registry.activation import NotPossible
from noc.fraud.registry.schemas import ActivateIn

_WORDS = (
    ("Precision", "of 100 punches it flags, how many are fraud"),
    ("Recall", "of 100 frauds, how many it flags"),
    ("F1", "one number for both: it is high only where both are"),
    (
        "Average precision",
        "how well it puts frauds before the rest, over all thresholds; 1 is best",
    ),
    ("Calibration", "of punches given 80 %, about 80 of 100 should be fraud"),
    ("Brier score", "how far its probabilities are from what was found; 0 is best"),
    ("90 % between", "the interval that holds the true value nine times in ten"),
)


class Pressed(BaseModel):
    """The step of a button, and the version it is for."""

    step: str = Field(max_length=30)
    key: uuid.UUID


def register(ui: Dash) -> None:
    """Show the chosen version; activate it or take it back."""
    callbacks.register(
        ui,
        show,
        Output("model-verdict", "children"),
        Input("model-chosen", "data"),
        Input("model-ended", "data"),
        Input({"type": "retry", "page": "model-verdict", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        act,
        Output("model-verdict", "children", allow_duplicate=True),
        Output("model-changed", "data"),
        Input({"type": "model-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "model-note", "key": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output("model-verdict", "className"), "is-loading", "")],
    )


def show(chosen: Choice, _ended: Clicks = None, _retries: Clicks = None) -> Any:
    """The chosen version's verdict; without a choice that of the active one, else the newest."""
    sight.look()
    if chosen and ctx.triggered_id == "model-ended":
        # Another training's end changes nothing here, and somebody may be writing.
        raise PreventUpdate
    return states.or_failed(
        "The version",
        {"type": "retry", "page": "model-verdict", "n": 0},
        lambda: _chosen(chosen),
    )


def act(_clicks: Clicks, notes: list[Note]) -> tuple[Any, Any]:
    """Take the step whose button was pressed. 403 without ``ml:train``; what cannot be done is

    told. A model that did not pass its gate, and a way back, are asked about once.
    """
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    wanted = Pressed.model_validate(dict(ctx.triggered_id))
    sight.act()
    note = ((notes or [None])[0] or "").strip()
    model = queries.models.version_by_id(wanted.key)
    if model is None:
        return html.Div(states.not_found("version"), className="panel"), no_update
    if wanted.step == "rollback" or (
        wanted.step == "activate" and note and not model["gate"].get("may_score")
    ):
        return _content(model, asking=wanted.step, note=note), no_update
    if wanted.step == "leave":
        return _content(model, note=note), no_update
    try:
        told = _take(wanted.step, model, note)
        session().commit()
    except (NotPossible, LookupError, ValueError) as error:
        session().rollback()
        return _content(_again(model), problem=_reason(error), note=note), no_update
    return _content(_again(model), told=told), str(uuid.uuid4())


def _take(step: str, model: dict[str, Any], note: str) -> str:
    """Do it; what came of it. NotPossible, LookupError or ValueError say why not."""
    principal = sight.act()
    who: dict[str, Any] = {"tenant_id": principal.tenant_id, "now": utcnow()}
    if step in ("activate", "activate-anyway"):
        if not note:
            raise ValueError("Write why first: a word or two for those who come after.")
        body = ActivateIn.model_validate({"note": note})
        activation.activate(model["id"], **who, note=body.note, by=principal.name)
        return f"{model['version']} scores from the next batch on, within seconds."
    if step == "rollback-sure":
        scores = activation.roll_back(model["id"], **who, note=note or None, by=principal.name)
        now = f"{scores.version} scores" if scores else "the rules score"
        return f"{model['version']} was taken back; {now} again, within seconds."
    raise ValueError("There is no such step.")


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(f"Note: {one['msg']}." for one in error.errors())
    return str(error) or "That is not possible."


def _again(model: dict[str, Any]) -> dict[str, Any]:
    return queries.models.version_by_id(model["id"]) or model


def _chosen(chosen: str | None) -> Any:
    model = queries.models.version(chosen)
    if model is None:
        return html.Div(states.not_found("version"), className="panel") if chosen else None
    return _content(model)


def _content(
    model: dict[str, Any], *, problem: str = "", told: str = "", asking: str = "", note: str = ""
) -> html.Section:
    gate = model["gate"]
    judged = [
        html.P(gate.get("sentence"), className="model-sentence") if _short(gate) else None,
        _checks(gate.get("checks", [])),
        _glossary(),
    ]
    known = [
        html.P(told, className="done", role="status") if told else None,
        parts.problem(problem),
        forms.actions(model, asking, note) if sight.may_act() else None,
        marks.facts(_facts(model)),
        _warnings(model),
        _changes(model["changes"]),
    ]
    body = [html.Div(judged, className="model-part"), html.Div(known, className="model-part")]
    return marks.section(
        f"{model['version']}: {_headline(gate)}",
        html.Div(body, className="section-body model-halves"),
        aside=status(model),
    )


def _headline(gate: dict[str, Any]) -> str:
    if gate.get("may_score"):
        return "passed its gate"
    return "did not pass its gate" if gate else "was not judged"


def _short(gate: dict[str, Any]) -> bool:
    """Without checks to list the verdict is its sentence."""
    return bool(gate.get("sentence")) and not gate.get("checks")


def _checks(checks: list[dict[str, Any]]) -> html.Ul | None:
    if not checks:
        return None
    return html.Ul([_check(check) for check in checks], className="checks")


def _check(check: dict[str, Any]) -> html.Li:
    met = check["met"]
    return html.Li(
        [
            html.Span(
                [icon("check" if met else "alert"), "Met" if met else "Not met"],
                className="check-mark",
            ),
            html.Div(
                [html.Strong(words.say(words.GATE, check["name"])), html.P(check["sentence"])]
            ),
        ],
        className="check-met" if met else "check-unmet",
    )


def _facts(model: dict[str, Any]) -> list[tuple[str, Any]]:
    start, end = model["window_start"], model["window_end"]
    frauds = words.count(model["positives"], "fraud")
    learned = f"{words.count(model['train_samples'], 'verdict')}, {frauds} among them"
    return [
        ("Learned from", learned),
        ("Punches of", f"{start:%d %b} to {end:%d %b %Y}" if start and end else None),
        ("Kind", words.say(words.MODEL_TYPE, model["model_type"])),
        ("Made", marks.moment(model["created_at"])),
        ("Scores since", marks.moment(model["activated_at"]) if model["is_active"] else None),
        ("Before it", model["ancestor"]),
        ("Note", model["note"] if model["note"] != model["gate"].get("sentence") else None),
    ]


def _warnings(model: dict[str, Any]) -> html.Ul | None:
    told = model["report"].get("warnings") or []
    return html.Ul([html.Li(one) for one in told], className="reasons muted") if told else None


def _changes(changes: list[dict[str, Any]]) -> html.Details | None:
    """Who did what with it, when and why, newest first."""
    if not changes:
        return None
    lines = [
        html.Li(
            [
                html.Strong(words.say(words.MODEL_CHANGE, one["change"])),
                f" by {one['changed_by']}" if one["changed_by"] else "",
                ", ",
                marks.moment(one["changed_at"]),
                html.P(one["note"]) if one["note"] else None,
            ]
        )
        for one in changes
    ]
    return html.Details(
        [html.Summary("What happened to it"), html.Ul(lines, className="reasons")],
        className="glossary",
    )


def _glossary() -> html.Details:
    return html.Details(
        [html.Summary("What these words mean"), marks.facts(list(_WORDS))], className="glossary"
    )
