"""The live feed: what is happening now, filling itself, and the first thing to do about it."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, grids, marks, queries, states
from dashboards.live import controls, wall
from dashboards.marks import aria
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal

TITLE = "Live feed"

_ACTIONS: dict[str, Any] = {
    "width": 176, "colId": "act", "headerName": "", "cellRenderer": "Actions", "sortable": False,
}  # fmt: skip


def layout(query: dict[str, str]) -> html.Div:
    """The page, already holding the last events of the log; ``?wall=1`` for a big screen."""
    counts = strip(queries.activity.counts(utcnow()))
    stores = [
        dcc.Store(id="live-seed", data=queries.activity.seed()),
        dcc.Store(id="kpi-tick"),
        dcc.Interval(id="kpi-clock", interval=30_000),
    ]
    if query.get("wall") == "1":
        return html.Div([*stores, wall.layout(counts)])
    return html.Div(
        [
            *stores,
            html.Div(counts, id="kpis", className="kpis"),
            controls.views(query),
            controls.filters(),
            html.Div(
                [html.Div(_table(), id="live-table", hidden=True), controls.bulk()],
                id="live-frame",
                className="fill",
                hidden=True,
            ),
            html.Div([_none(), _filtered()], id="live-empty", className="fill panel", hidden=True),
            html.Div(id="live-said", className="unseen", role="status", **aria(live="polite")),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """The feed runs in the browser; the server counts."""
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "seed", done, Input("live-seed", "data"))
    browser.call(ui, "filterSite", done, Input("live-site", "value"))
    browser.call(ui, "filterText", done, Input("live-text", "value"))
    callbacks.register(
        ui,
        count,
        Output("kpis", "children"),
        Input("kpi-clock", "n_intervals"),
        Input("kpi-tick", "data"),
        prevent_initial_call=True,
    )


def count(_interval: Any, _tick: Any) -> list[Any]:
    """The numbers above the feed, anew."""
    return strip(queries.activity.counts(utcnow()))


def strip(counts: dict[str, Any]) -> list[Any]:
    """The numbers above the feed."""
    severities = [
        html.Span(
            [marks.severity(code), html.Span(f"{counts['by_severity'].get(code, 0):,}")],
            className="kpi-part",
        )
        for code in reversed(SEVERITIES)
        if counts["by_severity"].get(code)
    ]
    return [
        _kpi("Open alerts", counts["alerts"], severities or "nothing is open", "/app/alerts"),
        _kpi("Open tickets", counts["tickets"], "waiting for somebody", "/app/tickets"),
        _kpi("Fraud alerts", counts["fraud"], "in 24 hours", "/app/alerts?type=fraud&state=all"),
        _kpi("Punches", counts["punches"], "in the last hour", "/app/heatmap"),
    ]


def _kpi(name: str, number: int, more: Any, href: str) -> dcc.Link:
    return dcc.Link(
        [
            html.Span(name, className="kpi-name"),
            html.Span(f"{number:,}", className="kpi-number"),
            html.Span(more, className="kpi-more"),
        ],
        href=href,
        className="kpi",
    )


def _table() -> Any:
    columns = [grids.WHO, grids.WHAT, grids.SEVERITY, grids.WHEN, grids.STATE, _ACTIONS]
    table = grids.grid("live-grid", columns, None)
    # Keys are one thing on the whole page (assets/feed_keys.js): the grid leaves them alone.
    table.eventListeners = {
        "rowClicked": ["liveClicked(params)"],
        "selectionChanged": ["liveSelected(params)"],
    }
    table.defaultColDef = {
        **table.defaultColDef,
        "suppressKeyboardEvent": {"function": "liveKeys(params)"},
    }
    table.rowClassRules = {
        **table.rowClassRules,
        "row-done": {"function": "doneRow(params.data)"},
        "row-current": {"function": "currentRow(params.data)"},
        "row-looked": {"function": "lookedRow(params.data)"},
    }
    table.dashGridOptions = {
        **table.dashGridOptions,
        "isFullWidthRow": {"function": "gapRow(params)"},
        "fullWidthCellRenderer": "Gap",
        "getRowHeight": {"function": "liveHeight(params)"},
        # Rows drawn beyond those in sight: in a busy feed they are gone before they are seen.
        "rowBuffer": 3,
    }
    principal = required_principal()
    if principal.may(OPERATE) and principal.user_id is not None:
        table.dashGridOptions["rowSelection"] = {
            "mode": "multiRow",
            "headerCheckbox": True,
            "selectAll": "filtered",
            "isRowSelectable": {"function": "alertRow(params)"},
            "hideDisabledCheckboxes": True,
        }
        table.dashGridOptions["selectionColumnDef"] = {"width": 38, "resizable": False}
    return table


def _none() -> html.Div:
    notice = states.empty(
        "All quiet",
        "Alerts, anomalies and tickets appear here by themselves, within a second of the punch "
        "or signal that caused them.",
        mark="pulse",
    )
    return html.Div(notice, id="live-none", hidden=True)


def _filtered() -> html.Div:
    notice = states.empty("Nothing matches these filters", "Other rows are hidden by them.")
    clear = html.Button("Clear filters", id="live-clear", className="btn")
    return html.Div([notice, clear], id="live-filtered", className="notice-with", hidden=True)
