"""Why a punch stands out: score, sentences, habits for comparison, and the doubt that belongs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboards import marks, words
from dashboards.marks import icon


def reasons(items: Sequence[dict[str, Any]]) -> html.Ul | html.P:
    """The reasons of a score as sentences, weightiest first."""
    if not items:
        return html.P("Nothing about this punch stands out.", className="muted")
    return html.Ul([html.Li(_reason(item)) for item in items], className="reasons")


def kinds(codes: Sequence[str]) -> str:
    """Anomaly types in words."""
    return ", ".join(words.say(words.ANOMALY, code) for code in codes)


def explained(score: dict[str, Any], threshold: float) -> list[Any]:
    """Score, types, reasons and doubt of one punch."""
    return [
        html.Div(
            [
                html.Span(kinds(score["anomaly_types"]) or _risk(score), className="muted"),
                marks.score(score["fraud_score"], threshold),
            ],
            className="split",
        ),
        reasons(score["reasons"]),
        doubt(score["model_version"]),
    ]


def punch_head(score: dict[str, Any], zone: str | None, threshold: float) -> html.Div:
    """One line about a punch: what, which opens it, when, and its score."""
    what = marks.opens(f"punch:{score['punch_id']}", words.say(words.PUNCH, score["kind"]))
    return html.Div(
        [
            html.Span(what, className="punch-kind"),
            marks.moment(score["occurred_at"], zone),
            html.Span(className="spring"),
            verdict(score),
            marks.score(score["fraud_score"], threshold),
        ],
        className="punch-head",
    )


def verdict(score: dict[str, Any]) -> html.Span | None:
    """What a person who looked found; nothing while nobody has."""
    if score["actual_fraud_detected"] is None:
        return None
    found = "Confirmed fraud" if score["actual_fraud_detected"] else "Found genuine"
    return html.Span(found, className="tag")


def doubt(model_version: str | None) -> html.P:
    """A score is not a verdict: said wherever one is shown."""
    by = "by rules" if model_version in (None, "rules") else f"by model {model_version}"
    return html.P(
        [
            icon("info"),
            html.Span(
                f"A score is not a verdict. It was made {by} from what was known at the time of "
                "the punch. Hear the guard before deciding; their side belongs in the ticket's "
                "comments."
            ),
        ],
        className="note",
    )


def _reason(item: dict[str, Any]) -> Any:
    name = words.ANOMALY.get(item.get("rule") or "")
    return [html.Strong(f"{name}. "), item["sentence"]] if name else item["sentence"]


def _risk(score: dict[str, Any]) -> str:
    return f"{words.say(words.RISK, score['risk_level'])} risk"
