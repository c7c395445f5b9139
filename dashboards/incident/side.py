"""Why an incident belongs together, what is in it, and what people do with it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import marks, words
from dashboards.detail import parts
from dashboards.marks import aria
from noc.domain import SEVERITIES
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal
from noc.incidents.scoring import SAME_SITE, WEIGHTS

_NAMES = {"time": "Closeness in time", "entity": "Same guard or site", "severity": "Severity"}


def head(incident: dict[str, Any], zone: str | None) -> html.Div:
    """Who and where, how bad, since when, and its state."""
    person = incident["person_id"] and marks.person(incident["person_id"], incident["person_name"])
    lasted = (incident["window_end"] - incident["window_start"]).total_seconds()
    return html.Div(
        [
            html.Div(
                [
                    html.H2(person or incident["site_name"]),
                    html.P(
                        [
                            f"{incident['site_name']} · began " if person else "Began ",
                            marks.moment(incident["window_start"], zone),
                            f", lasted {words.span(lasted)} · found ",
                            marks.moment(incident["detected_at"], zone),
                        ]
                    ),
                ],
                className="lede incident-name",
            ),
            html.Div(
                [marks.severity(incident["combined_severity"]), marks.state(incident["status"])],
                className="incident-marks",
            ),
        ],
        className="incident-head",
    )


def why(incident: dict[str, Any]) -> html.Section:
    """The score and its parts, each with what it means here."""
    score = incident["correlation_score"]
    given = incident["score_parts"]
    known = [name for name in WEIGHTS if name in given]
    rows = [
        html.Li(
            [
                html.Span(_NAMES[name], className="part-name"),
                html.Span(
                    html.Span(
                        className="part-fill",
                        style={"width": f"{100 * min(1.0, given[name] / WEIGHTS[name]):.0f}%"},
                    ),
                    className="part-bar",
                    style={"width": f"{100 * WEIGHTS[name] / max(WEIGHTS.values()):.0f}%"},
                    **aria(hidden="true"),
                ),
                html.Span(f"{given[name]:.2f} of {WEIGHTS[name]:.2f}", className="num"),
                html.Span(
                    meaning(name, given[name], incident["correlation_window_minutes"]),
                    className="muted part-why",
                ),
            ]
        )
        for name in known
    ]
    about = (
        "The closest pair of an alert and a finding counts. It says how surely they belong "
        "together, not how bad it is."
    )
    return marks.section(
        "Why it belongs together",
        html.Div(
            [html.Ul(rows, className="score-parts"), html.P(about, className="muted")],
            className="section-body stack-tight",
        ),
        aside=html.Span(f"{score:.2f} of 1", className="num part-total"),
    )


def meaning(part: str, value: float, window_minutes: int) -> str:
    """What a part of the score says in words: ``part`` of :data:`noc.incidents.scoring.WEIGHTS`."""
    share = value / WEIGHTS[part]
    if part == "time":
        apart = round((1 - share) * window_minutes)
        if apart <= 0:
            return "The alert and the finding overlap."
        return f"{apart} min apart; more than {window_minutes} would not count."
    if part == "entity":
        if share >= (1 + SAME_SITE) / 2:
            return "Both are about the same guard."
        return "Only the site is the same: the alert names nobody."
    rank = share * (len(SEVERITIES) - 1)
    low, high = (words.say(words.SEVERITY, SEVERITIES[end]).lower() for end in _around(rank))
    return f"The mean of both is {low}." if low == high else f"Their mean: {low} to {high}."


def _around(rank: float) -> tuple[int, int]:
    """The whole ranks at or beside ``rank``, which rounding may have moved a little."""
    near = round(rank)
    if abs(rank - near) < 0.02:
        return near, near
    return math.floor(rank), math.ceil(rank)


def contents(incident: dict[str, Any], zone: str | None) -> html.Section:
    """Its findings and alerts, each with its state."""
    signals = [_signal(key, told, zone) for key, told in incident["signals"].items()]
    alerts = [_alert(alert, zone, incident) for alert in incident["alerts"]]
    told = f"{words.count(len(signals), 'finding')}, {words.count(len(alerts), 'alert')}"
    return marks.section(
        "What is in it",
        html.Ul([*signals, *alerts], className="lines incident-lines"),
        aside=html.Span(told, className="muted"),
    )


def _signal(key: str, signal: dict[str, Any], zone: str | None) -> html.Li:
    label = words.say(words.FINDING, signal["kind"])
    known = key.startswith("finding:")
    return html.Li(
        [
            marks.severity(signal["severity"]),
            marks.opens(key, label) if known else html.Span(label),
            marks.moment(signal["from"], zone),
            html.Span("Finding", className="muted"),
        ],
        title=signal.get("summary", ""),
    )


def _alert(alert: dict[str, Any], zone: str | None, incident: dict[str, Any]) -> html.Li:
    minutes = incident["correlation_window_minutes"]
    told = [
        meaning(name, alert["score_parts"][name], minutes)
        for name in WEIGHTS
        if name in alert["score_parts"]
    ]
    return html.Li(
        [
            marks.severity(alert["severity"]),
            marks.opens(f"alert:{alert['id']}", words.say(words.ALERT, alert["alert_type"])),
            marks.moment(alert["occurred_at"], zone),
            html.Span(["Alert, ", marks.state(alert["status"])], className="muted"),
        ],
        title=f"{alert['message']}\nScore {alert['score']:.2f}. {' '.join(told)}",
    )


def work(incident: dict[str, Any], zone: str | None) -> html.Section:
    """The root cause and the notes, with who wrote them and when."""
    cause = incident["root_cause_description"]
    steps = [
        html.Li(
            [
                html.Div(
                    [
                        html.Span(f"by {note['user_name'] or 'API'}"),
                        marks.moment(dt.datetime.fromisoformat(note["at"]), zone),
                    ],
                    className="step-head",
                ),
                html.P(note["text"]),
            ]
        )
        for note in reversed(incident["investigation_notes"])
    ]
    nothing = html.P("Nobody has written anything yet.", className="muted")
    found = [html.Strong("Root cause "), html.Span(cause)] if cause else None
    return marks.section(
        "Looked into",
        html.Div(
            [
                html.P(found, className="root-cause") if found else None,
                html.Ol(steps, className="steps") if steps else nothing,
            ],
            className="section-body stack-tight",
        ),
        aside=html.Span(_by(incident), className="muted"),
    )


def _by(incident: Mapping[str, Any]) -> str:
    name = incident["investigated_by_name"]
    return f"last by {name}" if name else ""


def form() -> html.Section | None:
    """Where people write, and the steps; None for who may only look.

    Apart from what is read anew, so that nobody's half-written note is lost.
    """
    if not required_principal().may(OPERATE):
        return None
    return marks.section(
        "What now",
        html.Div(
            [
                html.Div(id="incident-problem"),
                dmc.Textarea(
                    id="incident-note",
                    placeholder="What was looked into, or what was behind it",
                    autosize=True,
                    minRows=2,
                    maxRows=10,
                    **aria(label="Note"),
                ),
                html.Div(id="incident-steps", className="actions"),
            ],
            className="section-body act",
        ),
    )


def steps(incident: dict[str, Any]) -> list[Any]:
    """The buttons that the incident's state allows, and what closing means."""
    if incident["status"] == "CLOSED":
        said = "Closed: what comes later opens another incident."
        return [_button("reopen", "Reopen"), html.Span(said, className="muted")]
    named = incident["root_cause_identified"]
    cause = "Correct what was behind it" if named else "Say what was behind it"
    return [
        _button("investigate", "Save note", primary=True),
        _button("root-cause", "Root cause", title=cause),
        html.Span(className="spring"),
        _button("close", "Close", title="It takes in nothing more. It can be reopened."),
    ]


def _button(step: str, label: str, *, primary: bool = False, title: str = "") -> html.Button:
    return html.Button(
        label,
        id={"type": "incident-step", "step": step},
        className="btn btn-primary" if primary else "btn",
        title=title,
        n_clicks=0,
    )


def said(text: str) -> Any:
    """Why the last step was not taken."""
    return parts.problem(text)
