"""When the person punches in and out, where, and on which phones."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, exports, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import punch_clock
from dashboards.marks import aria
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check

LISTED = 8


def register(ui: Dash) -> None:
    """Drawn when the page comes and when the colours change."""
    callbacks.register(
        ui,
        show,
        Output("person-profile", "children"),
        Input("person-id", "data"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "person-profile", "n": ALL}, "n_clicks"),
    )
    browser.call(
        ui,
        "openPunch",
        Output("sink", "data", allow_duplicate=True),
        Input("person-clock", "clickData"),
        on_load=False,
    )


def show(person_id: Id, scheme: Choice, _retries: Clicks = None) -> Any:
    """The clock of the person's punches, their sites and phones."""
    check(FRAUD_VIEW)
    return states.or_failed(
        "The profile",
        {"type": "retry", "page": "person-profile", "n": 0},
        lambda: _show(person_id, scheme),
    )


def _show(person_id: int, scheme: str | None) -> Any:
    if queries.people.person(person_id) is None:
        return states.not_found("person")
    told = queries.person.profile(person_id, utcnow())
    return [_clock(told, scheme, person_id), _used("Sites", told, "sites", person_id),
            _used("Phones", told, "phones", person_id)]  # fmt: skip


def _clock(told: dict[str, Any], scheme: str | None, person_id: int) -> Any:
    aside = html.Span(f"{told['days']} days", className="muted")
    if not told["punches"]:
        nothing = html.P(f"No punches in or out in {told['days']} days.", className="muted pad")
        return marks.section("Hours", nothing, aside=aside)
    today = told["today"]
    words_of_today = (
        f"◆ today: {words.count(len(today), 'punch', 'punches')}" if today else "none today"
    )
    count = words.count(told["punches"], "punch", "punches")
    graph = dcc.Graph(
        id="person-clock",
        figure=punch_clock.figure(told, "light" if scheme == "light" else "dark"),
        config={"displayModeBar": False, "responsive": True},
        style={"height": f"{punch_clock.HEIGHT}px"},
    )
    return marks.section(
        "Hours",
        html.Div(
            [
                html.Div(graph, role="img", **aria(label=_hours_in_words(told))),
                html.P(
                    f"{count} in and out in {told['days']} days, by hour on the site's clock; "
                    f"{words_of_today}.",
                    className="muted small",
                ),
            ],
            className="section-body",
        ),
        aside=exports.chart("person-clock", f"person-{person_id}-hours"),
    )


def _hours_in_words(told: dict[str, Any]) -> str:
    parts = []
    for kind in ("in", "out"):
        often = sorted(range(24), key=lambda hour: -told[kind][hour])[:3]
        hours = ", ".join(f"{hour:02}:00 ({told[kind][hour]})" for hour in often)
        parts.append(f"punches {kind} most often from {hours}")
    return "; ".join(parts)


def _used(title: str, told: dict[str, Any], kind: str, person_id: int) -> Any:
    rows = told[kind]
    table = f"person-{kind}"
    if not rows:
        return marks.section(title, html.P("None so far.", className="muted pad"))
    total = max(sum(row["punches"] for row in rows), 1)
    head = ["Name", f"Punches in {told['days']} days", "Since", "Last"]
    body = [
        html.Tr(
            [
                html.Th(_name(row, person_id), scope="row"),
                html.Td(
                    [
                        html.Span(f"{row['punches']} of {total}", className="num"),
                        html.Span(
                            html.Span(style={"width": f"{100 * row['punches'] / total:.0f}%"}),
                            className="share",
                            **aria(hidden="true"),
                        ),
                    ]
                ),
                html.Td(marks.moment(row["first_at"], row["timezone"])),
                html.Td(marks.moment(row["last_at"], row["timezone"])),
            ]
        )
        for row in rows[:LISTED]
    ]
    beyond = len(rows) - LISTED
    return marks.section(
        title,
        html.Div(
            [
                html.Table(
                    [
                        html.Thead(html.Tr([html.Th(name, scope="col") for name in head])),
                        html.Tbody(body),
                    ],
                    id=table,
                    className="lines-table",
                ),
                html.P(f"and {beyond} more", className="muted pad") if beyond > 0 else None,
            ],
            className="scroll-x",
        ),
        aside=exports.rows(table, f"person-{person_id}-{kind}"),
    )


def _name(row: dict[str, Any], person_id: int) -> Any:
    if not row["is_phone"]:
        return row["name"]
    if row["name"] is None:
        return html.Span("not reported", className="muted")
    if row["owner_id"] in (None, person_id):
        return row["name"]
    return [f"{row['name']}, of ", marks.person(row["owner_id"], row["owner_name"])]
