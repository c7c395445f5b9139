"""On call: who answers now and in the days to come, what is escalated, schedules and policies."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, marks, states
from dashboards.callbacks import Choice, Clicks
from dashboards.marks import aria
from dashboards.oncall import arranging, now, sight, strips, under_way
from dashboards.oncall.wires import retry
from noc.database.base import utcnow

TITLE = "On call"

REFRESH_MS = 30_000
"""Steps of escalations come by the minute."""


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?days=`` and ``?state=`` choose from a link."""
    state = query.get("state", "")
    days = dmc.SegmentedControl(
        id="oncall-days",
        value=str(strips.period(query.get("days"))),
        data=[{"value": str(n), "label": f"{n} days"} for n in strips.PERIODS],
        **aria(label="Period"),
    )
    states_ = dmc.SegmentedControl(
        id="oncall-state",
        value=state if state in under_way.STATES else "",
        data=[{"value": code, "label": label} for code, label in under_way.STATES.items()],
        **aria(label="State"),
    )
    return html.Div(
        [
            dcc.Interval(id="oncall-clock", interval=REFRESH_MS),
            dcc.Store(id="oncall-asking"),
            dcc.Store(id="oncall-taken"),
            dcc.Store(id="oncall-arranged"),
            dcc.Store(id="oncall-draft"),
            html.Div(states.skeleton(150), id="oncall-now"),
            marks.section(
                "Whose turn it is",
                html.Div(states.skeleton(72, 72), id="oncall-strips", className="section-body"),
                aside=days,
            ),
            marks.section(
                "Escalations",
                html.Div(under_way.layout()),
                aside=states_,
                className="oncall-runs-section",
            ),
            _arranging(),
        ],
        className="page oncall",
    )


def _arranging() -> Any:
    if not sight.may_arrange():
        return None
    body = html.Div(states.skeleton(80, 80), id="oncall-arrange", className="oncall-arrange")
    return marks.section("Schedules and policies", body, className="oncall-arranging")


def register(ui: Dash) -> None:
    """Each part is read by itself: one that fails leaves the others."""
    arranged, taken = Input("oncall-arranged", "data"), Input("oncall-taken", "data")
    callbacks.register(
        ui,
        draw,
        Output("oncall-strips", "children"),
        Input("oncall-days", "value"),
        arranged,
        taken,
        retry("strips"),
    )
    under_way.register(ui)
    browser.keep_address(ui, "oncall-days", "oncall-state")
    now.register(ui)
    arranging.register(ui)


def draw(
    days: Choice, _arranged: Clicks = None, _taken: Clicks = None, _retries: Clicks = None
) -> Any:
    """The strips of the days to come."""
    sight.look()
    again = {"type": "retry", "page": "oncall-strips", "n": 0}
    return states.or_failed(
        "The turns", again, lambda: strips.content(utcnow(), strips.period(days))
    )
