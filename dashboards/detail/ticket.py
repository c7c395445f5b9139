"""A ticket in the drawer: what it is about, its evidence, its history, and the next step."""

from __future__ import annotations

from typing import Any, NamedTuple

from dash import ALL, Dash, Input, Output, State, dcc, html, no_update
from typing_extensions import TypedDict

from dashboards import callbacks, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id, Note, SomeId
from dashboards.detail import parts, ticket_evidence
from dashboards.detail.ticket_actions import STEPS, actions
from dashboards.tickets import moving
from dashboards.tickets.wording import title
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.identity.principal import Principal
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.merging import merge
from noc.tickets.models import Ticket

TITLE = "Ticket"

_VERBS = {
    "opened": "Opened",
    "assign": "Assigned",
    "comment": "Comment",
    "evidence": "Evidence added",
    "unlink": "Evidence unlinked",
    "merge": "Merged",
    "overdue": "Overdue",
    "priority": "Priority and time set",
    "undo": "Change taken back",
}


def register(ui: Dash) -> None:
    """The drawer's buttons for tickets."""
    callbacks.register(
        ui,
        step,
        Output("detail", "children", allow_duplicate=True),
        Output("undo-offer", "data", allow_duplicate=True),
        Input({"type": "ticket-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "ticket-resolution", "key": ALL}, "value"),
        State({"type": "ticket-note", "key": ALL}, "value"),
        State({"type": "ticket-verdict", "punch": ALL}, "value"),
        State({"type": "ticket-verdict", "punch": ALL}, "id"),
        State({"type": "ticket-priority", "key": ALL}, "value"),
        State({"type": "ticket-version", "key": ALL}, "data"),
        State({"type": "ticket-assignee", "key": ALL}, "value"),
        State({"type": "ticket-into", "key": ALL}, "value"),
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
            actions(ticket),
            marks.facts(_facts(ticket, zone)),
            *ticket_evidence.shown(ticket, zone),
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
    assignees: list[SomeId],
    into: list[Choice],
) -> tuple[Any, Any]:
    """Take the step whose button was pressed; the ticket as it is then, and how to take it back.

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
        ticket = _take(
            wanted.step,
            ticket_id,
            _Said(
                (resolutions or [None])[0],
                (priorities or [None])[0],
                note,
                chosen,
                versions[0] if versions else None,
                (assignees or [None])[0],
                ((into or [None])[0] or "").strip(),
            ),
            principal,
        )
        offer = no_update if ticket is None else moving.offer(ticket)
        session().commit()
    except Problem as problem:
        session().rollback()
        return content(ticket_id, _told(problem)), no_update
    return content(ticket_id), offer


class _Said(NamedTuple):
    """What the drawer's fields hold, and the version of the ticket that it showed."""

    resolution: str | None
    priority: str | None
    note: str
    verdicts: dict[int, str]
    version: int | None
    assignee: int | None
    into: str


def _take(name: str, ticket_id: int, said: _Said, principal: Principal) -> Ticket | None:
    """The ticket, where what was done to it can be taken back."""
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
        return None
    who |= {"version": said.version, "comment": said.note or None}
    if name in ("mine", "assign"):
        return workflow.assign(ticket_id, _to_whom(name, said, principal), **who)
    if name == "merge":
        merge(ticket_id, _numbered(said.into), **who)
        return None
    if name == "priority":
        return workflow.prioritise(ticket_id, said.priority or "", **who)
    if name == "RESOLVED":
        if not said.resolution:
            raise Problem(422, "Choose the outcome first.")
        return workflow.transition(
            ticket_id, name, resolution=said.resolution, verdicts=said.verdicts, **who
        )
    if name in STEPS:
        return workflow.transition(ticket_id, name, **who)
    raise Problem(422, "There is no such step.")


def _to_whom(name: str, said: _Said, principal: Principal) -> int:
    user_id = principal.user_id if name == "mine" else said.assignee
    if user_id is None:
        raise Problem(422, "Choose to whom first.")
    return user_id


def _numbered(number: str) -> int:
    if not number:
        raise Problem(422, "Write the number of the ticket that goes on first.")
    found = queries.work.ticket_numbered(number.upper())
    if found is None:
        raise Problem(404, f"There is no ticket {number}.")
    return found


def _told(problem: Problem) -> str:
    reasons = [f"{item['field']}: {item['reason']}" for item in problem.errors]
    return " ".join([problem.detail, *reasons])


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
        ("Goes on as", _heir(ticket)),
    ]


def _opener(ticket: dict[str, Any]) -> str:
    if ticket["created_by_name"]:
        return f" by {ticket['created_by_name']}"
    return words.SOURCE.get(ticket["source"], "")


def _heir(ticket: dict[str, Any]) -> Any:
    """The ticket that this one was merged into, where it is a duplicate now."""
    if ticket["resolution"] != "DUPLICATE":
        return None
    merged = [item["detail"] for item in ticket["history"] if item["action"] == "merge"]
    into = next((detail for detail in reversed(merged) if "into" in (detail or {})), None)
    return into and marks.opens(f"ticket:{into['into']}", into["number"])
