"""Tickets: the work that waits for people."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboards import browser, callbacks, exports, grids, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor, SiteChoice
from dashboards.marks import aria
from noc.identity.principal import required_principal

TITLE = "Tickets"

PAGE = 200
_VIEWS = (
    ("open", "Open"),
    ("late", "Late or at risk"),
    ("mine", "Mine"),
    ("done", "Resolved"),
    ("all", "All"),
)


def layout(query: dict[str, str]) -> html.Div:
    """The list with its filter; ``?view=`` chooses from a link."""
    view = query.get("view", "open")
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    return html.Div(
        [
            dcc.Store(id="tickets-cursor"),
            html.Div(
                [
                    dmc.SegmentedControl(
                        id="tickets-view",
                        value=view if view in dict(_VIEWS) else "open",
                        data=[{"value": value, "label": label} for value, label in _VIEWS],
                    ),
                    dmc.Select(
                        id="tickets-site",
                        placeholder="All sites",
                        value=query.get("site"),
                        data=sites,
                        clearable=True,
                        searchable=True,
                        className="toolbar-select",
                        **aria(label="Site"),
                    ),
                    html.Span(className="spring"),
                    exports.table("tickets-grid", "tickets"),
                    html.Span(id="tickets-count", className="muted", role="status"),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(34, 46, 46, 46, 46, 46), id="tickets-table", className="fill"),
            html.Button("Show older", id="tickets-more", className="btn", hidden=True, n_clicks=0),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and its next page on demand."""
    callbacks.register(
        ui,
        show,
        Output("tickets-table", "children"),
        Output("tickets-count", "children"),
        Output("tickets-cursor", "data"),
        Output("tickets-more", "hidden"),
        Input("tickets-view", "value"),
        Input("tickets-site", "value"),
    )
    callbacks.register(
        ui,
        more,
        Output("tickets-grid", "rowTransaction"),
        Output("tickets-cursor", "data", allow_duplicate=True),
        Output("tickets-more", "hidden", allow_duplicate=True),
        Input("tickets-more", "n_clicks"),
        State("tickets-cursor", "data"),
        State("tickets-view", "value"),
        State("tickets-site", "value"),
        prevent_initial_call=True,
    )
    browser.keep_address(ui, "tickets-view", "tickets-site")
    fitted = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "fitted", fitted, Input("tickets-table", "children"))


def show(view: Choice, site: SiteChoice) -> tuple[Any, ...]:
    """The first page of the view."""
    page = queries.work.tickets(_filters(view, site), limit=PAGE)
    rows = [row(item) for item in page.items]
    columns = [_NUMBER, _TITLE, _PRIORITY, _OPENED, _DUE, grids.STATE, grids.OWNER]
    table = grids.grid("tickets-grid", columns, rows) if rows else _nothing(view)
    more_than = "+" if page.after else ""
    return (
        table,
        f"{len(rows):,}{more_than} {'ticket' if len(rows) == 1 else 'tickets'}",
        queries.work.next_key(page),
        page.after is None,
    )


def more(_: Clicks, cursor: Cursor, view: Choice, site: SiteChoice) -> tuple[Any, ...]:
    """The next page, added below."""
    if not cursor:
        return no_update, no_update, True
    page = queries.work.tickets(_filters(view, site), limit=PAGE, cursor=cursor)
    return (
        {"add": [row(item) for item in page.items]},
        queries.work.next_key(page),
        page.after is None,
    )


def row(ticket: dict[str, Any]) -> dict[str, Any]:
    """A ticket as a row of the grid."""
    return {
        "id": f"ticket:{ticket['id']}",
        "kind": "ticket",
        "who": ticket["person_name"] or ticket["site_name"],
        "where": ticket["site_name"] if ticket["person_name"] else ticket["number"],
        "site_id": ticket["site_id"],
        "title": title(ticket),
        "what": f"{ticket['number']}, opened{words.SOURCE.get(ticket['source'], '')}",
        "severity": ticket["priority"],
        "at": ticket["created_at"].isoformat(),
        "state": ticket["status"],
        "owner": ticket["assignee_name"],
        "sla": ticket["sla"],
        "due": ticket["due_at"] and ticket["due_at"].isoformat(),
        "left": ticket["remaining_seconds"],
    }


def title(ticket: dict[str, Any]) -> str:
    """The ticket's title in words: the machine's prefix and codes are for machines."""
    text = str(ticket["title"])
    if ticket["category"] == "SECURITY_FRAUD" and " - " in text:
        return f"Attendance fraud: {words.say(words.ANOMALY, text.rsplit(' - ', 1)[1]).lower()}"
    kind, _, site = text.removeprefix("[AUTO] ").partition(": ")
    return f"{words.FINDING[kind]}: {site}" if kind in words.FINDING else text


def _filters(view: str | None, site: int | None) -> Any:
    user_id = required_principal().user_id
    return queries.work.ticket_filters(
        open=None if view == "all" else view != "done",
        assignee_id=user_id if view == "mine" else None,
        late=view == "late",
        site=site,
    )


def _nothing(view: str | None) -> html.Div:
    names = {
        "open": "No open tickets",
        "late": "No ticket is late",
        "mine": "Nothing waits for you",
    }
    why = "Tickets open by themselves when a punch scores above the threshold or an audit finds "
    notice = states.empty(names.get(view or "", "No tickets"), why + "something serious.")
    return html.Div(notice, className="panel fill")


_NUMBER = {**grids.WHO, "headerName": "About"}
_TITLE = {**grids.WHAT, "headerName": "What", "flex": 4}
_PRIORITY = {**grids.SEVERITY, "headerName": "Priority"}
_DUE: dict[str, Any] = {"colId": "due", "field": "due", "headerName": "Due"} | {
    "cellRenderer": "Due", "width": 150,
}  # fmt: skip
_OPENED = {**grids.WHEN, "headerName": "Opened"}
