"""Findings of the audit: where which kinds are, what became of them, and what waits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html, no_update

from dashboards import browser, callbacks, exports, grids, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor, SiteChoice
from dashboards.findings import acting, summary
from dashboards.marks import aria
from noc.audit.models import STATUSES
from noc.audit.schemas import FindingFilters
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal

TITLE = "Findings"

PAGE = 200
_STATES = ("open", *STATUSES, "all")
_PERIODS = {"1": "in 24 h", "7": "in 7 days", "30": "in 30 days"}
_CONTROLS = ("state", "type", "category", "severity", "site", "days")

_ACT: dict[str, Any] = {"colId": "act", "headerName": "", "field": "state"} | {
    "cellRenderer": "FindingAct", "width": 124, "sortable": False,
}  # fmt: skip
_TICKET: dict[str, Any] = {"colId": "ticket", "field": "ticket", "headerName": "Ticket"} | {
    "cellRenderer": "FindingTicket", "width": 104,
}  # fmt: skip


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?state=&type=&category=&severity=&site=&days=`` narrow it from a link."""
    state, days = query.get("state"), query.get("days")
    kind, category = query.get("type"), query.get("category")
    severity = query.get("severity")
    return html.Div(
        [
            dcc.Store(id="findings-cursor"),
            dcc.Store(id="findings-wanted"),
            dcc.Store(id="findings-result"),
            dcc.Store(id="findings-changed", data=0),
            html.Div(states.skeleton(44, 150), id="findings-summary", className="stack"),
            html.Div(
                [
                    _select("state", "State", state if state in _STATES else "open", None),
                    _select("type", "Type", kind if kind in words.FINDING else None, "Any type"),
                    _select(
                        "category",
                        "Category",
                        category if category in summary.CATEGORIES else None,
                        "Any category",
                    ),
                    _select(
                        "severity",
                        "Severity",
                        severity if severity in SEVERITIES else None,
                        "Any severity",
                    ),
                    _select("site", "Site", query.get("site"), "All sites"),
                    dmc.SegmentedControl(
                        id="findings-days",
                        value=days if days in _PERIODS else "7",
                        data=[
                            {"value": value, "label": label.removeprefix("in ")}
                            for value, label in _PERIODS.items()
                        ],
                        **aria(label="Found within"),
                    ),
                    html.Span(className="spring"),
                    exports.table("findings-grid", "findings"),
                    html.Span(id="findings-count", className="muted", role="status"),
                ],
                className="toolbar",
            ),
            acting.bar(),
            html.Div(
                states.skeleton(34, 46, 46, 46, 46), id="findings-table", className="fill"
            ),
            html.Button("Show older", id="findings-more", className="btn", hidden=True, n_clicks=0),
        ],
        className="page page-full page-findings",
    )  # fmt: skip


def register(ui: Dash) -> None:
    """Read the list when a filter changes, the counts also when something was done."""
    controls = [f"findings-{name}" for name in _CONTROLS]
    callbacks.register(
        ui,
        show,
        Output("findings-table", "children"),
        Output("findings-cursor", "data"),
        Output("findings-more", "hidden"),
        *[Input(control, "value") for control in controls],
        Input({"type": "retry", "page": "findings", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        count,
        Output("findings-summary", "children"),
        Output("findings-count", "children"),
        *[Output(control, "data") for control in controls[:-1]],
        *[Input(control, "value") for control in controls],
        Input("findings-changed", "data"),
    )
    callbacks.register(
        ui,
        more,
        Output("findings-grid", "rowTransaction"),
        Output("findings-cursor", "data", allow_duplicate=True),
        Output("findings-more", "hidden", allow_duplicate=True),
        Input("findings-more", "n_clicks"),
        State("findings-cursor", "data"),
        *[State(control, "value") for control in controls],
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        acting.act,
        Output("findings-result", "data"),
        Input("findings-wanted", "data"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.keep_address(ui, *controls)
    browser.call(ui, "fitted", done, Input("findings-table", "children"))
    browser.call(ui, "findingsActed", done, Input("findings-result", "data"), on_load=False)
    browser.call(ui, "findingsChosen", done, Input("findings-grid", "selectedRows"), on_load=False)
    browser.call(ui, "findingsOutcome", done, Input("findings-outcome", "value"), on_load=False)


def show(
    state: Choice,
    kind: Choice,
    category: Choice,
    severity: Choice,
    site: SiteChoice,
    days: Choice,
    _retries: Clicks = None,
) -> tuple[Any, ...]:
    """The first page of what the filters keep."""
    wanted = _filters(state, kind, category, severity, site, days)
    built: Any = states.or_failed(
        "The findings",
        {"type": "retry", "page": "findings", "n": 0},
        lambda: _show(wanted, state),
    )
    if isinstance(built, tuple):
        return built
    return html.Div(built, className="panel fill"), None, True


def _show(wanted: FindingFilters, state: str | None) -> tuple[Any, ...]:
    page = queries.findings.page(wanted, limit=PAGE)
    rows = [row(item) for item in page.items]
    table = _table(rows) if rows else _nothing(state)
    return table, queries.work.next_key(page), page.after is None


def count(
    state: Choice,
    kind: Choice,
    category: Choice,
    severity: Choice,
    site: SiteChoice,
    days: Choice,
    _changed: Clicks = None,
) -> tuple[Any, ...]:
    """What became of them, where they are, and how many each choice of a filter would list."""
    wanted = _filters(state, kind, category, severity, site, days)
    counts = queries.findings.counts(wanted)
    period = days if days in _PERIODS else "7"
    became = queries.findings.became(int(period), site, utcnow())
    sites = queries.reader.sites()
    return (
        [
            html.Div(summary.sentence(became, _PERIODS[period]), className="lede"),
            summary.matrix(queries.findings.matrix(wanted), sites, kind, site),
        ],
        words.count(counts["total"], "finding"),
        _states(counts["status"]),
        [_choice(code, name, counts["finding_type"]) for code, name in words.FINDING.items()],
        [_choice(code, summary.CATEGORIES[code], counts["category"]) for code in summary.USED],
        [
            _choice(code, words.say(words.SEVERITY, code), counts["severity"])
            for code in reversed(SEVERITIES)
        ],
        [_choice(key, place["name"], counts["site"]) for key, place in sites.items()],
    )


def more(
    _: Clicks,
    cursor: Cursor,
    state: Choice,
    kind: Choice,
    category: Choice,
    severity: Choice,
    site: SiteChoice,
    days: Choice,
) -> tuple[Any, ...]:
    """The next page, added below."""
    if not cursor:
        return no_update, no_update, True
    wanted = _filters(state, kind, category, severity, site, days)
    page = queries.findings.page(wanted, limit=PAGE, after=cursor)
    return (
        {"add": [row(item) for item in page.items]},
        queries.work.next_key(page),
        page.after is None,
    )


def row(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding as a row of the grid."""
    resolution = finding["resolution"]
    return {
        "id": f"finding:{finding['id']}",
        "kind": "finding",
        "who": finding["person_name"],
        "where": finding["site_name"] or "",
        "site_id": finding["site_id"],
        "title": words.say(words.FINDING, finding["finding_type"]),
        "what": finding["evidence_summary"].removeprefix(f"{finding['person_name']}: "),
        "severity": finding["severity"],
        "at": finding["detected_at"].isoformat(),
        "state": finding["status"],
        "outcome": words.say(words.RESOLUTION, resolution) if resolution else "",
        "ticket": finding["ticket_number"],
        "ticket_id": finding["escalation_ticket_id"],
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    columns = [
        grids.WHO, grids.WHAT, grids.SEVERITY, grids.WHEN, _TICKET, grids.STATE,
    ]  # fmt: skip
    operates = required_principal().may(OPERATE)
    table: Any = grids.grid("findings-grid", [*columns, _ACT] if operates else columns, rows)
    if operates:
        table.dashGridOptions = table.dashGridOptions | {
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False},
        }
    table.eventListeners = {
        "rowClicked": ["openRow(params)"],
        "cellKeyDown": ["keyInFindings(params)"],
    }
    return table


def _nothing(state: str | None) -> html.Div:
    if state in (None, "open"):
        notice = states.empty(
            "Nothing is open",
            "The audit looks every five minutes who is silent or away, and every hour at rounds, "
            "movement and what is usual on each site.",
        )
    else:
        notice = states.empty("No findings match", "Widen a filter to see more.")
    return html.Div(notice, className="panel fill")


def _filters(
    state: str | None,
    kind: str | None,
    category: str | None,
    severity: str | None,
    site: int | None,
    days: str | None,
) -> FindingFilters:
    since = utcnow() - dt.timedelta(days=int(days if days in _PERIODS else "7"))
    return queries.findings.filters(state, kind, category, severity, site, since)


def _states(counts: dict[str, int]) -> list[dict[str, str]]:
    every = sum(counts.values())
    totals = counts | {"open": every - counts.get("RESOLVED", 0), "all": every}
    names = {"open": "Open", "all": "All"}
    return [_choice(code, names.get(code) or words.STATE[code], totals) for code in _STATES]


def _choice(value: str, label: str, counts: dict[str, int]) -> dict[str, str]:
    return {"value": value, "label": f"{label} · {counts.get(value, 0):,}"}


def _select(name: str, label: str, value: str | None, nothing: str | None) -> dmc.Select:
    return dmc.Select(
        id=f"findings-{name}",
        value=value,
        placeholder=nothing,
        data=_states({}) if name == "state" else [],
        clearable=nothing is not None,
        allowDeselect=False,
        searchable=name == "site",
        className="toolbar-select",
        **aria(label=label),
    )
