"""What a ticket is about: punches with their reasons, findings, alerts and incidents."""

from __future__ import annotations

import uuid
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import evidence, marks, queries, states, words
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.principal import required_principal
from noc.tickets.transitions import TRANSITIONS, is_open


def shown(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    """Its punches with scores and reasons, or what it says and the findings behind it; the rest.

    Beside each is what unlinks it, while the ticket is open, for who may.
    """
    punch_ids = [int(ref) for ref in _refs(ticket, "punch")]
    others = [*_findings(ticket, zone), *_alerts(ticket, zone), *_incidents(ticket, zone)]
    if not punch_ids:
        text = ticket["description"]
        return [html.P(text, className="prose"), *others] if text else others
    if not required_principal().may(FRAUD_VIEW):
        return [states.forbidden("The punches, their scores and reasons", FRAUD_VIEW), *others]
    scores = queries.scores.punch_scores(punch_ids)
    differ = len(scores) > 1 and "RESOLVED" in TRANSITIONS[ticket["status"]]
    rows = [_punch(ticket, score, zone, differ=differ) for score in scores]
    return [
        html.H3(words.count(len(scores), "punch", "punches")),
        html.Ul(rows, className="punches"),
        evidence.doubt(scores[0]["model_version"] if scores else None),
        *others,
    ]


def _findings(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    found = queries.work.findings([int(ref) for ref in _refs(ticket, "finding")])
    lines = [(item["id"], item["title"], item | {"at": item["detected_at"]}) for item in found]
    return _listed(ticket, "finding", lines, zone)


def _alerts(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    found = queries.linked.alerts([int(ref) for ref in _refs(ticket, "alert")])
    lines = [(item["id"], words.say(words.ALERT, item["alert_type"]), item) for item in found]
    return _listed(ticket, "alert", lines, zone)


def _incidents(ticket: dict[str, Any], zone: str | None) -> list[Any]:
    found = queries.linked.incidents([uuid.UUID(ref) for ref in _refs(ticket, "incident")])
    lines = [(item["id"], "Incident", item) for item in found]
    return _listed(ticket, "incident", lines, zone)


def _refs(ticket: dict[str, Any], kind: str) -> list[str]:
    return [item["ref"] for item in ticket["evidence"] if item["kind"] == kind]


def _listed(
    ticket: dict[str, Any], kind: str, lines: list[tuple[Any, str, Any]], zone: str | None
) -> list[Any]:
    if not lines:
        return []
    rows = [
        html.Li(
            [
                marks.severity(item["severity"]),
                marks.opens(f"{kind}:{key}", title),
                marks.state(item["status"]),
                marks.moment(item["at"], zone),
                _unlink(ticket, kind, str(key), title),
            ]
        )
        for key, title, item in lines
    ]
    return [html.H3(words.count(len(rows), kind)), html.Ul(rows, className="lines linked")]


def _unlink(ticket: dict[str, Any], kind: str, ref: str, title: str) -> Any:
    if not required_principal().may(OPERATE) or not is_open(ticket["status"]):
        return None
    return marks.icon_button(
        "close",
        f"Unlink {title} from {ticket['number']}",
        title=f"Unlink: this {kind} does not belong to the ticket",
        id={"type": "ticket-unlink", "kind": kind, "ref": ref, "key": ticket["id"]},
        n_clicks=0,
    )


def _punch(
    ticket: dict[str, Any], score: dict[str, Any], zone: str | None, *, differ: bool
) -> html.Li:
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
    head = evidence.punch_head(score, zone, queries.reader.ticket_threshold(score["site_id"]))
    ref, what = str(score["punch_id"]), words.say(words.PUNCH, score["kind"]).lower()
    return html.Li(
        [
            html.Div([head, _unlink(ticket, "punch", ref, what)], className="punch-line"),
            evidence.reasons(score["reasons"]),
            choice if differ else None,
        ]
    )
