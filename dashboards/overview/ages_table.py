"""Open alerts and open tickets by how bad and how old they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboards import ages, exports, marks, states, words
from dashboards.overview.numbers import Numbers
from dashboards.overview.parts import address, number
from dashboards.queries.overview import Grid
from noc.domain import SEVERITIES

_PRIORITIES = ("HIGH", "MEDIUM", "LOW")
_STANDINGS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("overdue", "Overdue", {"view": "overdue"}),
    ("at_risk", "At risk", {"view": "at_risk"}),
    ("on_time", "In time", {"show": "board"}),
    ("paused", "On hold", {"show": "board"}),
)
"""How tickets stand with their time, its word, and where they are: a view, or the board."""


def alerts(numbers: Numbers) -> html.Section:
    """Open alerts by severity and age."""
    grid = numbers.alerts
    if not grid:
        body: Any = states.empty(
            "No open alerts",
            "They open by themselves when a punch looks wrong, a phone falls silent or a monitor "
            "reports trouble.",
        )
    else:
        body = _table("alerts", "severity", tuple(reversed(SEVERITIES)), grid, state="open")
    return marks.section(
        "Open alerts", body, aside=_all(grid, "alert", "alerts", "state"), className="over-half"
    )


def tickets(numbers: Numbers) -> html.Section:
    """Open tickets by priority and age, and by how they stand with their time."""
    grid, standing = numbers.tickets
    if not grid:
        body = states.empty(
            "No open tickets",
            "They open by themselves when a punch scores above the threshold or an audit finds "
            "something serious, and by hand on the page of tickets.",
        )
    else:
        body = html.Div(
            [_table("tickets", "priority", _PRIORITIES, grid, view="open"), _standing(standing)]
        )
    return marks.section(
        "Open tickets", body, aside=_all(grid, "ticket", "tickets", "view"), className="over-half"
    )


def _all(grid: Grid, one: str, page: str, name: str) -> html.Span | None:
    total = sum(row.total() for row in grid.values())
    if not total:
        return None
    href = address(page, **{name: "open"})
    return html.Span(
        [
            dcc.Link(words.count(total, one), href=href, className="link"),
            exports.rows(f"overview-{page}", f"open-{page}-by-age"),
        ],
        className="exports exports-said",
    )


def _table(page: str, name: str, codes: Sequence[str], grid: Grid, **query: str) -> html.Table:
    """``name``: what the rows are of, as the page's address calls it."""
    head = [html.Th(name.capitalize(), scope="col")]
    head += [html.Th(age.label, scope="col") for age in ages.AGES.values()]
    rows = [_row(page, name, code, grid.get(code, Counter()), query) for code in codes]
    return html.Table(
        [html.Thead(html.Tr([*head, html.Th("All", scope="col")])), html.Tbody(rows)],
        className="ages",
        id=f"overview-{page}",
    )


def _row(page: str, name: str, code: str, row: Counter[str], query: dict[str, str]) -> html.Tr:
    said = f"{words.say(words.SEVERITY, code).lower()} {page}"
    cells = [
        html.Td(
            number(
                row[age],
                address(page, **query, **{name: code}, age=age),
                f"{said}, {ages.AGES[age].label.lower()}",
            )
        )
        for age in ages.AGES
    ]
    total = number(row.total(), address(page, **query, **{name: code}), said, strong=True)
    return html.Tr([html.Th(marks.severity(code), scope="row"), *cells, html.Td(total)])


def _standing(standing: Counter[str]) -> html.Dl:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(word),
                    html.Dd(
                        number(standing[code], address("tickets", **where), f"{word} tickets"),
                        className=f"sla-{code}" if standing[code] else "",
                    ),
                ]
            )
            for code, word, where in _STANDINGS
        ],
        className="over-standing",
    )
