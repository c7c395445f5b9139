"""Tickets as rows."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import grids, states, words
from dashboards.tickets.wording import title

PAGE = 200


def table(items: list[dict[str, Any]], view: str | None) -> Any:
    """The rows, or what will bring some."""
    if not items:
        return _nothing(view)
    columns = [_NUMBER, _TITLE, _PRIORITY, _OPENED, _DUE, grids.STATE, grids.OWNER]
    return grids.grid("tickets-grid", columns, [row(item) for item in items])


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


def _nothing(view: str | None) -> html.Div:
    names = {
        "open": "No open tickets",
        "overdue": "No ticket is overdue",
        "at_risk": "No ticket is at risk",
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
