"""Who the person is linked with: by phones, and by punching at the same moment."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, exports, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import people_links
from dashboards.marks import aria
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check


def register(ui: Dash) -> None:
    """Drawn when the page comes and when the colours change; a point leads to its person."""
    callbacks.register(
        ui,
        show,
        Output("person-links", "children"),
        Input("person-id", "data"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "person-links", "n": ALL}, "n_clicks"),
    )
    browser.call(
        ui,
        "goToLinked",
        Output("url", "pathname", allow_duplicate=True),
        Input("person-graph-links", "clickData"),
        on_load=False,
    )


def show(person_id: Id, scheme: Choice, _retries: Clicks = None) -> Any:
    """The graph of linked people, and the same as a table."""
    check(FRAUD_VIEW)
    return states.or_failed(
        "The links",
        {"type": "retry", "page": "person-links", "n": 0},
        lambda: _show(person_id, scheme),
    )


def _show(person_id: int, scheme: str | None) -> Any:
    person = queries.people.person(person_id)
    if person is None:
        return states.not_found("person")
    told = queries.person.linked(person_id, utcnow())
    basis = (
        f"{told['days']} days, {words.count(told['punches'], 'punch', 'punches')} in and out, "
        f"{words.count(told['colleagues'], 'colleague')} within 5 min of them."
    )
    aside = html.Span(f"{told['days']} days", className="muted")
    if not told["people"]:
        nothing = f"No shared phone, and nobody punched with them unusually often. {basis}"
        return marks.section("Links", html.P(nothing, className="muted pad"), aside=aside)
    graph = dcc.Graph(
        id="person-graph-links",
        figure=people_links.figure(
            person_id, person["name"], told, "light" if scheme == "light" else "dark"
        ),
        config={"displayModeBar": False, "responsive": True},
        style={"height": f"{people_links.HEIGHT}px"},
    )
    return marks.section(
        "Links",
        html.Div(
            [
                html.P(finding(told), className="links-finding"),
                html.Div(graph, role="img", **aria(label=finding(told))),
                html.P(
                    [
                        "Full line: a shared phone. Dashed: punches together, unusually often for "
                        f"their colleagues. {basis} A link is a hint where to look, not a finding: "
                        "a post may have one phone, and some come to work together.",
                    ],
                    className="muted small",
                ),
                html.Div(_table(told["people"]), className="scroll-x"),
            ],
            className="section-body",
        ),
        aside=html.Span(
            [
                exports.picture("person-graph-links", f"person-{person_id}-links"),
                exports.rows("person-links-table", f"person-{person_id}-linked-people"),
            ],
            className="exports",
        ),
    )


def finding(told: dict[str, Any]) -> str:
    """The graph's title: what it shows, in one sentence."""
    phones = sum(bool(one["shared"]) for one in told["people"])
    together = sum(one["unusual"] for one in told["people"])
    parts = []
    if phones:
        parts.append(f"Shared a phone with {words.count(phones, 'person', 'people')}")
    if together:
        said = f"with {words.count(together, 'person', 'people')} unusually often"
        parts.append(f"punched together {said}" if parts else f"Punched together {said}")
    return ", ".join(parts)


def _table(people: list[dict[str, Any]]) -> html.Table:
    head = ("Name", "Shared phones", "Within 1 min, of 5", "Usual", "Last")
    return html.Table(
        [
            html.Thead(html.Tr([html.Th(name, scope="col") for name in head])),
            html.Tbody([_row(one) for one in people]),
        ],
        id="person-links-table",
        className="lines-table",
    )


def _row(one: dict[str, Any]) -> html.Tr:
    phones = "—"
    if one["shared"]:
        phones = f"{', '.join(one['phones'])} ({words.count(one['shared'], 'time')})"
    together, usual = "—", "—"
    if one["met"]:
        together = f"{one['together']} of {one['met']} ({one['low']:.0%} to {one['high']:.0%})"
        usual = f"{one['usual']:.0%}"
    return html.Tr(
        [
            html.Th(marks.person(one["person_id"], one["name"]), scope="row"),
            html.Td(phones),
            html.Td(
                together,
                className="odd" if one["unusual"] else "",
                title="99.9 % interval after Wilson" if one["met"] else "",
            ),
            html.Td(usual),
            html.Td(marks.moment(one["last_at"])),
        ]
    )
