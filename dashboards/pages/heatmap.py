"""The fraud heatmap: where and when punches look wrong, down to the punches themselves."""

from __future__ import annotations

from typing import Annotated, Any

from dash import ALL, Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate
from pydantic import Field

from dashboards import browser, callbacks, queries, states
from dashboards.callbacks import Choice, Clicks, Id, SiteChoice
from dashboards.heatmap import board, cell, choices
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

TITLE = "Fraud heatmap"

Score = Annotated[float, Field(ge=0, le=1)]


def layout(query: dict[str, str]) -> html.Div:
    """The page; every choice may come from a link: ``?days=&by=&measure=&clock=&view=&site=&at=``.

    ``at`` is a cell, ``7.26`` (site and hour of the week) or ``7.2026-11-03``.
    """
    if not required_principal().may(FRAUD_VIEW):
        return html.Div(states.forbidden("The fraud heatmap", FRAUD_VIEW), className="panel")
    return html.Div(
        [
            choices.toolbar(query, queries.reader.sites()),
            html.Div(states.skeleton(52, 420), id="heatmap-body"),
            html.Div(id="heatmap-cell"),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Draw when a choice or the colours change; show the punches of a chosen cell."""
    chosen = [Input(f"heatmap-{name}", "value") for name in ("days", "by", "clock")]
    callbacks.register(
        ui,
        show,
        Output("heatmap-body", "children"),
        *chosen,
        Input("heatmap-measure", "value"),
        Input("heatmap-view", "value"),
        Input("heatmap-site", "value"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "heatmap", "n": ALL}, "n_clicks"),
        running=[(Output("heatmap-body", "className"), "is-loading", "")],
    )
    callbacks.register(
        ui,
        drill,
        Output("heatmap-cell", "children"),
        Input("heatmap-at", "value"),
        *chosen,
        Input({"type": "retry", "page": "heatmap-cell", "n": ALL}, "n_clicks"),
        running=[(Output("heatmap-cell", "className"), "is-loading", "")],
    )
    callbacks.register(
        ui,
        more,
        Output("heatmap-punches", "children"),
        Output("heatmap-cursor", "data"),
        Output("heatmap-more", "hidden"),
        Input("heatmap-more", "n_clicks"),
        State("heatmap-cursor", "data"),
        State("heatmap-at", "value"),
        *(State(f"heatmap-{name}", "value") for name in ("days", "by", "clock")),
        prevent_initial_call=True,
    )
    browser.keep_address(ui, *(f"heatmap-{name}" for name in choices.CONTROLS))
    at = Output("heatmap-at", "value", allow_duplicate=True)
    browser.call(ui, "cellClicked", at, Input("heatmap-graph", "clickData"), on_load=False)
    browser.call(
        ui,
        "siteClicked",
        Output("heatmap-site", "value"),
        Output("heatmap-view", "value"),
        Input("heatmap-map", "clickData"),
        on_load=False,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "heatmapDrawn", done, Input("heatmap-graph", "figure"), on_load=False)
    browser.call(ui, "mapDrawn", done, Input("heatmap-map", "figure"), on_load=False)
    browser.call(ui, "reveal", done, Input("heatmap-cell", "children"), on_load=False)


def show(
    days: Choice,
    by: Choice,
    clock: Choice,
    measure: Choice,
    view: Choice,
    site: SiteChoice,
    scheme: Choice,
    _retries: Clicks = None,
) -> Any:
    """The finding, the scale, and chart, table or map."""
    check(FRAUD_VIEW)
    return states.or_failed(
        "The heatmap",
        {"type": "retry", "page": "heatmap", "n": 0},
        lambda: board.content(
            queries.scores.heatmap(
                choices.period(days), site, choices.by(by), choices.clock(clock)
            ),
            choices.measure(measure),
            choices.view(view),
            "light" if scheme == "light" else "dark",
        ),
    )


def drill(at: Choice, days: Choice, by: Choice, clock: Choice, _retries: Clicks = None) -> Any:
    """The punches of the chosen cell; nothing where none is chosen."""
    check(FRAUD_VIEW)
    chosen = choices.cell(at, choices.by(by))
    if chosen is None:
        return None
    return states.or_failed(
        "The punches of the cell",
        {"type": "retry", "page": "heatmap-cell", "n": 0},
        lambda: cell.content(chosen, choices.period(days), choices.clock(clock), utcnow()),
    )


def more(
    _clicks: Clicks,
    after: tuple[Score, Id] | None,
    at: Choice,
    days: Choice,
    by: Choice,
    clock: Choice,
) -> tuple[Any, Any, bool]:
    """The next page of the cell's punches."""
    check(FRAUD_VIEW)
    chosen = choices.cell(at, choices.by(by))
    if chosen is None or after is None or not _clicks:
        raise PreventUpdate
    return cell.following(chosen, choices.period(days), choices.clock(clock), utcnow(), after)
