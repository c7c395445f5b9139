"""A ticket in the drawer: what it is about, its evidence, its history, and the next step."""

from __future__ import annotations

from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html
from typing_extensions import TypedDict

from dashboards import callbacks, evidence, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id, Note
from dashboards.detail import parts
from dashboards.pages.tickets import title
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.guard import check
from noc.identity.principal import Principal, required_principal
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.models import PRIORITIES, RESOLUTIONS
from noc.tickets.transitions import TRANSITIONS

TITLE = "Ticket"

_STEPS = {
    "IN_PROGRESS": "Start work",
    "ON_HOLD": "Put on hold",
    "CLOSED": "Close",
    "CANCELLED": "Cancel",
}
_VERBS = {
    "opened": "Opened",
    "assign": "Assigned",
    "comment": "Comment",
    "evidence": "Evidence added",
    "merge": "Merged",
    "overdue": "Overdue",
    "priority": "Priority and time set",
}


def register(ui: Dash) -> None:
    """The drawer's buttons for tickets."""
    callbacks.register(
        ui,
        step,
        Output("detail", "children", allow_duplicate=True),
        Input({"type": "ticket-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "ticket-resolution", "key": ALL}, "value"),
        State({"type": "ticket-note", "key": ALL}, "value"),
        State({"type": "ticket-verdict", "punch": ALL}, "value"),
        State({"type": "ticket-verdict", "punch": ALL}, "id"),
        State({"type": "ticket-priority", "key": ALL}, "value"),
        State({"type": "ticket-version", "key": ALL}, "data"),
        prevent_initial_call=True,
        running=[(Output("detail", "className"), "is-loading", "")],
    )


def content(ticket_id: int, problem: str = "") -> Any:
    """Everything about the ticket that this reader may see."""
    ticket = queries.work.ticket(ticket_id)
    if ticket is None:
        return states.not_found("ticket")
    zone = queries.reader.zone(ticket["site_id"])
    return html.Div(
        [
            html.Div(
                [marks.severity(ticket["priority"]), marks.state(ticket["status"])],
                className="split",
            ),
            dcc.Store(id={"type": "ticket-version", "key": ticket_id}, data=ticket["version"]),
            html.H2(title(ticket), className="drawer-title"),
            parts.problem(problem),
            _actions(ticket),
            marks.facts(_facts(ticket, zone)),
            *_evidence(ticket, zone),
            html.H3("What happened"),
            parts.history(ticket["history"], _VERBS, zone, "comment"),
        ],
        className="drawer-content",
    )


class Verdict(TypedDict):
    """The choice beside one punch."""

    punch: Id


def step(
    _clicks: Clicks,
    resolutions: list[Choice],
    notes: list[Note],
    verdicts: list[Choice],
    punches: list[Verdict],
    priorities: list[Choice],
    versions: list[Id],
) -> Any:
    """Take the step whose button was pressed, and show the ticket as it is then.

    403 without ``noc:operate``. A step that the workflow does not allow is answered in the drawer,
    and so is one for a ticket that somebody else has changed since this reader saw it.
    """
    wanted = parts.pressed()
    principal = check(OPERATE)
    ticket_id = wanted.key
    note = ((notes or [None])[0] or "").strip()
    chosen = {
        punch["punch"]: verdict
        for punch, verdict in zip(punches, verdicts, strict=False)
        if verdict
    }
    try:
        _take(
            wanted.step,
            ticket_id,
            _Said(
                (resolutions or [None])[0],
                (priorities or [None])[0],
                note,
                chosen,
                versions[0] if versions else None,
            ),
            principal,
        )
        session().commit()
    except Problem as problem:
        session().rollback()
        return content(ticket_id, _told(problem))
    return content(ticket_id)


class _Said(NamedTuple):
    """What the drawer's fields hold, and the version of the ticket that it showed."""

    resolution: str | None
    priority: str | None
    note: str
    verdicts: dict[int, str]
    version: int | None


def _take(name: str, ticket_id: int, said: _Said, principal: Principal) -> None:
    who: dict[str, Any] = {
        "user_id": principal.user_id,
        "now": utcnow(),
        "site_ids": principal.site_ids,
    }
    if name == "comment":
        if not said.note:
            raise Problem(422, "Write the comment first.")
        # A comment overwrites nothing, so it is taken whatever the ticket has become.
        workflow.comment(ticket_id, said.note, **who)
        return
    who |= {"version": said.version, "comment": said.note or None}
    if name == "mine" and principal.user_id is not None:
        workflow.assign(ticket_id, principal.user_id, **who)
    elif name == "priority":
        workflow.prioritise(ticket_id, said.priority or "", **who)
    elif name == "RESOLVED":
        if not said.resolution:
            raise Problem(422, "Choose the outcome first.")
        workflow.transition(
            ticket_id, name, resolution=said.resolution, verdicts=said.verdicts, **who
        )
    elif name in _STEPS:
        workflow.transition(ticket_id, name, **who)
    else:
        raise Problem(422, "There is no such step.")


def _told(problem: Problem) -> str:
    reasons = [f"{item['field']}: {item['reason']}" for item in problem.errors]
    return " ".join([problem.detail, *reasons])


def _actions(ticket: dict[str, Any]) -> Any:
    principal = required_principal()
    if not principal.may(OPERATE):
        return None
    key, allowed = ticket["id"], TRANSITIONS[ticket["status"]]
    mine = ticket["assignee_id"] == principal.user_id
    steps = [
        parts.button("ticket", status, key, label, primary=status == "IN_PROGRESS" and mine)
        for status, label in _labels(ticket["status"]).items()
        if status in allowed
    ]
    if not mine and "RESOLVED" in allowed and principal.user_id is not None:
        steps.insert(0, parts.button("ticket", "mine", key, "Take it", primary=True))
    resolve = "RESOLVED" in allowed
    return html.Div(
        [
            parts.note("ticket", key, "Comment: what was found, what the guard says"),
            html.Div(
                [
                    parts.button("ticket", "comment", key, "Comment"),
                    *steps,
                ],
                className="actions",
            ),
            html.Div(
                [
                    parts.resolution("ticket", key, RESOLUTIONS),
                    parts.button("ticket", "RESOLVED", key, "Resolve"),
                ],
                className="actions",
            )
            if resolve
            else None,
            html.Div(
                [
                    parts.priority("ticket", key, PRIORITIES, ticket["priority"]),
                    parts.button("ticket", "priority", key, "Set priority"),
                ],
                className="actions",
            )
            if resolve
            else None,
        ],
        className="act",
    )


def _labels(status: str) -> dict[str, str]:
    return _STEPS | ({"IN_PROGRESS": "Reopen"} if status == "RESOLVED" else {})


def _facts(ticket: dict[str, Any], zone: str | None) -> list[tuple[str, Any]]:
    guard = ticket["person_id"] and marks.person(ticket["person_id"], ticket["person_name"])
    outcome = ticket["resolution"] and words.say(words.RESOLUTION, ticket["resolution"])
    return [
        ("Number", ticket["number"]),
        ("Guard", guard),
        ("Site", ticket["site_name"]),
        ("Opened", [marks.moment(ticket["created_at"], zone), _opener(ticket)]),
        ("Due", marks.due(ticket, zone)),
        ("With", ticket["assignee_name"] or "Nobody yet"),
        ("Outcome", outcome),
    ]


def _opener(ticket: dict[str, Any]) -> str:
    if ticket["created_by_name"]:
        return f" by {ticket['created_by_name']}"
    return words.SOURCE.get(ticket["source"], "")


def _evidence(ticket: dict[str, Any], zone: str | None) -> list[Any]:
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
