"""The live feed: what is happening now, filling itself, and the first thing to do about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from pydantic import Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, grids, marks, queries, states, words
from dashboards.marks import aria, data, icon
from noc.alerts import lifecycle
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.rest.problems import Problem

TITLE = "Live feed"

_ACTIONS: dict[str, Any] = {
    "width": 140, "colId": "act", "headerName": "", "cellRenderer": "Actions", "sortable": False,
}  # fmt: skip


def layout(_: dict[str, str]) -> html.Div:
    """The page, already holding the last events of the log."""
    columns = [grids.WHO, grids.WHAT, grids.SEVERITY, grids.WHEN, grids.STATE, _ACTIONS]
    return html.Div(
        [
            dcc.Store(id="live-seed", data=queries.activity.recent_frames()),
            dcc.Store(id="feed-action"),
            dcc.Store(id="feed-result"),
            dcc.Store(id="kpi-tick"),
            dcc.Interval(id="kpi-clock", interval=30_000),
            html.Div(strip(queries.activity.counts(utcnow())), id="kpis", className="kpis"),
            _toolbar(),
            html.Div(
                grids.grid("live-grid", columns, None),
                id="live-table",
                className="fill",
                hidden=True,
            ),
            html.Div([_none(), _filtered()], id="live-empty", className="fill panel", hidden=True),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """The feed runs in the browser; the server counts, and acts on alerts."""
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "seed", done, Input("live-seed", "data"))
    browser.call(ui, "filterSite", done, Input("live-site", "value"))
    browser.call(ui, "acted", done, Input("feed-result", "data"))
    callbacks.register(
        ui,
        count,
        Output("kpis", "children"),
        Input("kpi-clock", "n_intervals"),
        Input("kpi-tick", "data"),
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        act,
        Output("feed-result", "data"),
        Input("feed-action", "data"),
        prevent_initial_call=True,
    )


def count(_interval: Any, _tick: Any) -> list[Any]:
    """The numbers above the feed, anew."""
    return strip(queries.activity.counts(utcnow()))


class Wanted(TypedDict):
    """What the reader pressed: the row, and what to do with it."""

    id: Annotated[str, Field(pattern=r"^alert:[0-9]{1,18}$")]
    action: Literal["acknowledge", "undo"]


def act(wanted: Wanted) -> dict[str, Any]:
    """Acknowledge an alert, or take that back; what came of it, in words.

    403 without ``noc:operate``. An alert that cannot be treated so (any more), or is not there
    for this reader, answers ``ok`` False with the reason, and nothing is changed.
    """
    principal = check(OPERATE)
    alert_id = int(wanted["id"].removeprefix("alert:"))
    undo = wanted["action"] == "undo"
    step = lifecycle.reopen if undo else lifecycle.acknowledge
    try:
        alert = step(alert_id, user_id=principal.user_id, now=utcnow(), site_ids=principal.site_ids)
        session().commit()
    except Problem as problem:
        session().rollback()
        return {"id": wanted["id"], "ok": False, "words": problem.detail}
    return {
        "id": wanted["id"],
        "ok": True,
        "state": alert.status,
        "undo": not undo,
        "words": "Alert is new again" if undo else "Alert acknowledged",
    }


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


def _toolbar() -> html.Div:
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    return html.Div(
        [
            html.Div(
                [_chip("severity", code, marks.severity(code)) for code in reversed(SEVERITIES)],
                className="chips",
            ),
            html.Div(
                [_chip("kind", kind, words.KINDS[kind]) for kind in words.KINDS],
                className="chips",
            ),
            dmc.Select(
                id="live-site",
                placeholder="All sites",
                data=sites,
                clearable=True,
                searchable=True,
                className="toolbar-site",
                **aria(label="Site"),
            ),
            html.Span(className="spring"),
            html.Button([icon("pause"), html.Span("Pause")], id="live-pause", className="chip"),
            html.Button(
                icon("rows"),
                className="btn-icon density",
                title="Switch between roomy and tight rows",
                **aria(label="Switch between roomy and tight rows"),
            ),
        ],
        className="toolbar",
        role="toolbar",
        **aria(label="Filters of the feed"),
    )


def _chip(field: str, value: str, label: Any) -> html.Button:
    return html.Button(
        [label, html.Span("0", className="chip-count")],
        className="chip",
        **data(facet=field, value=value),
        **aria(pressed="false"),
    )


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
