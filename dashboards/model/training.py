"""Training: asked for, followed, cancelled, and how the last one ended."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field, ValidationError

from dashboards import callbacks, marks, queries
from dashboards.callbacks import Choice, Clicks
from dashboards.detail import parts
from dashboards.model import sight
from dashboards.model.standing import bar
from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.registry.schemas import TrainIn
from noc.fraud.retraining import runs
from noc.runs import asking

NEW = "new"
"""Stands for a training that is yet to be asked for, where a button names one."""

STAGES = {
    "reading the verdicts": "Reading the verdicts",
    "reading": "Reading the verdicts",
    "choosing": "Trying settings on earlier weeks",
    "measuring": "Measuring on the last weeks",
    "folds": "Checking how steady it is over time",
    "fitting": "Learning from all verdicts",
    "reporting": "Writing the report",
    "measuring with the rules": "Measuring it together with the rules",
    "keeping it": "Keeping it",
}
"""What a training is at, as people read it."""

ENDS = {
    "succeeded": "A new version was made",
    "refused": "No new version",
    "failed": "It broke off",
    "cancelled": "It was cancelled",
}

ODD_DAYS = "Days must be a whole number from 1 to 3650"
"""The bounds are those of :class:`TrainIn`."""


class Pressed(BaseModel):
    """The step of a button, and the run it is for."""

    step: Annotated[str, Field(pattern="^(train|cancel)$")]
    key: Annotated[str, Field(max_length=40)]


def register(ui: Dash) -> None:
    """Follow by the feed's word and, while one is open, by a clock; train and cancel."""
    callbacks.register(
        ui,
        follow,
        Output("model-run", "children"),
        Output("model-clock", "disabled"),
        Output("model-open", "data"),
        Output("model-ended", "data"),
        Input("model-clock", "n_intervals"),
        Input("model-tick", "data"),
        State("model-open", "data"),
    )
    callbacks.register(
        ui,
        steer,
        Output("model-run", "children", allow_duplicate=True),
        Output("model-clock", "disabled", allow_duplicate=True),
        Output("model-open", "data", allow_duplicate=True),
        Input({"type": "model-run-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "model-days", "key": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output("model-run", "className"), "is-loading", "")],
    )


def follow(_clock: Clicks, _tick: Clicks, was_open: Choice) -> tuple[Any, ...]:
    """The training as it is now; ``model-ended`` changes with the end of one that was open."""
    sight.look()
    children, closed, now_open = _shown()
    if not was_open and now_open is None and ctx.triggered_id == "model-clock":
        # A clock that ticks once more than it should: nothing that somebody types is lost.
        raise PreventUpdate
    ended = was_open if was_open and was_open != now_open else no_update
    return children, closed, now_open, ended


def steer(_clicks: Clicks, days: list[Any]) -> tuple[Any, ...]:
    """Ask for a training, or for the end of the one under way. 403 without ``ml:train``."""
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    wanted = Pressed.model_validate(dict(ctx.triggered_id))
    principal = sight.act()
    problem = ""
    typed: Any = runs.DEFAULT_DAYS
    if wanted.step == "cancel":
        run_id = uuid.UUID(wanted.key) if _is_id(wanted.key) else None
        found = run_id and asking.cancel(run_id, tenant_id=principal.tenant_id, now=utcnow())
        problem = "" if found else "There is no such training."
        session().commit()
    else:
        typed = days[0] if days else None
        problem = _ask(typed)
    return _shown(problem, typed if problem else runs.DEFAULT_DAYS)


def _ask(days: Any) -> str:
    """Ask for it with what the field holds; why not, where it cannot be asked for."""
    principal = sight.act()
    try:
        body = TrainIn.model_validate({"days": _whole(days)})
    except ValidationError:
        return ODD_DAYS
    runs.ask(
        tenant_id=principal.tenant_id,
        trigger="manual",
        now=utcnow(),
        requested_by=principal.user_id,
        days=body.days,
        test_size=body.test_size,
    )
    session().commit()
    return ""


def _whole(typed: Any) -> Any:
    """The number that is written in digits; anything else as it is, for TrainIn to refuse."""
    digits = isinstance(typed, str) and len(typed) <= 9 and typed.isascii() and typed.isdigit()
    return int(typed) if digits else typed


def _shown(problem: str = "", days: Any = runs.DEFAULT_DAYS) -> tuple[Any, bool, str | None]:
    """The section, whether the clock rests, and the id of the open run.

    ``days`` is what the form's field holds: what was typed stays beside the ``problem`` with it.
    """
    is_open, over = queries.models.trainings()
    body = html.Div(
        [
            html.Div(
                [parts.problem(problem), _under_way(is_open) if is_open else _form(days)],
                className="model-part",
            ),
            _last(over) if over else None if is_open else _never(),
        ],
        className="section-body model-halves",
    )
    aside = html.Span("Under way", className="tag") if is_open else None
    section = marks.section("Training", body, aside=aside)
    return section, is_open is None, str(is_open["job_id"]) if is_open else None


def _form(days: Any) -> html.Div:
    if not sight.may_act():
        return html.Div(
            html.P("Administrators can start one here.", className="muted"), className="act"
        )
    return html.Div(
        [
            dmc.NumberInput(
                id={"type": "model-days", "key": NEW},
                label="Days of punches",
                value=days if isinstance(days, int | float | str) else "",
                min=1,
                max=3650,
                allowDecimal=False,
                className="model-days",
                size="xs",
            ),
            html.Button(
                "Train a model",
                id={"type": "model-run-step", "step": "train", "key": NEW},
                className="btn btn-primary",
                n_clicks=0,
            ),
            html.P(
                "A worker does it, in seconds to minutes. Whoever scores now goes on scoring.",
                className="muted",
            ),
        ],
        className="model-form",
    )


def _under_way(run: dict[str, Any]) -> html.Div:
    by = f" by {run['requested_by_name']}" if run["requested_by_name"] else ""
    stopping = run["cancel_requested_at"] is not None
    cancel = html.Button(
        "Cancel",
        id={"type": "model-run-step", "step": "cancel", "key": str(run["job_id"])},
        className="btn",
        n_clicks=0,
        disabled=stopping,
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.Strong(stage(run)),
                            html.Span(f"{run['progress']:.0%}", className="num muted"),
                        ],
                        className="split",
                    ),
                    bar(run["progress"], "How far the training is"),
                    html.P(
                        [f"Asked for{by} ", marks.moment(run["requested_at"]),
                         f", from {run['parameters'].get('days', runs.DEFAULT_DAYS)} days."],
                        className="muted",
                    ),
                ],
                className="model-progress",
            ),
            cancel if sight.may_act() else None,
        ],
        className="model-under-way",
    )  # fmt: skip


def stage(run: dict[str, Any]) -> str:
    """What the open run is at."""
    if run["cancel_requested_at"] is not None:
        return "Stopping"
    if run["state"] == "queued":
        return "Waits for a worker"
    return STAGES.get(run["stage"] or "", run["stage"] or "Begins")


def _last(run: dict[str, Any]) -> html.Div:
    return html.Div(
        [
            html.H3(["The last one: ", ENDS.get(run["state"], run["state"]).lower()]),
            html.P(run["reason"] or "It gave no reason."),
            html.P(["Ended ", marks.moment(run["finished_at"])], className="muted"),
        ],
        className="model-last",
    )


def _never() -> html.Div:
    return html.Div(
        [
            html.H3("Nothing has been trained yet"),
            html.P(
                "It happens by itself each week, as soon as enough punches have a verdict.",
                className="muted",
            ),
        ],
        className="model-last",
    )


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
