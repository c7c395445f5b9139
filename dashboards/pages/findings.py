"""Findings of the audit: where which kinds are, what became of them, and what waits."""

from __future__ import annotations

from typing import Any

from dash import Dash, html

from dashboards import grids, listing, queries, states, words
from dashboards.callbacks import Clicks, Cursor
from dashboards.findings import acting, counting, filters
from dashboards.findings.filters import LIST, Chosen
from dashboards.listing import Slice
from noc.audit.schemas import FindingFilters
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal

TITLE = "Findings"

_ACT: dict[str, Any] = {"colId": "act", "headerName": "", "field": "state"} | {
    "cellRenderer": "FindingAct", "width": 124, "sortable": False,
}  # fmt: skip
_TICKET: dict[str, Any] = {"colId": "ticket", "field": "ticket", "headerName": "Ticket"} | {
    "cellRenderer": "FindingTicket", "width": 104,
}  # fmt: skip


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?state=&type=&category=&severity=&site=&days=`` narrow it from a link."""
    summary = html.Div(states.skeleton(44, 150), id="findings-summary", className="stack")
    return LIST.layout(
        filters.controls(query),
        above=[*acting.stores(), counting.store(), summary],
        between=[acting.bar()],
        look="page-findings",
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, the counts also when something was done."""
    LIST.register(ui, show, more)
    counting.register(ui)
    acting.register(ui)


def show(chosen: Chosen, _again: Clicks = None) -> tuple[Any, ...]:
    """The first page of what the filters keep."""
    wanted = filters.wanted(chosen)
    return LIST.first(lambda: _read(wanted), _table, _nothing(chosen))


def more(_: Clicks, cursor: Cursor, chosen: Chosen) -> tuple[Any, ...]:
    """The next page, added below."""
    return LIST.following(cursor, lambda: _read(filters.wanted(chosen), cursor))


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


def _read(wanted: FindingFilters, cursor: Cursor = None) -> Slice:
    page = queries.findings.page(wanted, limit=listing.PAGE, after=cursor)
    return Slice([row(item) for item in page.items], queries.work.next_key(page))


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


def _nothing(chosen: Chosen) -> html.Div:
    if chosen["state"] in (None, "open"):
        return states.empty(
            "Nothing is open",
            "The audit looks every five minutes who is silent or away, and every hour at rounds, "
            "movement and what is usual on each site.",
        )
    return states.empty("No findings match", "Widen a filter to see more.")
