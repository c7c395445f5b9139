"""REST of tickets: lists and single tickets out, and what people do with them."""

from __future__ import annotations

import hashlib
from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE, VIEW
from noc.identity.guard import require
from noc.identity.principal import Principal, required_principal
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found
from noc.tickets import linking, queries, schemas, workflow
from noc.tickets.by_hand import links, open_by_hand
from noc.tickets.evidence import must_exist
from noc.tickets.merging import merge
from noc.tickets.undoing import taken_back, undo

bp = APIBlueprint("tickets", __name__, url_prefix=API_PREFIX)
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ID = "<int:ticket_id>"
_STALE = "It is not open, or has changed since `version`: `current_version`, `current_status`"


@bp.get("/tickets/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.TicketQuery, location="query", arg_name="query")
def list_tickets(query: schemas.TicketQuery) -> Any:
    """Tickets, latest first, filtered by what they show."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_tickets(
        query, now=utcnow(), site_ids=required_principal().site_ids, limit=limit, after=cursor_key()
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.post("/tickets/")
@bp.doc(
    description="Answers 201 with the new ticket. Repeated with the same `Idempotency-Key` "
    "header within a day, it answers 200 with the ticket of the first time.",
    responses={200: "Opened before", 201: "Opened"},
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.TicketIn, arg_name="body")
def open_ticket(body: schemas.TicketIn) -> Any:
    """Open a ticket by hand."""
    principal = required_principal()
    opened = open_by_hand(body, principal=principal, now=utcnow(), repeat=_repeat(principal))
    session().commit()
    return success(_shown(opened.ticket_id)), 201 if opened.created else 200


@bp.get(f"/tickets/{_ID}/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_ticket(ticket_id: int) -> Any:
    """One ticket with its evidence and its history."""
    return success(_shown(ticket_id))


@bp.post(f"/tickets/{_ID}/transition/")
@bp.doc(
    responses={
        409: "Not a move of the workflow, `allowed` names those; or it has changed since `version`"
    },
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.TransitionIn, arg_name="body")
def move_ticket(ticket_id: int, body: schemas.TransitionIn) -> Any:
    """Move it along the workflow; RESOLVED takes a resolution, and verdicts on single punches.

    Reopened, it is answered with `taken_back`: what its resolution had set off elsewhere.
    """
    ticket = workflow.transition(
        ticket_id,
        body.status,
        **_who(body),
        resolution=body.resolution,
        comment=body.comment,
        verdicts=body.verdicts,
    )
    return _changed(ticket_id, taken_back=taken_back(ticket))


@bp.post(f"/tickets/{_ID}/assign/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.AssignIn, arg_name="body")
def assign_ticket(ticket_id: int, body: schemas.AssignIn) -> Any:
    """Give it to a user; without one, to whoever is signed in."""
    assignee_id = body.assignee_id or required_principal().user_id
    if assignee_id is None:
        raise _refused("assignee_id", "must name a user, since nobody is signed in")
    workflow.assign(ticket_id, assignee_id, **_who(body), comment=body.comment)
    return _changed(ticket_id)


@bp.post(f"/tickets/{_ID}/priority/")
@bp.doc(responses={409: _STALE}, security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.PriorityIn, arg_name="body")
def prioritise_ticket(ticket_id: int, body: schemas.PriorityIn) -> Any:
    """Say how urgent it is, and by when it is to be done."""
    workflow.prioritise(
        ticket_id, body.priority, **_who(body), due_at=body.due_at, comment=body.comment
    )
    return _changed(ticket_id)


@bp.post(f"/tickets/{_ID}/comments/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.CommentIn, arg_name="body")
def comment_on_ticket(ticket_id: int, body: schemas.CommentIn) -> Any:
    """Write something down about it."""
    workflow.comment(ticket_id, body.comment, **_who(body), said_by=body.said_by)
    return _changed(ticket_id)


@bp.post(f"/tickets/{_ID}/evidence/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.EvidencesIn, arg_name="body")
def add_evidence(ticket_id: int, body: schemas.EvidencesIn) -> Any:
    """Link punches, findings, alerts or incidents to it; linking twice is the same as once."""
    found = links(body.evidence)
    must_exist(found, site_ids=required_principal().site_ids)
    linking.add_evidence(ticket_id, found, **_who(body), note=body.note)
    return _changed(ticket_id)


@bp.delete(f"/tickets/{_ID}/evidence/<kind>/<ref>/")
@bp.doc(responses={409: _STALE}, security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.UnlinkQuery, location="query", arg_name="query")
def remove_evidence(ticket_id: int, kind: str, ref: str, query: schemas.UnlinkQuery) -> Any:
    """Unlink what does not belong to it; linking it again takes that back."""
    linking.remove_evidence(ticket_id, (kind, ref), **_who(query), comment=query.comment)
    return _changed(ticket_id)


@bp.post(f"/tickets/{_ID}/merge/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.MergeIn, arg_name="body")
def merge_ticket(ticket_id: int, body: schemas.MergeIn) -> Any:
    """Resolve it as a duplicate of another, which gets its evidence; answers that other."""
    merge(ticket_id, body.into, **_who(body), comment=body.comment)
    return _changed(body.into)


@bp.post(f"/tickets/{_ID}/undo/")
@bp.doc(
    responses={409: "It has changed since `version`, or the change is none that can be taken back"},
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.UndoIn, arg_name="body")
def undo_change(ticket_id: int, body: schemas.UndoIn) -> Any:
    """Take back its latest move, assignment or priority: what was before it is so again.

    `taken_back` lists what its resolution had set off and is taken back with it: ids of `labels`
    (by punch), `findings`, `alerts` and `tickets`, and `left`, what could not be, with the reason.
    """
    ticket = undo(ticket_id, **_who(body), comment=body.comment)
    return _changed(ticket_id, taken_back=taken_back(ticket))


def _who(body: schemas.ChangeIn | schemas.UndoIn | schemas.UnlinkQuery) -> dict[str, Any]:
    principal = required_principal()
    return {
        "user_id": principal.user_id,
        "site_ids": principal.site_ids,
        "now": utcnow(),
        "version": body.version,
    }


def _changed(ticket_id: int, **more: Any) -> Any:
    session().commit()
    return success(_shown(ticket_id) | more)


def _shown(ticket_id: int) -> dict[str, Any]:
    ticket = queries.find_ticket(ticket_id, now=utcnow(), site_ids=required_principal().site_ids)
    if ticket is None:
        raise not_found("ticket")
    return ticket


def _repeat(principal: Principal) -> str | None:
    """What tells this very request of this sender, where it says that it may be repeated."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 200:
        raise _refused("Idempotency-Key", "must have 1 to 200 characters")
    sender = f"{principal.user_id}|{principal.token_id}|{key}|".encode()
    return hashlib.sha256(sender + request.get_data()).hexdigest()


def _refused(field: str, reason: str) -> Problem:
    return Problem(422, "The ticket was not accepted.", errors=[{"field": field, "reason": reason}])
