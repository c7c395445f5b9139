"""A punch in the drawer: its score, why, and what became of it."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import evidence, marks, queries, states, words
from noc.identity.capabilities import FRAUD_REVIEW, FRAUD_VIEW
from noc.identity.principal import required_principal

TITLE = "Punch"


def content(punch_id: int) -> Any:
    """Everything about the scored punch that this reader may see."""
    if not required_principal().may(FRAUD_VIEW):
        return states.forbidden("The score of a punch and its reasons", FRAUD_VIEW)
    score = queries.scores.punch_score(punch_id)
    if score is None:
        return states.not_found("punch")
    return html.Div(
        [
            html.H2(words.say(words.PUNCH, score["kind"]), className="drawer-title"),
            *evidence.explained(score, queries.reader.ticket_threshold(score["site_id"])),
            marks.facts(
                [
                    ("Guard", marks.person(score["person_id"], score["person_name"])),
                    ("Site", score["site_name"]),
                    ("When", marks.moment(score["occurred_at"], score["timezone"])),
                    ("Verdict", evidence.verdict(score)),
                    ("Evidence", _review(score)),
                    ("Alert", _opens("alert", score["alert_id"])),
                    ("Ticket", _opens("ticket", score["ticket_id"])),
                ]
            ),
        ],
        className="drawer-content",
    )


def _review(score: dict[str, Any]) -> Any:
    if not required_principal().may(FRAUD_REVIEW):
        return None
    href = f"/app/review?punch={score['prediction_id']}"
    return dcc.Link("Review this punch", href=href, className="text-btn")


def _opens(kind: str, key: int | None) -> Any:
    return marks.opens(f"{kind}:{key}", f"Open the {kind}") if key else None
