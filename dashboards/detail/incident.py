"""An incident in the drawer: the signals and alerts that belong together, and why."""

from __future__ import annotations

import uuid
from typing import Any

from dash import dcc, html

from dashboards import marks, queries, states, words

TITLE = "Incident"

_PARTS = {"time": "closeness in time", "entity": "same person or site", "severity": "severity"}


def content(incident_id: uuid.UUID) -> Any:
    """Everything about the incident that this reader may see."""
    incident = queries.work.incident(incident_id)
    if incident is None:
        return states.not_found("incident")
    zone = queries.reader.zone(incident["site_id"])
    return html.Div(
        [
            html.Div(
                [marks.severity(incident["combined_severity"]), marks.state(incident["status"])],
                className="split",
            ),
            html.H2(_title(incident), className="drawer-title"),
            html.P(_why(incident["correlation_score"], incident["score_parts"]), className="lead"),
            dcc.Link(
                "Time line and replay", href=f"/app/incident/{incident_id}", className="btn after"
            ),
            marks.facts(_facts(incident, zone)),
            html.H3(words.count(len(incident["signals"]), "signal")),
            html.Ul([_signal(*item) for item in incident["signals"].items()], className="lines"),
            html.H3(words.count(len(incident["alerts"]), "alert")),
            html.Ul([_alert(alert, zone) for alert in incident["alerts"]], className="lines"),
            *_notes(incident["investigation_notes"]),
        ],
        className="drawer-content",
    )


def _title(incident: dict[str, Any]) -> str:
    return f"{incident['person_name'] or incident['site_name']}: what belongs together"


def _why(score: float, parts: dict[str, float]) -> str:
    told = ", ".join(f"{_PARTS.get(name, name)} {value:.2f}" for name, value in parts.items())
    return f"Score {score:.2f}: {told}."


def _facts(incident: dict[str, Any], zone: str | None) -> list[tuple[str, Any]]:
    guard = incident["person_id"] and marks.person(incident["person_id"], incident["person_name"])
    return [
        ("Guard", guard),
        ("Site", incident["site_name"]),
        ("From", marks.moment(incident["window_start"], zone)),
        ("To", marks.moment(incident["window_end"], zone)),
        ("Looked into by", incident["investigated_by_name"]),
        ("Root cause", incident["root_cause_description"]),
    ]


def _signal(key: str, signal: dict[str, Any]) -> html.Li:
    label = words.say(words.FINDING, signal["kind"])
    known = key.startswith("finding:")
    return html.Li(
        [
            marks.severity(signal["severity"]),
            marks.opens(key, label) if known else html.Span(label),
            html.Span(signal.get("summary", ""), className="muted"),
        ]
    )


def _alert(alert: dict[str, Any], zone: str | None) -> html.Li:
    return html.Li(
        [
            marks.severity(alert["severity"]),
            marks.opens(f"alert:{alert['id']}", words.say(words.ALERT, alert["alert_type"])),
            html.Span(f"{alert['score']:.2f}", className="num", title=_why_alert(alert)),
            marks.moment(alert["occurred_at"], zone),
        ]
    )


def _why_alert(alert: dict[str, Any]) -> str:
    return _why(alert["score"], alert["score_parts"])


def _notes(notes: list[dict[str, Any]]) -> list[Any]:
    if not notes:
        return []
    rows = [html.Li([note["text"], f" ({note['user_name'] or 'API'})"]) for note in notes]
    return [html.H3("Looked into"), html.Ul(rows)]
