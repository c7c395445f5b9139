"""The tickets whose time is over, or nearly, by name."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import marks, states, words
from dashboards.overview.numbers import Numbers
from dashboards.overview.parts import address
from dashboards.tickets.clock import left
from dashboards.tickets.wording import title


def late(numbers: Numbers) -> html.Section:
    """Overdue and at risk, the most urgent first, with what they have left."""
    grid, standing = numbers.tickets
    number = standing["overdue"] + standing["at_risk"]
    if not grid:
        body: Any = states.empty(
            "Nothing to be late with", "Each ticket gets its time by its priority when it opens."
        )
    elif not number:
        body = states.empty("Every ticket is in time", "None has less than a quarter of its time.")
    else:
        zones = numbers.places
        body = html.Ol(
            [html.Li(_line(ticket, zones)) for ticket in numbers.urgent], className="late"
        )
    return marks.section(
        "Tickets late or at risk",
        html.Div([body, _rest(number, len(numbers.urgent)) if number else None]),
        aside=html.Span("most urgent first", className="muted"),
        className="over-wide",
    )


def _line(ticket: dict[str, Any], zones: dict[str, dict[str, str]]) -> list[Any]:
    zone = zones.get(str(ticket["site_id"]), {}).get("timezone")
    about = [ticket["number"], ticket["person_name"], ticket["site_name"]]
    return [
        marks.severity(ticket["priority"]),
        html.Div(
            [
                marks.opens(f"ticket:{ticket['id']}", title(ticket)),
                html.Span(" · ".join(filter(None, about)), className="late-about"),
            ],
            className="late-what",
        ),
        html.Span(ticket["assignee_name"] or "Nobody yet", className="muted late-who"),
        left(ticket, zone),
    ]


def _rest(number: int, shown: int) -> html.P | None:
    if number <= shown:
        return None
    href = address("tickets", view="overdue", show="board")
    return html.P(
        [
            f"{words.count(number - shown, 'other ticket')} late or at risk. ",
            dcc.Link("See them on the board", href=href, className="link"),
        ],
        className="muted over-foot",
    )
