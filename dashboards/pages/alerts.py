"""Alerts: all of them, open ones first, with counts beside the filters."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboards import ages, browser, callbacks, exports, grids, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor, SiteChoice
from dashboards.marks import aria
from noc.domain import SEVERITIES

TITLE = "Alerts"

PAGE = 200
_STATES = ("open", "NEW", "ACKNOWLEDGED", "ASSIGNED", "SHELVED", "MUTED", "RESOLVED", "all")


def layout(query: dict[str, str]) -> html.Div:
    """The list with its filters; ``?state=&severity=&type=&site=&age=`` narrow it from a link."""
    severity, state = query.get("severity"), query.get("state")
    return html.Div(
        [
            dcc.Store(id="alerts-cursor"),
            html.Div(
                [
                    dmc.Select(
                        id="alerts-state",
                        value=state if state in _STATES else "open",
                        data=_states({}),
                        **_select("State"),
                    ),
                    dmc.Select(
                        id="alerts-severity",
                        value=severity if severity in SEVERITIES else None,
                        placeholder="Any severity",
                        data=[],
                        clearable=True,
                        **_select("Severity"),
                    ),
                    dmc.Select(
                        id="alerts-type",
                        value=query.get("type"),
                        placeholder="Any type",
                        data=[],
                        clearable=True,
                        **_select("Type"),
                    ),
                    dmc.Select(
                        id="alerts-site",
                        value=query.get("site"),
                        placeholder="All sites",
                        data=[],
                        clearable=True,
                        searchable=True,
                        **_select("Site"),
                    ),
                    dmc.Select(
                        id="alerts-age",
                        value=query.get("age") if query.get("age") in ages.CHOICES else None,
                        placeholder="Any age",
                        data=ages.DATA,
                        clearable=True,
                        **_select("Age"),
                    ),
                    html.Span(className="spring"),
                    exports.table("alerts-grid", "alerts"),
                    html.Span(id="alerts-count", className="muted", role="status"),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(34, 46, 46, 46, 46, 46), id="alerts-table", className="fill"),
            html.Button("Show older", id="alerts-more", className="btn", hidden=True, n_clicks=0),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and its next page on demand."""
    controls = [f"alerts-{name}" for name in ("state", "severity", "type", "site", "age")]
    filters = [Input(control, "value") for control in controls]
    callbacks.register(
        ui,
        show,
        Output("alerts-table", "children"),
        Output("alerts-count", "children"),
        Output("alerts-state", "data"),
        Output("alerts-severity", "data"),
        Output("alerts-type", "data"),
        Output("alerts-site", "data"),
        Output("alerts-cursor", "data"),
        Output("alerts-more", "hidden"),
        *filters,
    )
    callbacks.register(
        ui,
        more,
        Output("alerts-grid", "rowTransaction"),
        Output("alerts-cursor", "data", allow_duplicate=True),
        Output("alerts-more", "hidden", allow_duplicate=True),
        Input("alerts-more", "n_clicks"),
        State("alerts-cursor", "data"),
        *[State(control, "value") for control in controls],
        prevent_initial_call=True,
    )
    browser.keep_address(ui, *controls)
    fitted = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "fitted", fitted, Input("alerts-table", "children"))


def show(
    state: Choice, severity: Choice, kind: Choice, site: SiteChoice, age: Choice = None
) -> tuple[Any, ...]:
    """The first page of what the filters keep, with the counts of each filter's choices."""
    wanted = queries.work.alert_filters(state, severity, kind, site, age)
    page = queries.work.alerts(wanted, limit=PAGE)
    facets = queries.work.alert_counts(wanted)
    rows = [row(item) for item in page.items]
    columns = [grids.WHO, grids.WHAT, grids.SEVERITY, grids.WHEN, grids.STATE, grids.OWNER]
    table = grids.grid("alerts-grid", columns, rows) if rows else _nothing(state)
    severities = {item["value"]: item["count"] for item in facets["severity"]}
    return (
        table,
        words.count(facets["total"], "alert"),
        _states({item["value"]: item["count"] for item in facets["status"]}),
        [
            _choice(code, words.say(words.SEVERITY, code), severities.get(code, 0))
            for code in reversed(SEVERITIES)
        ],
        _types(facets["alert_type"]),
        [
            _choice(str(item["value"]), item["name"], item["count"])
            for item in facets["site_id"]
            if item["value"] is not None
        ],
        queries.work.next_key(page),
        page.after is None,
    )


def more(
    _: Clicks,
    cursor: Cursor,
    state: Choice,
    severity: Choice,
    kind: Choice,
    site: SiteChoice,
    age: Choice = None,
) -> tuple[Any, ...]:
    """The next page, added below."""
    if not cursor:
        return no_update, no_update, True
    page = queries.work.alerts(
        queries.work.alert_filters(state, severity, kind, site, age), limit=PAGE, cursor=cursor
    )
    return (
        {"add": [row(item) for item in page.items]},
        queries.work.next_key(page),
        page.after is None,
    )


def row(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert as a row of the grid."""
    name = alert["person_name"]
    return {
        "id": f"alert:{alert['id']}",
        "kind": "alert",
        "who": name,
        "where": alert["site_name"] or "",
        "site_id": alert["site_id"],
        "title": words.say(words.ALERT, alert["alert_type"]),
        "what": alert["message"].removeprefix(f"{name}: "),
        "severity": alert["severity"],
        "at": alert["occurred_at"].isoformat(),
        "state": alert["status"],
        "owner": alert["assignee_name"],
        "muted": alert["muted"],
    }


def _nothing(state: str | None) -> html.Div:
    if state == "open":
        notice = states.empty(
            "No open alerts",
            "They open by themselves when a punch looks wrong, a phone falls silent or a monitor "
            "reports trouble.",
        )
    else:
        notice = states.empty("No alerts match", "Widen a filter to see more.")
    return html.Div(notice, className="panel fill")


def _states(counts: dict[str, int]) -> list[dict[str, str]]:
    opened = sum(count for code, count in counts.items() if code != "RESOLVED")
    named = {"open": ("Open", opened), "all": ("All", sum(counts.values()))}
    choices = [
        _choice(code, *named.get(code, (words.say(words.STATE, code), counts.get(code, 0))))
        for code in _STATES
        if code != "MUTED"
    ]
    # A muted alert also has one of the statuses, so it is no further number beside theirs.
    choices.insert(-2, {"value": "MUTED", "label": "Muted by a window"})
    return choices


def _types(facet: list[dict[str, Any]]) -> list[dict[str, str]]:
    fraud = sum(item["count"] for item in facet if item["value"] in queries.work.FRAUD_ALERTS)
    others = [
        _choice(item["value"], words.say(words.ALERT, item["value"]), item["count"])
        for item in facet
        if item["value"] not in queries.work.FRAUD_ALERTS
    ]
    return [_choice("fraud", "Attendance fraud", fraud), *others]


def _choice(value: str, label: str, count: int) -> dict[str, str]:
    return {"value": value, "label": f"{label} · {count:,}"}


def _select(label: str) -> dict[str, Any]:
    return {"className": "toolbar-select", "allowDeselect": False, **aria(label=label)}
