"""One punch, large: who, where and when, why it was chosen, and the evidence on one screen."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboards import evidence, marks, theme, words
from dashboards.marks import aria, data, icon
from dashboards.review import charts, comparison

WHY = {
    "random audit": (
        "Random audit",
        "Drawn by chance, whatever its score. It says nothing for or against the guard; such "
        "punches tell how much fraud there is.",
    ),
    "highest score": ("Highest score", "Among the highest scores that nobody has looked at."),
    "most uncertain": (
        "Most uncertain",
        "Its score is nearest to where fraud and genuine part: a verdict here teaches the most.",
    ),
    "asked": ("Asked for", "You came here by a link, not from the queue."),
}


def card(
    score: dict[str, Any],
    around: dict[str, Any],
    why: str,
    *,
    ticket_from: float,
    fraud_from: float,
    now: dt.datetime,
    scheme: theme.Scheme,
) -> html.Article:
    """The punch: ``score`` of ``find_prediction``, ``around`` of the review's ``evidence``."""
    punch = around["punch"]
    return html.Article(
        [
            _head(score, punch, why, ticket_from, fraud_from),
            _standing(score),
            html.Div(
                [
                    html.Div(
                        [
                            html.H3("Why it stands out"),
                            evidence.reasons(score["reasons"]),
                            comparison.table(
                                comparison.rows(punch, around["before"], score["features"]),
                                around["before"],
                            ),
                        ],
                        className="review-facts",
                    ),
                    html.Div(
                        [
                            charts.place(punch, around, scheme),
                            charts.story(punch, around, now, scheme),
                        ],
                        className="review-charts",
                    ),
                ],
                className="review-top",
            ),
            _said(around["said"], punch["timezone"], score["person_id"]),
            evidence.doubt(score["model_version"]),
        ],
        className="review panel",
        **data(prediction=str(score["prediction_id"])),
        **aria(label=f"{score['person_name']}, {words.say(words.PUNCH, score['kind'])}"),
    )


def _head(
    score: dict[str, Any],
    punch: dict[str, Any],
    why: str,
    ticket_from: float,
    fraud_from: float,
) -> html.Header:
    clock = punch["occurred_at"].astimezone(ZoneInfo(punch["timezone"]))
    name, explained = WHY.get(why, WHY["asked"])
    if score["inclusion_probability"] is not None and why == "asked":
        name, explained = WHY["random audit"]
    return html.Header(
        [
            html.Div(
                [
                    html.Span(name, className="tag", title=explained),
                    html.Span(explained, className="muted small"),
                ],
                className="review-why",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            html.H2(
                                marks.person(score["person_id"], score["person_name"]),
                                className="review-name",
                            ),
                            html.P(
                                [
                                    html.Strong(
                                        f"{words.say(words.PUNCH, score['kind'])} {clock:%H:%M}"
                                    ),
                                    f", {clock:%A %d %b}, site's clock · {punch['site_name']} · ",
                                    marks.moment(score["occurred_at"], punch["timezone"]),
                                ],
                                className="review-when",
                            ),
                        ]
                    ),
                    html.Div(
                        [
                            marks.score(score["fraud_score"], ticket_from),
                            html.Span(
                                f"fraud from {fraud_from:.2f}, ticket from {ticket_from:.2f}",
                                className="muted small",
                            ),
                        ],
                        className="review-score",
                    ),
                ],
                className="review-head",
            ),
        ]
    )


def _standing(score: dict[str, Any]) -> html.P | None:
    """The verdict that holds, or what somebody wrote who found no answer."""
    label = score["label"]
    if label is not None:
        found = "fraud" if label["verdict"] == "CONFIRMED" else "genuine"
        who = label["labelled_by_name"] or words.say(
            {"ticket": "a ticket", "import": "an import", "demo": "the simulation"}, label["source"]
        )
        note = f": “{label['note']}”" if label["note"] else "."
        told: list[Any] = [
            f"Already found {found} by {who} ",
            marks.moment(label["labelled_at"]),
            note,
            " Your verdict would replace it.",
        ]
        return html.P([icon("info"), html.Span(told)], className="note review-standing")
    if score["looked_at"] is not None:
        said = f"Somebody looked and could not tell: “{score['looked_at']}”"
        return html.P([icon("info"), html.Span(said)], className="note review-standing")
    return None


def _said(said: list[dict[str, Any]], zone: str, person_id: int) -> html.Div:
    items = [
        html.Li(
            [
                html.Span(
                    "The guard" if item["said_by"] == "guard" else item["user_name"] or "Somebody",
                    className="said-who",
                ),
                html.Span(item["comment"], className="said-words"),
                marks.opens(f"ticket:{item['ticket_id']}", item["number"]),
                marks.moment(item["at"], zone),
            ]
        )
        for item in said
    ]
    nothing = html.P("Nothing has been written down of what the guard says.", className="muted")
    return html.Div(
        [
            html.Div(
                [
                    html.H3("The guard's side, and what others wrote"),
                    dcc.Link(
                        "Write down the guard's side",
                        href=f"/app/person/{person_id}#guard-side",
                        className="text-btn",
                    ),
                ],
                className="split",
            ),
            html.Ul(items, className="said") if items else nothing,
        ],
        className="review-said",
    )
