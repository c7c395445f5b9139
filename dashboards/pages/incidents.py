"""Incidents: what belongs together, open ones first, with counts beside the filters."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html, no_update

from dashboards import browser, callbacks, exports, grids, queries, states, words
from dashboards.callbacks import Choice, Clicks, SiteChoice, UuidCursor
from dashboards.marks import aria
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.incidents.models import STATUSES
from noc.incidents.queries import IncidentPage

TITLE = "Incidents"

PAGE = 200
_STATES = ("open", *STATUSES, "all")
_PERIODS = (("1", "24 h"), ("7", "7 days"), ("30", "30 days"), ("all", "All"))

_SCORE: dict[str, Any] = {"colId": "sure", "field": "sure", "headerName": "Score"} | {
    "width": 84, "cellRenderer": "PlainScore",
    "headerTooltip": "How surely it belongs together, 0 to 1",
}  # fmt: skip
_ALERTS: dict[str, Any] = {"colId": "alerts", "field": "alerts", "headerName": "Alerts"} | {
    "width": 84, "cellClass": "num",
}  # fmt: skip
_BY: dict[str, Any] = grids.OWNER | {"headerName": "Looked into by"}


def layout(query: dict[str, str]) -> html.Div:
    """The list with its filters; ``?state=&severity=&site=&days=`` narrow it from a link."""
    state, severity, days = query.get("state"), query.get("severity"), query.get("days")
    return html.Div(
        [
            dcc.Store(id="incidents-cursor"),
            html.Div(
                [
                    dmc.Select(
                        id="incidents-state",
                        value=state if state in _STATES else "open",
                        data=_states({}),
                        allowDeselect=False,
                        **_select("State"),
                    ),
                    dmc.Select(
                        id="incidents-severity",
                        value=severity if severity in SEVERITIES else None,
                        placeholder="Any severity",
                        data=_severities({}),
                        clearable=True,
                        **_select("At least so severe"),
                    ),
                    dmc.Select(
                        id="incidents-site",
                        value=query.get("site"),
                        placeholder="All sites",
                        data=_sites({}),
                        clearable=True,
                        searchable=True,
                        **_select("Site"),
                    ),
                    dmc.SegmentedControl(
                        id="incidents-days",
                        value=days if days in dict(_PERIODS) else "all",
                        data=[{"value": value, "label": label} for value, label in _PERIODS],
                        **aria(label="Found within"),
                    ),
                    html.Span(className="spring"),
                    exports.table("incidents-grid", "incidents"),
                    html.Span(id="incidents-count", className="muted", role="status"),
                ],
                className="toolbar",
            ),
            html.Div(
                states.skeleton(34, 46, 46, 46, 46, 46), id="incidents-table", className="fill"
            ),
            html.Button(
                "Show older", id="incidents-more", className="btn", hidden=True, n_clicks=0
            ),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and its next page on demand."""
    controls = [f"incidents-{name}" for name in ("state", "severity", "site", "days")]
    callbacks.register(
        ui,
        show,
        Output("incidents-table", "children"),
        Output("incidents-count", "children"),
        Output("incidents-state", "data"),
        Output("incidents-severity", "data"),
        Output("incidents-site", "data"),
        Output("incidents-cursor", "data"),
        Output("incidents-more", "hidden"),
        *[Input(control, "value") for control in controls],
        Input({"type": "retry", "page": "incidents", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        more,
        Output("incidents-grid", "rowTransaction"),
        Output("incidents-cursor", "data", allow_duplicate=True),
        Output("incidents-more", "hidden", allow_duplicate=True),
        Input("incidents-more", "n_clicks"),
        State("incidents-cursor", "data"),
        *[State(control, "value") for control in controls],
        prevent_initial_call=True,
    )
    browser.keep_address(ui, *controls)
    fitted = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "fitted", fitted, Input("incidents-table", "children"))


def show(
    state: Choice, severity: Choice, site: SiteChoice, days: Choice, _retries: Clicks = None
) -> tuple[Any, ...]:
    """The first page of what the filters keep, with the counts of each filter's choices."""
    built: Any = states.or_failed(
        "The incidents",
        {"type": "retry", "page": "incidents", "n": 0},
        lambda: _show(state, severity, site, days),
    )
    if isinstance(built, tuple):
        return built
    failed = html.Div(built, className="panel fill")
    return failed, "", no_update, no_update, no_update, None, True


def _show(
    state: str | None, severity: str | None, site: int | None, days: str | None
) -> tuple[Any, ...]:
    now = utcnow()
    wanted = queries.incidents.filters(state, severity, site, _days(days), now)
    page = queries.incidents.page(wanted, now=now, limit=PAGE)
    counts = queries.incidents.counts(wanted, now)
    rows = [row(item) for item in page.items]
    return (
        _table(rows) if rows else _nothing(state),
        words.count(counts["total"], "incident"),
        _states(counts["status"]),
        _severities(counts["severity"]),
        _sites(counts["site"]),
        _key(page),
        page.after is None,
    )


def more(
    _: Clicks,
    cursor: UuidCursor,
    state: Choice,
    severity: Choice,
    site: SiteChoice,
    days: Choice,
) -> tuple[Any, ...]:
    """The next page, added below."""
    if not cursor:
        return no_update, no_update, True
    now = utcnow()
    wanted = queries.incidents.filters(state, severity, site, _days(days), now)
    page = queries.incidents.page(wanted, now=now, limit=PAGE, after=cursor)
    return {"add": [row(item) for item in page.items]}, _key(page), page.after is None


def row(incident: dict[str, Any]) -> dict[str, Any]:
    """An incident as a row of the grid; what it is about are the kinds of its signals."""
    kinds = [signal["kind"] for signal in incident["signals"].values()]
    first: dict[str, Any] = next(iter(incident["signals"].values()), {})
    alerts = len(incident["alert_ids"])
    return {
        "id": f"incident:{incident['id']}",
        "kind": "incident",
        "who": incident["person_name"],
        "where": incident["site_name"] or "",
        "site_id": incident["site_id"],
        "title": ", ".join(words.say(words.FINDING, kind) for kind in dict.fromkeys(kinds)),
        "what": first.get("summary", "").removeprefix(f"{incident['person_name']}: "),
        "severity": incident["combined_severity"],
        "sure": incident["correlation_score"],
        "alerts": alerts,
        "at": incident["detected_at"].isoformat(),
        "state": incident["status"],
        "owner": incident["investigated_by_name"],
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    columns = [
        grids.WHO, grids.WHAT, grids.SEVERITY, _ALERTS, _SCORE, grids.WHEN, grids.STATE, _BY,
    ]  # fmt: skip
    table: Any = grids.grid("incidents-grid", columns, rows)
    table.eventListeners = {
        "rowClicked": ["goToIncident(params)"],
        "cellKeyDown": ["keyInIncidents(params)"],
    }
    return table


def _nothing(state: str | None) -> html.Div:
    if state in (None, "open"):
        notice = states.empty(
            "No open incidents",
            "One opens by itself when an alert comes within minutes of something the audit has "
            "found about the same guard or site, such as a silent phone.",
        )
    else:
        notice = states.empty("No incidents match", "Widen a filter to see more.")
    return html.Div(notice, className="panel fill")


def _states(counts: dict[str, int]) -> list[dict[str, str]]:
    every = sum(counts.values())
    named = {"open": ("Not closed", every - counts.get("CLOSED", 0)), "all": ("All", every)}
    return [
        _choice(code, *named.get(code, (words.say(words.STATE, code), counts.get(code, 0))))
        for code in _STATES
    ]


def _severities(counts: dict[str, int]) -> list[dict[str, str]]:
    """Each choice keeps its severity and what is worse: the count is of all of these."""
    choices = []
    total = 0
    for code in reversed(SEVERITIES):
        total += counts.get(code, 0)
        name = words.say(words.SEVERITY, code)
        worst = code == SEVERITIES[-1]
        choices.append(_choice(code, name if worst else f"{name} or worse", total))
    return choices


def _sites(counts: dict[str, int]) -> list[dict[str, str]]:
    return [
        _choice(key, site["name"], counts.get(key, 0))
        for key, site in queries.reader.sites().items()
    ]


def _choice(value: str, label: str, count: int) -> dict[str, str]:
    return {"value": value, "label": f"{label} · {count:,}"}


def _days(days: str | None) -> int | None:
    return int(days) if days in ("1", "7", "30") else None


def _key(page: IncidentPage) -> list[str] | None:
    return [page.after[0].isoformat(), str(page.after[1])] if page.after else None


def _select(label: str) -> dict[str, Any]:
    return {"className": "toolbar-select", **aria(label=label)}
