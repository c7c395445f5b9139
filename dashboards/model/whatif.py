"""What if tickets opened from another score, or there were time for only so many a week."""

from __future__ import annotations

from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, html
from pydantic import BeforeValidator, Field

from dashboards import browser, callbacks, marks, queries, states
from dashboards.callbacks import Choice, Clicks
from dashboards.marks import aria
from dashboards.model import sight, whatif_told
from noc.identity.capabilities import FRAUD_REVIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

SPANS = (7, 30, 90)
MOST_A_WEEK = 7_000_000
"""A million tickets a day: what the what-if takes at most."""


def _number(value: Any) -> Any:
    return None if value == "" else value


Share = Annotated[float, Field(ge=0, le=1)] | None
Budget = Annotated[
    Annotated[float, Field(gt=0, le=MOST_A_WEEK, allow_inf_nan=False)] | None,
    BeforeValidator(_number),
]
"""Tickets a week, or nothing yet."""


def layout(query: dict[str, str]) -> Any:
    """The controls, as the address has them (``?ask=&threshold=&budget=&span=``).

    Nothing for whoever may not ask: REST has it behind the same capability.
    """
    if not required_principal().may(FRAUD_REVIEW):
        return None
    in_force = queries.reader.ticket_threshold()
    by_budget = query.get("ask") == "budget"
    return marks.section(
        "What if the threshold were another",
        html.Div(
            [
                html.Div(
                    [
                        dmc.SegmentedControl(
                            id="model-ask",
                            value="budget" if by_budget else "threshold",
                            data=[
                                {"value": "threshold", "label": "By score"},
                                {"value": "budget", "label": "By work"},
                            ],
                            **aria(label="What is given"),
                        ),
                        dmc.SegmentedControl(
                            id="model-span",
                            value=str(_span(query.get("span"))),
                            data=[{"value": str(n), "label": f"{n} days"} for n in SPANS],
                            **aria(label="Period"),
                        ),
                        html.Div(
                            [
                                html.Label("Tickets open from a score of", id="model-slider-label"),
                                dmc.Slider(
                                    id="model-threshold",
                                    value=_share(query.get("threshold"), in_force),
                                    min=0,
                                    max=1,
                                    step=0.01,
                                    precision=2,
                                    updatemode="mouseup",
                                    marks=[{"value": in_force, "label": f"now {in_force:.2f}"}],
                                    thumbLabel="Tickets open from a score of",
                                    className="whatif-slider",
                                ),
                            ],
                            id="model-by-threshold",
                            className="whatif-given",
                            hidden=by_budget,
                        ),
                        html.Div(
                            dmc.NumberInput(
                                id="model-budget",
                                label="There is time for so many tickets a week",
                                value=_week(query.get("budget")),
                                min=1,
                                max=MOST_A_WEEK,
                                debounce=400,
                                className="whatif-budget",
                            ),
                            id="model-by-budget",
                            className="whatif-given",
                            hidden=not by_budget,
                        ),
                    ],
                    className="whatif-controls",
                ),
                html.Div(states.skeleton(120, 280), id="model-whatif"),
            ],
            className="section-body whatif",
        ),
    )


def register(ui: Dash) -> None:
    """Ask again when something given changes."""
    callbacks.register(
        ui,
        show,
        Output("model-whatif", "children"),
        Input("model-ask", "value"),
        Input("model-threshold", "value"),
        Input("model-budget", "value"),
        Input("model-span", "value"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "model-whatif", "n": ALL}, "n_clicks"),
        running=[(Output("model-whatif", "className"), "is-loading", "")],
    )
    names = ("ask", "threshold", "budget", "span")
    browser.keep_address(ui, *(f"model-{name}" for name in names))
    browser.call(
        ui,
        "whatIfGiven",
        Output("model-by-threshold", "hidden"),
        Output("model-by-budget", "hidden"),
        Input("model-ask", "value"),
        on_load=False,
    )


def show(
    ask: Choice,
    threshold: Share,
    budget: Budget,
    days: Choice,
    scheme: Choice = None,
    _retries: Clicks = None,
) -> Any:
    """What it would have meant, beside what is; 403 without ``security:fraud:review``."""
    sight.look()
    check(FRAUD_REVIEW)
    by_budget = ask == "budget"
    if by_budget and budget is None:
        why = "Say how many tickets a week there is time for."
        return states.empty("How many?", why, mark="ticket")
    return states.or_failed(
        "The what-if",
        {"type": "retry", "page": "model-whatif", "n": 0},
        lambda: whatif_told.content(
            None if by_budget else threshold,
            budget / whatif_told.WEEK if by_budget and budget else None,
            _span(days),
            "light" if scheme == "light" else "dark",
        ),
    )


def _span(days: str | None) -> int:
    return int(days) if days and days in map(str, SPANS) else 30


def _share(text: str | None, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if 0 <= value <= 1 else otherwise


def _week(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value <= MOST_A_WEEK else None
