"""What a ticket is about: punches with their reasons, or findings."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import evidence, marks, queries, states, words
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.principal import required_principal
from noc.tickets.transitions import TRANSITIONS


def shown(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    """Its punches with scores and reasons, or what it says and the findings behind it."""
    punch_ids = [int(item["ref"]) for item in ticket["evidence"] if item["kind"] == "punch"]
    if not punch_ids:
        text = ticket["description"]
        described = [html.P(text, className="prose")] if text else []
        return [*described, *_findings(ticket, zone)]
    if not required_principal().may(FRAUD_VIEW):
        return [states.forbidden("The punches, their scores and reasons", FRAUD_VIEW)]
    scores = queries.scores.punch_scores(punch_ids)
    differ = len(scores) > 1 and "RESOLVED" in TRANSITIONS[ticket["status"]]
    rows = [_punch(score, zone, differ=differ) for score in scores]
    return [
        html.H3(words.count(len(scores), "punch", "punches")),
        html.Ul(rows, className="punches"),
        evidence.doubt(scores[0]["model_version"] if scores else None),
    ]


def _findings(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    found = queries.work.findings(
        [int(item["ref"]) for item in ticket["evidence"] if item["kind"] == "finding"]
    )
    rows = [
        html.Li(
            [
                marks.severity(item["severity"]),
                marks.opens(f"finding:{item['id']}", item["title"]),
                marks.state(item["status"]),
                marks.moment(item["detected_at"], zone),
            ]
        )
        for item in found
    ]
    if not rows:
        return []
    return [html.H3(words.count(len(rows), "finding")), html.Ul(rows, className="lines")]


def _punch(score: dict[str, Any], zone: str | None, *, differ: bool) -> html.Li:
    choice = dmc.Select(
        id={"type": "ticket-verdict", "punch": score["punch_id"]},
        data=[
            {"value": "CONFIRMED", "label": "This one: fraud"},
            {"value": "FALSE_POSITIVE", "label": "This one: genuine"},
        ],
        placeholder="As the ticket",
        clearable=True,
        className="resolution",
    )
    return html.Li(
        [
            evidence.punch_head(score, zone, queries.reader.ticket_threshold(score["site_id"])),
            evidence.reasons(score["reasons"]),
            choice if differ else None,
        ]
    )
