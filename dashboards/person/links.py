"""Who the person is linked with: by phones, and by punching at the same moment."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html

from dashboards import browser, callbacks, exports, graphs, marks, queries, words
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import people_links
from dashboards.person import parts
from noc.database.base import utcnow


def register(ui: Dash) -> None:
    """Drawn when the page comes and when the colours change; a point leads to its person."""
    callbacks.register(ui, show, *parts.wires("links", parts.SCHEME))
    browser.call(
        ui,
        "goToLinked",
        Output("url", "pathname", allow_duplicate=True),
        Output("url", "search", allow_duplicate=True),
        Output("url", "hash", allow_duplicate=True),
        Input("person-graph-links", "clickData"),
        on_load=False,
    )


def show(person_id: Id, scheme: Choice, _retries: Clicks = None) -> Any:
    """The graph of linked people, and the same as a table."""
    return parts.show("links", "The links", person_id, lambda person: _drawn(person, scheme))


def _drawn(person: dict[str, Any], scheme: str | None) -> html.Section:
    person_id = person["id"]
    told = queries.person.linked(person_id, utcnow())
    basis = (
        f"{told['days']} days, {words.count(told['punches'], 'punch', 'punches')} in and out, "
        f"{words.count(told['colleagues'], 'colleague')} within 5 min of them."
    )
    if not told["people"]:
        return marks.section(
            "Links",
            parts.nothing(
                f"No shared phone, and nobody punched with them unusually often. {basis}"
            ),
            aside=html.Span(f"{told['days']} days", className="muted"),
        )
    chart = people_links.figure(person_id, person["name"], told, graphs.scheme(scheme))
    return marks.section(
        "Links",
        html.Div(
            [
                html.P(finding(told), className="links-finding"),
                graphs.told("person-graph-links", chart, finding(told)),
                html.P(
                    "Full line: a shared phone. Dashed: punches together, unusually often for "
                    f"their colleagues. {basis} A link is a hint where to look, not a finding: "
                    "a post may have one phone, and some come to work together.",
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
    said = []
    if phones:
        said.append(f"Shared a phone with {words.count(phones, 'person', 'people')}")
    if together:
        with_whom = f"with {words.count(together, 'person', 'people')} unusually often"
        said.append(f"{'punched' if said else 'Punched'} together {with_whom}")
    return ", ".join(said)


def _table(people: list[dict[str, Any]]) -> html.Table:
    head = ("Name", "Shared phones", "Within 1 min, of 5", "Usual", "Last")
    return parts.table("person-links-table", head, [_row(one) for one in people])


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
