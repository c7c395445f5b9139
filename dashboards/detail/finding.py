"""A finding in the drawer: what was heard and what not, what came of it, and the next step."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, html

from dashboards import callbacks, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Note
from dashboards.detail import parts
from noc.audit import findings, reopening
from noc.audit.models import RESOLUTIONS
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.rest.problems import Problem
from noc.telemetry.names import METRIC_WORDS

TITLE = "Finding"


def register(ui: Dash) -> None:
    """The drawer's buttons for findings."""
    callbacks.register(
        ui,
        step,
        Output("detail", "children", allow_duplicate=True),
        Input({"type": "finding-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "finding-resolution", "key": ALL}, "value"),
        State({"type": "finding-note", "key": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output("detail", "className"), "is-loading", "")],
    )


def content(finding_id: int, problem: str = "") -> Any:
    """Everything about the finding that this reader may see."""
    finding = queries.work.finding(finding_id)
    if finding is None:
        return states.not_found("finding")
    zone = queries.reader.zone(finding["site_id"])
    return html.Div(
        [
            html.Div(
                [marks.severity(finding["severity"]), marks.state(finding["status"])],
                className="split",
            ),
            html.H2(words.say(words.FINDING, finding["finding_type"]), className="drawer-title"),
            html.P(finding["evidence_summary"], className="lead"),
            parts.problem(problem),
            _actions(finding),
            marks.facts(_facts(finding, zone)),
            *_taken_back(finding, zone),
            *_heard(finding["evidence"]),
        ],
        className="drawer-content",
    )


def step(_clicks: Clicks, resolutions: list[Choice], notes: list[Note]) -> Any:
    """Take the step whose button was pressed, and show the finding as it is then.

    403 without ``noc:operate``; a step that the finding does not allow is answered in the drawer.
    """
    wanted = parts.pressed()
    principal = check(OPERATE)
    who: dict[str, Any] = {
        "user_id": principal.user_id,
        "now": utcnow(),
        "site_ids": principal.site_ids,
    }
    note = ((notes or [None])[0] or "").strip()
    try:
        _take(wanted.step, wanted.key, (resolutions or [None])[0], note, who)
        session().commit()
    except Problem as problem:
        session().rollback()
        return content(wanted.key, problem.detail)
    return content(wanted.key)


def _take(name: str, finding_id: int, resolution: str | None, note: str, who: Any) -> None:
    if name == "acknowledge":
        findings.acknowledge(finding_id, **who)
    elif name == "reopen":
        reopening.reopen(finding_id, note=note or None, **who)
    elif name != "resolve":
        raise Problem(422, "There is no such step.")
    elif not resolution:
        raise Problem(422, "Choose the outcome first.")
    else:
        findings.resolve(finding_id, resolution, note=note or None, **who)


def _actions(finding: dict[str, Any]) -> Any:
    if not required_principal().may(OPERATE):
        return None
    if finding["status"] == "RESOLVED":
        return _way_back(finding)
    key = finding["id"]
    outcomes = tuple(code for code in RESOLUTIONS if code != "EXPIRED")
    fresh = finding["status"] == "NEW"
    return html.Div(
        [
            parts.note("finding", key, "What was found out"),
            html.Div(
                [
                    parts.button("finding", "acknowledge", key, "Acknowledge", primary=True)
                    if fresh
                    else None,
                    html.Span(className="spring"),
                    parts.resolution("finding", key, outcomes),
                    parts.button("finding", "resolve", key, "Resolve"),
                ],
                className="actions",
            ),
        ],
        className="act",
    )


def _way_back(finding: dict[str, Any]) -> Any:
    if finding["resolution"] == "EXPIRED":
        return _over(finding["id"])
    key = finding["id"]
    also = "Its alert and its ticket are opened with it, where they were false positives too."
    return html.Div(
        [
            parts.note("finding", key, "Why it is not over"),
            html.Div([parts.button("finding", "reopen", key, "Reopen")], className="actions"),
            html.P(also, className="act-hint")
            if finding["resolution"] == "FALSE_POSITIVE"
            else None,
        ],
        className="act",
    )


def _over(finding_id: int) -> html.Div:
    """Why there is nothing to reopen, and what says so where it is so again."""
    again = reopening.open_of_the_same(finding_id, site_ids=required_principal().site_ids)
    told: list[Any] = [
        "It closed itself when what it said was over, so it cannot be reopened. ",
    ]
    if again is None:
        told.append("Should it be so again, the audit reports it as a new finding.")
    else:
        told += ["It is so again: ", marks.opens(f"finding:{again}", "open the new finding"), "."]
    return html.Div(html.P(told, className="act-hint"), className="act")


def _taken_back(finding: dict[str, Any], zone: str | None) -> list[Any]:
    """What was said of it before it was reopened, latest first."""
    if not finding["reopened"]:
        return []
    steps = []
    for one in reversed(finding["reopened"]):
        steps.append(_step("Reopened", one["user_name"], one["at"], one["note"], zone))
        outcome = words.say(words.RESOLUTION, one["resolution"]).lower()
        told = (one["resolved_by_name"], one["resolved_at"], one["resolution_note"], zone)
        steps.append(_step(f"Resolved as {outcome}", *told))
    return [html.H3("Taken back"), html.Ol(steps, className="steps")]


def _step(what: str, who: str | None, at: str, note: str | None, zone: str | None) -> html.Li:
    head = [html.Span(what), html.Span(f"by {who}" if who else ""), marks.moment(at, zone)]
    return html.Li([html.Div(head, className="step-head"), html.P(note) if note else None])


def _facts(finding: dict[str, Any], zone: str | None) -> list[tuple[str, Any]]:
    guard = finding["person_id"] and marks.person(finding["person_id"], finding["person_name"])
    outcome = finding["resolution"] and words.say(words.RESOLUTION, finding["resolution"])
    ticket = finding["escalation_ticket_id"]
    return [
        ("Guard", guard),
        ("Site", finding["site_name"]),
        ("Found", marks.moment(finding["detected_at"], zone)),
        ("Since", marks.moment(finding["window_start"], zone)),
        ("Seen by", finding["acknowledged_by_name"]),
        ("Outcome", outcome),
        ("Note", finding["resolution_note"]),
        ("Alert", _opens("alert", finding["alert_id"], "Open the alert")),
        ("Ticket", _opens("ticket", ticket, finding["ticket_number"])),
    ]


def _heard(evidence: dict[str, Any]) -> list[Any]:
    """The five signals of the window, where the finding is about them."""
    signals = evidence.get("signals")
    if not signals:
        return []
    facts = [
        (words_.capitalize(), f"{signals[name]:,.0f} {unit.removesuffix(' of ')}".strip())
        for name, (words_, unit) in METRIC_WORDS.items()
        if name in signals
    ]
    return [html.H3("Heard in the window"), marks.facts(facts)]


def _opens(kind: str, key: int | None, label: str | None) -> Any:
    return marks.opens(f"{kind}:{key}", label or f"Open the {kind}") if key else None
