"""The buttons below the hour: ask before a threshold changes, change it, take that back."""

from __future__ import annotations

from typing import Annotated, Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dashboards import callbacks, queries, states
from dashboards.baselines import changing
from dashboards.baselines import chosen as choosing
from dashboards.baselines.chosen import CONTROLS, Chosen
from dashboards.callbacks import Clicks, Id, Note
from dashboards.detail import parts
from noc.audit.week import WEEK
from noc.database.base import utcnow
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check, check_whole_tenant

_ASKS = ("pin", "let-go", "reset")

Number = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    BeforeValidator(lambda value: None if value == "" else value),
]
"""A number field, which is empty until somebody types."""


class One(TypedDict):
    """The baseline on the page: its id, its pinned threshold before, and the hour it was shown

    for.
    """

    id: Id
    held: Number
    slot: Annotated[int, Field(ge=0, lt=WEEK)]


Answer = tuple[Any, Any, Any]
"""What is said below the form, how often something was changed, and what was held before."""


def register(ui: Dash) -> None:
    """Answer the buttons; a question is no longer asked when what it is about has changed."""
    said = Output("baselines-confirm", "children")
    threshold = ("baselines-threshold", "value")
    callbacks.register(
        ui,
        step,
        said,
        Output("baselines-changed", "data"),
        Output("baselines-before", "data"),
        Input({"type": "baseline-step", "step": ALL}, "n_clicks"),
        choosing.wires(State),
        State(*threshold),
        State("baselines-reason", "value"),
        State("baselines-one", "data"),
        State("baselines-before", "data"),
        State("baselines-changed", "data"),
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        forget,
        Output("baselines-confirm", "children", allow_duplicate=True),
        *[Input(control, "value") for control in CONTROLS],
        Input(*threshold),
        prevent_initial_call=True,
    )


def step(
    _clicks: Clicks,
    chosen: Chosen,
    threshold: Number,
    reason: Note,
    one: One | None,
    before: One | None,
    changed: Clicks,
) -> Answer:
    """Ask before a change, or make it; the truth is read anew after it.

    403 for whoever is no administrator of the whole company.
    """
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    check(ADMIN)
    user_id = check_whole_tenant().user_id
    name, why = str(ctx.triggered_id["step"]), (reason or "").strip()
    if name == "no" or chosen["site"] is None or one is None:
        return None, no_update, no_update
    if name in _ASKS:
        return _ask(name, chosen, one, threshold, why), no_update, no_update
    again = (changed if isinstance(changed, int) else 0) + 1
    if name == "undo":
        if before is None:
            return None, no_update, no_update
        return changing.change(name, before["id"], before["held"], why, user_id), again, None
    # What the page shows is read anew; what was held before is kept for the way back.
    return changing.change(name, one["id"], threshold, why, user_id), again, one


def forget(_site: Any, _metric: Any, _hour: Any, _threshold: Any) -> Any:
    """A question about another hour or another threshold is no longer asked."""
    return None


def _ask(name: str, chosen: Chosen, one: One, threshold: float | None, why: str) -> Any:
    metric = choosing.metric(chosen)
    shown = queries.baselines.of_week(chosen["site"] or 0, metric, utcnow())
    if shown is None:
        return states.not_found("site")
    asked = shown.expected[one["slot"]]
    if asked.baseline is None or asked.baseline.id != one["id"]:
        return parts.problem("Another baseline judges this hour by now. Look at it again first.")
    return changing.ask(name, asked, shown, metric, threshold, why)
