"""A card is moved: done as the reader saw it, or told why not, with nothing lost."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from dash import Dash, Input, Output, html
from pydantic import Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, consequences, marks, queries, words
from dashboards.callbacks import Id
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.evidence import must_exist
from noc.tickets.linking import add_evidence
from noc.tickets.models import Ticket
from noc.tickets.undoing import taken_back, undo


class Wanted(TypedDict):
    """Where a card was moved to, and the version of the ticket that the card showed."""

    id: Id
    version: Id
    to: Literal["NEW", "ASSIGNED", "IN_PROGRESS", "ON_HOLD", "RESOLVED"]
    resolution: NotRequired[
        Literal["CONFIRMED", "FALSE_POSITIVE", "INCONCLUSIVE", "DUPLICATE", "FIXED"] | None
    ]


def register(ui: Dash) -> None:
    """Moves come from ``assets/tickets.js``, which reads the board anew when they are done."""
    callbacks.register(
        ui,
        move,
        Output("tickets-moved", "data"),
        Output("tickets-said", "children"),
        Input("tickets-move", "data"),
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        take_back,
        Output("ticket-undone", "data"),
        Input("ticket-undo", "data"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "ticketUndone", done, Input("ticket-undone", "data"), on_load=False)
    browser.call(ui, "ticketMoved", done, Input("tickets-moved", "data"), on_load=False)


class Unlinked(TypedDict):
    """A piece of evidence that was unlinked."""

    kind: Literal["punch", "finding", "alert", "incident"]
    ref: Annotated[str, Field(pattern=r"^[0-9a-f-]{1,36}$")]


class Unwanted(TypedDict):
    """What is to be taken back: the change that made this version, or what it unlinked."""

    id: Id
    version: Id
    number: NotRequired[Id]
    link: NotRequired[Unlinked]


def offer(ticket: Ticket) -> dict[str, Any]:
    """What the reader is told of a change just made, and what takes it back; before the commit."""
    state = words.say(words.STATE, ticket.status).lower()
    return {
        "words": f"{ticket.number} is {state}",
        "ticket": {"id": ticket.id, "version": ticket.version},
    }


def take_back(wanted: Unwanted) -> dict[str, Any]:
    """Take back the last change of a ticket, unless somebody did more; what came of it in words.

    403 without ``noc:operate``.
    """
    principal = check(OPERATE)
    ticket_id = wanted["id"]
    try:
        who: dict[str, Any] = {
            "version": wanted["version"],
            "user_id": principal.user_id,
            "site_ids": principal.site_ids,
            "now": utcnow(),
        }
        said = _linked_again(wanted, who) if "link" in wanted else _undone(ticket_id, who)
        session().commit()
    except Problem as problem:
        session().rollback()
        return {"id": ticket_id, "ok": False, "words": _stands(ticket_id, problem)}
    return {"id": ticket_id, "ok": True, "words": said}


def _undone(ticket_id: int, who: dict[str, Any]) -> str:
    ticket = undo(ticket_id, **who)
    return f"{offer(ticket)['words']} again{consequences.and_with_it([taken_back(ticket)])}"


def _linked_again(wanted: Unwanted, who: dict[str, Any]) -> str:
    link = (wanted["link"]["kind"], wanted["link"]["ref"])
    must_exist([link], site_ids=who["site_ids"])
    add_evidence(wanted["id"], [link], **who)
    return f"The {link[0]} is linked again"


def _stands(ticket_id: int, problem: Problem) -> str:
    ticket = queries.work.ticket(ticket_id)
    if ticket is None:
        return "The ticket is no longer there."
    if "current_version" not in problem.members:
        return problem.detail
    who, done = _last_done(ticket)
    return f"{ticket['number']}: {who} {done} since. It stays as it is."


def move(wanted: Wanted) -> tuple[dict[str, Any], Any]:
    """Move the ticket, unless it has changed since the reader saw it; what came of it in words.

    403 without ``noc:operate``. A move that is not made answers ``ok`` False, and says what
    somebody else did meanwhile.
    """
    principal = check(OPERATE)
    ticket_id = wanted["id"]
    try:
        ticket = workflow.transition(
            ticket_id,
            wanted["to"],
            resolution=wanted.get("resolution"),
            user_id=principal.user_id,
            site_ids=principal.site_ids,
            now=utcnow(),
            version=wanted["version"],
        )
        told = offer(ticket)
        session().commit()
    except Problem as problem:
        session().rollback()
        return {"id": ticket_id, "ok": False}, _refused(ticket_id, problem)
    return {"id": ticket_id, "ok": True, **told}, None


def _refused(ticket_id: int, problem: Problem) -> Any:
    """Why the move was not made; where somebody was quicker, who, what and when."""
    if "current_version" not in problem.members:
        reasons = [f"{item['field']} {item['reason']}" for item in problem.errors]
        return html.P(" ".join([problem.detail, *reasons]), className="problem", role="alert")
    ticket = queries.work.ticket(ticket_id)
    if ticket is None:
        return html.P("The ticket is no longer there.", className="problem", role="alert")
    who, done = _last_done(ticket)
    last = ticket["history"][-1]
    return html.P(
        [
            f"{ticket['number']} was not moved: {who} {done} ",
            marks.moment(last["at"], queries.reader.zone(ticket["site_id"])),
            ", after you saw it. The board shows it as it is now. ",
            marks.opens(f"ticket:{ticket_id}", f"Look at {ticket['number']}"),
        ],
        className="problem",
        role="alert",
    )


def _last_done(ticket: dict[str, Any]) -> tuple[str, str]:
    """Who changed it last, and what they did."""
    last = ticket["history"][-1]
    who = last["user_name"] or "the system"
    done = {
        "transition": f"set it to {words.say(words.STATE, last['new_status']).lower()}",
        "assign": f"gave it to {ticket['assignee_name'] or 'nobody'}",
        "comment": "wrote a comment",
        "priority": "set its priority and time",
        "evidence": "added evidence",
        "unlink": "unlinked evidence",
        "merge": "merged it with another",
        "overdue": "said that it is overdue",
        "undo": "took a change back",
    }.get(last["action"], "changed it")
    return who, done
