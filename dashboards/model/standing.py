"""Who scores now, how many labels there are, and when the next training is due."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import html

from dashboards import queries
from dashboards.marks import aria


def content(now: dt.datetime) -> html.Div:
    """The page's first words and three facts."""
    found = queries.models.standing(now)
    return html.Div(
        [
            html.Div([html.H2(who(found, now)), html.P(_what(found))], className="lede"),
            html.Div(
                [
                    _fact("Verdicts on punches", _labels(found["labels"], found["days"])),
                    _fact("Next training", _next(found)),
                ],
                className="panel model-facts",
            ),
        ],
        className="page",
    )


def who(found: dict[str, Any], now: dt.datetime) -> str:
    """Who scores, in one sentence: the page's title."""
    active = found["active"]
    if active and found["broken"]:
        return f"The rules score: {active['version']} cannot be loaded"
    if active and found["switched_on"]:
        return f"{active['version']} scores since {day(active['activated_at'], now)}"
    if active:
        return "The rules score: models are switched off"
    if not found["versions"]:
        return "The rules score: no model has been trained yet"
    if found["any_was_active"]:
        return "The rules score: no model is active"
    return "The rules score: no model has passed yet"


def day(moment: dt.datetime | str | None, now: dt.datetime) -> str:
    """ "14 Nov", with the year where it is another one (UTC)."""
    if moment is None:
        return "an unknown day"
    at = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    at = at.astimezone(dt.UTC)
    return f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"


def _what(found: dict[str, Any]) -> str:
    if found["active"] and found["broken"]:
        return (
            "Its artefact in the registry is damaged. Take it back, or activate another version: "
            "until then the rules score every punch."
        )
    if found["active"] and found["switched_on"]:
        return (
            "Model and rules make the score together. Where the model fails on a punch, the rules "
            "score it alone."
        )
    if found["active"]:
        return (
            f"{found['active']['version']} is active, but the setting PREDICTIVE_FRAUD_ENABLED "
            "leaves the rules alone to score."
        )
    return (
        "A model takes over when it has passed its gate. Until then nothing is missing: the rules "
        "score every punch."
    )


def _labels(labels: dict[str, Any], days: int) -> list[Any]:
    total, needed = labels["total"], labels["needed_for_activation"]
    lines: list[Any] = [
        html.Div([html.Span(f"{total:,}", className="model-number"), f"in {days} days"]),
    ]
    if total < needed:
        lines.append(bar(total / needed, f"{total:,} of {needed:,} verdicts"))
    watching = labels["needed_for_shadow"]
    lines.append(
        html.P(
            f"A model can be trained from {watching:,} on, and score by itself from {needed:,}.",
            className="muted",
        )
    )
    return lines


def _next(found: dict[str, Any]) -> list[Any]:
    few = found["labels"]["total"] < found["labels"]["needed_for_shadow"]
    due = found["due"]
    if due is not None:
        head, why = f"About {due.day} {due:%b}", "Each week, at night, by itself."
    elif few:
        head, why = (
            "When there are enough verdicts",
            ("It is tried each night. Resolve fraud tickets or review punches to get there."),
        )
    else:
        head, why = "Tonight", "There is no version of the last seven days."
    return [
        html.Div(html.Span(head, className="model-number")),
        html.P(why, className="muted"),
    ]


def bar(share: float, label: str) -> html.Div:
    """How far something is, from 0 to 1."""
    percent = min(max(share, 0.0), 1.0) * 100
    return html.Div(
        html.Div(className="progress-fill", style={"width": f"{percent:.1f}%"}),
        className="progress",
        role="progressbar",
        **aria(label=label, valuenow=f"{percent:.0f}", valuemin="0", valuemax="100"),
    )


def _fact(name: str, lines: list[Any]) -> html.Div:
    return html.Div([html.H3(name), *lines], className="model-fact")
