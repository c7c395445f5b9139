"""What people found about the person's punches; below it what the person says about them."""

from __future__ import annotations

from typing import Any

from dash import Dash, dcc, html

from dashboards import callbacks, exports, marks, queries, words
from dashboards.callbacks import Clicks, Id
from dashboards.marks import aria
from dashboards.person import parts, side
from noc.identity.capabilities import FRAUD_REVIEW
from noc.identity.principal import required_principal

_SOURCE = {
    "ticket": "by a ticket",
    "review": "in review",
    "audit": "random audit",
    "import": "imported",
    "demo": "simulated",
}


def register(ui: Dash) -> None:
    """Read when the page comes."""
    callbacks.register(ui, show, *parts.wires("verdicts"))


def show(person_id: Id, _retries: Clicks = None) -> Any:
    """The verdicts, and the guard's side with the form to write it down."""
    return parts.show("verdicts", "The verdicts", person_id, _drawn)


def _drawn(person: dict[str, Any]) -> list[html.Section]:
    person_id = person["id"]
    found = queries.person.verdicts(person_id)
    return [_verdicts(found, person_id), side.section(found, person_id)]


def _verdicts(found: dict[str, Any], person_id: int) -> html.Section:
    if not found["items"]:
        said = "Nobody has given a verdict on a punch of this guard yet."
        return marks.section("Verdicts", parts.nothing(said))
    review = required_principal().may(FRAUD_REVIEW)
    shown = len(found["items"])
    total = f"{found['frauds']:,} fraud of {words.count(found['total'], 'verdict')}"
    return marks.section(
        "Verdicts",
        html.Div(
            [
                parts.table(
                    "person-verdicts-table",
                    ("Punch", "Verdict", "By", "When", ""),
                    [_row(item, review=review) for item in found["items"]],
                ),
                parts.nothing(f"The latest {shown}.") if found["total"] > shown else None,
            ],
            className="scroll-x tall",
            tabIndex=0,
            role="region",
            **aria(label="Verdicts"),
        ),
        aside=html.Span(
            [
                html.Span(total, className="muted"),
                exports.rows("person-verdicts-table", f"person-{person_id}-verdicts"),
            ],
            className="exports exports-said",
        ),
    )


def _row(item: dict[str, Any], *, review: bool) -> html.Tr:
    did = words.say(words.PUNCH, item["kind"])
    fraud = item["verdict"] == "CONFIRMED"
    by = item["labelled_by"]
    source = words.say(_SOURCE, item["source"])
    return html.Tr(
        [
            html.Th(
                [
                    marks.opens(f"punch:{item['punch_id']}", did),
                    marks.moment(item["occurred_at"], item["timezone"]),
                ],
                scope="row",
            ),
            html.Td(
                [
                    html.Span("Fraud" if fraud else "Genuine", className="odd" if fraud else ""),
                    html.P(item["note"], className="muted small") if item["note"] else None,
                ]
            ),
            html.Td(f"{by}, {source}" if by else source),
            html.Td(marks.moment(item["labelled_at"])),
            html.Td(
                dcc.Link(
                    "Review",
                    href=f"/app/review?punch={item['prediction_id']}",
                    className="text-btn",
                )
                if review
                else None
            ),
        ]
    )
