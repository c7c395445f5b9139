"""What the parts of a person's page have in common: when they are read, and how they look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import Input, Output, html

from dashboards import queries, states
from dashboards.marks import aria
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check

PERSON = Input("person-id", "data")
"""Whose page it is: a part is read when the page comes."""

SCHEME = Input("scheme", "data")
"""The colours: a part with a chart is drawn again when they change."""


def wires(part: str, *more: Input) -> tuple[Any, ...]:
    """The wires of a part's callback: its place, whose page it is, ``more``, and the retry."""
    name = f"person-{part}"
    return (Output(name, "children"), PERSON, *more, states.asked_again(name))


def show(part: str, what: str, person_id: int, build: Callable[[dict[str, Any]], Any]) -> Any:
    """The part as ``build`` makes it of the person; ``what`` is its name where that fails.

    403 without ``security:fraud:view``. Who is not to be seen is said not to exist.
    """
    check(FRAUD_VIEW)

    def read() -> Any:
        person = queries.people.person(person_id)
        return states.not_found("person") if person is None else build(person)

    return states.or_failed(what, f"person-{part}", read)


def table(name: str, head: Sequence[str], rows: Sequence[html.Tr]) -> html.Table:
    """A plain table under the id ``name``, as ``exports.rows`` saves it."""
    return html.Table(
        [
            html.Thead(html.Tr([html.Th(title, scope="col") for title in head])),
            html.Tbody(list(rows)),
        ],
        id=name,
        className="lines-table",
    )


def share(part: int, whole: int) -> list[html.Span]:
    """A number of all, as words and as a bar."""
    return [
        html.Span(f"{part} of {whole}", className="num"),
        html.Span(
            html.Span(style={"width": f"{100 * part / whole:.0f}%"}),
            className="share",
            **aria(hidden="true"),
        ),
    ]


def nothing(said: str) -> html.P:
    """A part that has nothing to show says so."""
    return html.P(said, className="muted pad")
