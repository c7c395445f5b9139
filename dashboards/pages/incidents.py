"""Incidents: what belongs together, open ones first, with counts beside the filters."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import Dash, html
from typing_extensions import TypedDict

from dashboards import grids, listing, queries, states, words
from dashboards.callbacks import Choice, Clicks, SiteChoice, UuidCursor
from dashboards.listing import Choices, Counted, Listing, Slice
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.incidents.models import STATUSES
from noc.incidents.schemas import IncidentFilters

TITLE = "Incidents"

LIST = Listing(
    name="incidents",
    noun="incident",
    filters=("state", "severity", "site", "days"),
    counted=("state", "severity", "site"),
)

_PERIODS = {"1": "24 h", "7": "7 days", "30": "30 days", "all": "All"}

_SCORE: dict[str, Any] = {"colId": "sure", "field": "sure", "headerName": "Score"} | {
    "width": 84, "cellRenderer": "PlainScore",
    "headerTooltip": "How surely it belongs together, 0 to 1",
}  # fmt: skip
_ALERTS: dict[str, Any] = {"colId": "alerts", "field": "alerts", "headerName": "Alerts"} | {
    "width": 84, "cellClass": "num",
}  # fmt: skip
_BY: dict[str, Any] = grids.OWNER | {"headerName": "Looked into by"}


class Chosen(TypedDict):
    """What the filters hold."""

    state: Choice
    severity: Choice
    site: SiteChoice
    days: Choice


def layout(query: dict[str, str]) -> html.Div:
    """The list with its filters; ``?state=&severity=&site=&days=`` narrow it from a link."""
    return LIST.layout(
        [
            LIST.select(query, "state", "State", _states()),
            LIST.select(
                query, "severity", "At least so severe", _severities(), anything="Any severity"
            ),
            LIST.select(query, "site", "Site", listing.by_site(), anything="All sites"),
            LIST.periods(query, _PERIODS, "all"),
        ]
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and its next page on demand."""
    LIST.register(ui, show, more)


def show(chosen: Chosen, _again: Clicks = None) -> tuple[Any, ...]:
    """The first page of what the filters keep, with the counts of each filter's choices."""
    now = utcnow()
    wanted = _filters(chosen, now)
    return LIST.first(
        lambda: _read(wanted, now), _table, _nothing(chosen), lambda: _counted(wanted, now)
    )


def more(_: Clicks, cursor: UuidCursor, chosen: Chosen) -> tuple[Any, ...]:
    """The next page, added below."""
    now = utcnow()
    return LIST.following(cursor, lambda: _read(_filters(chosen, now), now, cursor))


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


def _filters(chosen: Chosen, now: dt.datetime) -> IncidentFilters:
    days = chosen["days"]
    back = int(days) if days in _PERIODS and days != "all" else None
    return queries.incidents.filters(chosen["state"], chosen["severity"], chosen["site"], back, now)


def _read(wanted: IncidentFilters, now: dt.datetime, cursor: UuidCursor = None) -> Slice:
    page = queries.incidents.page(wanted, now=now, limit=listing.PAGE, after=cursor)
    key = [page.after[0].isoformat(), str(page.after[1])] if page.after else None
    return Slice([row(item) for item in page.items], key)


def _counted(wanted: IncidentFilters, now: dt.datetime) -> Counted:
    counts = queries.incidents.counts(wanted, now)
    choices = [
        _states(counts["status"]),
        _severities(counts["severity"]),
        listing.by_site(counts["site"]),
    ]
    return Counted(counts["total"], choices)


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


def _nothing(chosen: Chosen) -> html.Div:
    if chosen["state"] in (None, "open"):
        return states.empty(
            "No open incidents",
            "One opens by itself when an alert comes within minutes of something the audit has "
            "found about the same guard or site, such as a silent phone.",
        )
    return states.empty("No incidents match", "Widen a filter to see more.")


def _states(counts: dict[str, int] | None = None) -> Choices:
    return listing.by_state(STATUSES, "CLOSED", counts, opened="Not closed")


def _severities(counts: dict[str, int] | None = None) -> Choices:
    """Each choice keeps its severity and what is worse: the count is of all of these."""
    choices = []
    total = 0
    for code in reversed(SEVERITIES):
        name = words.say(words.SEVERITY, code)
        label = name if code == SEVERITIES[-1] else f"{name} or worse"
        total += (counts or {}).get(code, 0)
        choices.append(listing.choice(code, label, None if counts is None else total))
    return choices
