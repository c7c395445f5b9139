"""Tickets as cards in columns, what is due first on top.

``assets/tickets.js`` counts the clocks down and lets cards be moved, by keys, by their menu and by
dragging; what it needs of a card stands in the card's data attributes.
"""

from __future__ import annotations

import json
from typing import Any

from dash import html

from dashboards import marks, states, words
from dashboards.marks import aria, data, icon_button
from dashboards.tickets.clock import left
from dashboards.tickets.wording import title
from noc.tickets.board import COLUMNS
from noc.tickets.models import RESOLUTIONS
from noc.tickets.transitions import TRANSITIONS

CARDS = 50
"""Cards of a column; the rest is in the table."""

NAMES = {
    "waiting": "New, assigned",
    "working": "In progress",
    "on_hold": "On hold",
    "resolved": "Resolved in 24 h",
}
_EMPTY = {
    "waiting": "What opens, by itself or by hand, begins here.",
    "working": "Nobody is working on a ticket.",
    "on_hold": "Nothing waits for others.",
    "resolved": "Nothing was resolved in the last day.",
}

_USUAL = ("IN_PROGRESS", "ASSIGNED", "ON_HOLD", "RESOLVED", "NEW")
"""Where cards go, the usual way first."""

Move = dict[str, str]


def board(
    columns: dict[str, dict[str, Any]], zones: dict[str, dict[str, str]], *, may_move: bool
) -> html.Div:
    """The columns; ``zones`` are the sites by id. Cards have a menu for who ``may_move`` them."""
    hint = (
        "Arrow keys go from card to card; Enter opens one, M shows where it can go, and Shift with "
        "an arrow moves it."
    )
    return html.Div(
        [
            html.P(hint, className="board-hint", id="board-hint") if may_move else None,
            html.Div(
                [_column(name, columns[name], zones, may_move=may_move) for name in COLUMNS],
                className="board",
            ),
        ],
        className="board-frame",
    )


def moves(ticket: dict[str, Any]) -> list[Move]:
    """Where the ticket can go: status, the column it stands in there, and what that is called.

    What ends it for good (closing, cancelling) is done in the drawer, where all of it is in sight.
    """
    found = []
    allowed = TRANSITIONS[ticket["status"]]
    for status in (status for status in _USUAL if status in allowed):
        column = next(name for name, statuses in COLUMNS.items() if status in statuses)
        if status != "RESOLVED":
            found.append({"to": status, "column": column, "label": _label(ticket, status)})
            continue
        found += [
            {
                "to": status,
                "column": column,
                "label": f"Resolve: {words.say(words.RESOLUTION, code).lower()}",
                "resolution": code,
            }
            for code in RESOLUTIONS
        ]
    return found


def _label(ticket: dict[str, Any], status: str) -> str:
    if status == "IN_PROGRESS":
        return {"RESOLVED": "Reopen", "ON_HOLD": "Go on"}.get(ticket["status"], "Start work")
    if status == "ASSIGNED":
        return "Take it" if ticket["assignee_id"] is None else "Back to assigned"
    return {"ON_HOLD": "Put on hold", "NEW": "Put back, for anybody"}[status]


def _column(
    name: str, column: dict[str, Any], zones: dict[str, dict[str, str]], *, may_move: bool
) -> html.Section:
    shown = column["tickets"]
    more = column["count"] - len(shown)
    cards = [html.Li(_card(ticket, zones, name, may_move=may_move)) for ticket in shown]
    return html.Section(
        [
            html.Header(
                [
                    html.H2(NAMES[name]),
                    html.Span(
                        f"{column['count']:,}",
                        className="board-count",
                        **aria(label=words.count(column["count"], "ticket")),
                    ),
                ],
                className="board-head",
            ),
            html.Ol(cards, className="board-cards")
            if cards
            else html.P(_EMPTY[name], className="board-none"),
            html.P(f"{more:,} more, due later: see the table.", className="board-none")
            if more > 0
            else None,
        ],
        className="board-column",
        **data(column=name),
        **aria(label=NAMES[name]),
    )


def _card(
    ticket: dict[str, Any], zones: dict[str, dict[str, str]], column: str, *, may_move: bool
) -> html.Article:
    zone = zones.get(str(ticket["site_id"]), {}).get("timezone")
    about = " · ".join(filter(None, (ticket["person_name"], ticket["site_name"])))
    open_card = html.Button(
        title(ticket),
        className="card-title",
        **data(open=f"ticket:{ticket['id']}"),
        **(aria(describedby="board-hint") if may_move else {}),
    )
    menu = icon_button(
        "move",
        f"Move {ticket['number']}",
        title="Move the ticket",
        className="card-move",
        **aria(haspopup="menu"),
    )
    movable = moves(ticket) if may_move else []
    return html.Article(
        [
            html.Div(
                [
                    html.Span(ticket["number"], className="card-number"),
                    marks.severity(ticket["priority"]),
                    menu if movable else None,
                ],
                className="card-head",
            ),
            open_card,
            html.P(about or "Whole company", className="card-about", title=about),
            html.Div(
                [
                    html.Span(
                        ticket["assignee_name"] or "Nobody yet",
                        className="card-who" if ticket["assignee_name"] else "card-who muted",
                    ),
                    left(ticket, zone),
                ],
                className="card-foot",
            ),
        ],
        className="card",
        draggable="true" if movable else "false",
        **data(
            ticket=str(ticket["id"]),
            version=str(ticket["version"]),
            number=ticket["number"],
            column=column,
            moves=json.dumps(movable),
        ),
    )


def skeleton() -> html.Div:
    """The columns before they are read."""
    return html.Div(
        [html.Div(states.skeleton(24, 118, 118, 118)) for _ in COLUMNS],
        className="board",
    )
