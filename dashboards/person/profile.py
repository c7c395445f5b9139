"""When the person punches in and out, where, and on which phones."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html

from dashboards import browser, callbacks, exports, graphs, marks, queries, words
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import punch_clock
from dashboards.person import parts
from noc.database.base import utcnow

LISTED = 8


def register(ui: Dash) -> None:
    """Drawn when the page comes and when the colours change; a point opens its punch."""
    callbacks.register(ui, show, *parts.wires("profile", parts.SCHEME))
    browser.call(
        ui,
        "openPunch",
        Output("sink", "data", allow_duplicate=True),
        Input("person-clock", "clickData"),
        on_load=False,
    )


def show(person_id: Id, scheme: Choice, _retries: Clicks = None) -> Any:
    """The clock of the person's punches, their sites and phones."""
    return parts.show("profile", "The profile", person_id, lambda person: _drawn(person, scheme))


def _drawn(person: dict[str, Any], scheme: str | None) -> list[html.Section]:
    key = person["id"]
    told = queries.person.profile(key, utcnow())
    return [
        _clock(told, scheme, key),
        _used("Sites", told, "sites", key),
        _used("Phones", told, "phones", key),
    ]


def _clock(told: dict[str, Any], scheme: str | None, person_id: int) -> html.Section:
    if not told["punches"]:
        return marks.section(
            "Hours",
            parts.nothing(f"No punches in or out in {told['days']} days."),
            aside=html.Span(f"{told['days']} days", className="muted"),
        )
    today = len(told["today"])
    words_of_today = f"◆ today: {words.count(today, 'punch', 'punches')}" if today else "none today"
    count = words.count(told["punches"], "punch", "punches")
    chart = punch_clock.figure(told, graphs.scheme(scheme))
    return marks.section(
        "Hours",
        html.Div(
            [
                graphs.told("person-clock", chart, _hours_in_words(told)),
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


def _used(title: str, told: dict[str, Any], kind: str, person_id: int) -> html.Section:
    rows = told[kind]
    if not rows:
        return marks.section(title, parts.nothing("None so far."))
    total = max(sum(row["punches"] for row in rows), 1)
    head = ("Name", f"Punches in {told['days']} days", "Since", "Last")
    body = [_row(row, total, person_id) for row in rows[:LISTED]]
    beyond = len(rows) - LISTED
    table = f"person-{kind}"
    return marks.section(
        title,
        html.Div(
            [
                parts.table(table, head, body),
                parts.nothing(f"and {beyond} more") if beyond > 0 else None,
            ],
            className="scroll-x",
        ),
        aside=exports.rows(table, f"person-{person_id}-{kind}"),
    )


def _row(row: dict[str, Any], total: int, person_id: int) -> html.Tr:
    return html.Tr(
        [
            html.Th(_name(row, person_id), scope="row"),
            html.Td(parts.share(row["punches"], total)),
            html.Td(marks.moment(row["first_at"], row["timezone"])),
            html.Td(marks.moment(row["last_at"], row["timezone"])),
        ]
    )


def _name(row: dict[str, Any], person_id: int) -> Any:
    if not row["is_phone"]:
        return row["name"]
    if row["name"] is None:
        return html.Span("not reported", className="muted")
    if row["owner_id"] in (None, person_id):
        return row["name"]
    return [f"{row['name']}, of ", marks.person(row["owner_id"], row["owner_name"])]
