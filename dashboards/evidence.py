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


def _reason(item: dict[str, Any]) -> Any:
    if item["rule"] in words.ANOMALY:
        return [html.Strong(f"{words.ANOMALY[item['rule']]}. "), item["sentence"]]
    return item["sentence"]


def verdict_note(model_version: str | None) -> html.P:
    """A score is not a verdict: said wherever one is shown."""
    by = "by rules" if model_version in (None, "rules") else f"by model {model_version}"
    return html.P(
        [
            icon("info"),
            html.Span(
                f"A score is not a verdict. It was made {by} from what was known at the time of "
                "the punch. Hear the guard before you decide; what they say belongs into the "
                "ticket."
            ),
        ],
        className="note",
    )


def anomaly(row: dict[str, Any], threshold: float) -> list[Any]:
    """The section of a drawer about the punch behind an alert."""
    types = [words.say(words.ANOMALY, code) for code in row["anomaly_types"]]
    return [
        html.Div(
            [
                html.H3("Why"),
                marks.score(row["fraud_score"], threshold),
            ],
            className="split",
        ),
        html.P(", ".join(types) or words.ANOMALY["MODEL"], className="muted"),
        reasons(row["reasons"]),
        verdict_note(row.get("model_version")),
    ]
