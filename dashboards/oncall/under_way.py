"""Escalations: what is on its way through a policy, and what came of the latest."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, queries, states, words
from dashboards.oncall import phrases

STATES = {
    "": "Latest",
    "active": "On its way",
    "answered": "Answered",
    "exhausted": "Nobody answered",
    "ended": "Over by itself",
}
"""The filter's choices."""

_WHY = {
    "": (
        "Nothing has been escalated",
        "It begins by itself when an alert opens that an escalation policy takes.",
    ),
    "active": ("Nothing is on its way", "Every alert that a policy took has been answered."),
    "answered": ("None was answered yet", "Whoever acknowledges an alert answers it."),
    "exhausted": ("None came to nothing", "Every escalation was answered before its end."),
    "ended": ("None was over by itself", "As when a monitor resolves its alert."),
}


def content(state: str | None) -> Any:
    """The escalations in this state that the reader may see."""
    chosen = state if state in STATES else ""
    found, more = queries.on_call.escalations(chosen or None)
    if not found:
        return states.empty(*_WHY[chosen])
    policies = {run["policy"].id: run["policy"] for run in found if run["policy"]}
    names = queries.on_call.names_for(policies.values())
    rows = [_row(run, names) for run in found]
    limit = queries.on_call.LISTED
    beyond = html.P(f"The latest {limit}.", className="muted pad") if more else None
    return [html.Ul(rows, className="oncall-runs"), beyond]


def _row(run: dict[str, Any], names: Any) -> html.Li:
    opened = words.say(words.ALERT, run["alert_type"])
    return html.Li(
        [
            marks.severity(run["severity"]),
            html.Div(
                [
                    html.Button(
                        [html.Span(opened), html.Span(run["message"], className="oncall-message")],
                        className="text-btn",
                        title=run["message"],
                        **marks.data(open=f"alert:{run['alert_id']}"),
                    ),
                    html.P(phrases.standing(run, names), className="oncall-standing"),
                ],
                className="oncall-run",
            ),
            html.Div(
                [
                    html.Span(run["site_name"] or "Whole company"),
                    html.Span(run["policy_name"] or "Policy deleted", className="muted"),
                ],
                className="oncall-where",
            ),
            html.Div(
                [html.Span("Began ", className="muted"), marks.moment(run["begun_at"])],
                className="oncall-when",
            ),
        ],
        className=f"run-{run['state']}",
    )
