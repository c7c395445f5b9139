"""REST of alerts: reports in, lists and single alerts out, and what people do with them."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.alerts import queries, schemas
from noc.alerts.inbound import store_reports
from noc.alerts.steps import Outcome, take
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo
from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity.capabilities import INGEST, OPERATE, VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.batches import answer, read_body
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX, describe
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("alerts", __name__, url_prefix=API_PREFIX)
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ID = "<int:alert_id>"


@bp.get("/alerts/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.AlertQuery, location="query", arg_name="query")
def list_alerts(query: schemas.AlertQuery) -> Any:
    """Alerts, latest first, filtered by what they show."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_alerts(
        query, site_ids=required_principal().site_ids, limit=limit, after=cursor_key()
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get("/alerts/facets/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.AlertFilters, location="query", arg_name="query")
def count_alerts(query: schemas.AlertFilters) -> Any:
    """How many alerts each status, severity, type and site would list beside the filters."""
    return success(queries.alert_facets(query, site_ids=required_principal().site_ids))


@bp.get(f"/alerts/{_ID}/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_alert(alert_id: int) -> Any:
    """One alert with its metadata and its history."""
    return success(_shown(alert_id))


@bp.post("/alerts/")
@bp.doc(
    summary="Report alerts",
    description="One report, an array of them, or an object with `events`. Answers item by item: "
    "`stored` opened an alert, `duplicate` added to the open one of the same `dedup_key`, so that "
    "sending twice is safe. 201 when all opened one, 200 otherwise, 422 when a single report was "
    "rejected.",
    responses={200: "Taken, see each item", 201: "All stored", 400: "Not JSON", 413: "Too many"},
    security=_SECURITY,
)
@require(INGEST)
@describe(body=schemas.AlertIn | list[schemas.AlertIn])
def report_alerts() -> Any:
    """Store a batch; 2xx only once it is committed."""
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    data, status = answer(store_reports(body.items, now=utcnow()), single=body.single)
    session().commit()
    return success(data), status


@bp.post(f"/alerts/{_ID}/acknowledge/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.NoteIn, arg_name="body")
def acknowledge_alert(alert_id: int, body: schemas.NoteIn) -> Any:
    """Say that somebody has seen it."""
    return _act(alert_id, Step("acknowledge", utcnow(), _user_id(), body.note))


@bp.post(f"/alerts/{_ID}/assign/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.AssignIn, arg_name="body")
def assign_alert(alert_id: int, body: schemas.AssignIn) -> Any:
    """Give it to a user; without one, to whoever is signed in."""
    step = Step(
        "assign", utcnow(), _user_id(), body.note, assignee_id=body.assignee_id or _user_id()
    )
    return _act(alert_id, step)


@bp.post(f"/alerts/{_ID}/shelve/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.ShelveIn, arg_name="body")
def shelve_alert(alert_id: int, body: schemas.ShelveIn) -> Any:
    """Put it out of sight until a moment; it then comes back by itself."""
    return _act(alert_id, Step("shelve", utcnow(), _user_id(), body.note, until=body.until))


@bp.post(f"/alerts/{_ID}/resolve/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.ResolveIn, arg_name="body")
def resolve_alert(alert_id: int, body: schemas.ResolveIn) -> Any:
    """Say how it ended."""
    step = Step("resolve", utcnow(), _user_id(), body.note, resolution=body.resolution)
    return _act(alert_id, step)


@bp.post(f"/alerts/{_ID}/reopen/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.NoteIn, arg_name="body")
def reopen_alert(alert_id: int, body: schemas.NoteIn) -> Any:
    """Take it up again, resolved or shelved. 409 where the same trouble has another open alert.

    `taken_back` as of `undo/`.
    """
    return _act(alert_id, Step("reopen", utcnow(), _user_id(), body.note))


@bp.post(f"/alerts/{_ID}/undo/")
@bp.doc(
    responses={409: "Something happened since, or it is no step that can be taken back"},
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.UndoIn, arg_name="body")
def undo_step(alert_id: int, body: schemas.UndoIn) -> Any:
    """Take back the latest step: what was before it is so again.

    `taken_back` lists what a resolution had set off and is taken back with it: ids of `findings`
    and `tickets`, and `left`, what could not be, with the reason.
    """
    return _done(alert_id, _undo({alert_id: body.change_id}, body.note))


@bp.post(f"/alerts/{_ID}/notes/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.NewNoteIn, arg_name="body")
def note_on_alert(alert_id: int, body: schemas.NewNoteIn) -> Any:
    """Write something down about it."""
    return _act(alert_id, Step("note", utcnow(), _user_id(), body.note))


@bp.post("/alerts/bulk/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.BulkIn, arg_name="body")
def act_on_alerts(body: schemas.BulkIn) -> Any:
    """Take one action on up to 500 alerts, with an answer for each.

    `done` with the `change_id` to take it back by, `unchanged` (it was so already) or `refused`
    with the problem; what one refuses does not hold up the others.
    """
    items = [_item(outcome) for outcome in _bulk(body)]
    session().commit()
    counts = {word: sum(i["status"] == word for i in items) for word in _ANSWERS}
    return success({**counts, "items": items})


def _bulk(body: schemas.BulkIn) -> list[Outcome]:
    if body.action == "undo":
        changes = body.change_ids or []
        if len(changes) != len(body.ids):
            raise Problem(
                422,
                "Nothing was taken back.",
                errors=[{"field": "change_ids", "reason": "must have one for each of the ids"}],
            )
        return _undo(dict(zip(body.ids, changes, strict=True)), body.note)
    step = Step(
        body.action,
        utcnow(),
        _user_id(),
        body.note,
        assignee_id=(body.assignee_id or _user_id()) if body.action == "assign" else None,
        until=body.until if body.action == "shelve" else None,
        resolution=body.resolution if body.action == "resolve" else None,
    )
    return take(step, body.ids, site_ids=required_principal().site_ids)


_ANSWERS = ("done", "unchanged", "refused")


def _item(outcome: Outcome) -> dict[str, Any]:
    if outcome.alert is None:
        problem = outcome.problem or not_found("alert")
        return {"id": outcome.alert_id, "status": "refused", "problem": problem.body()}
    return {
        "id": outcome.alert_id,
        "status": "done" if outcome.changed else "unchanged",
        "alert_status": outcome.alert.status,
        "change_id": outcome.change_id,
        **({"taken_back": dict(outcome.taken_back)} if outcome.taken_back else {}),
    }


def _act(alert_id: int, step: Step) -> Any:
    return _done(alert_id, take(step, [alert_id], site_ids=required_principal().site_ids))


def _undo(changes: dict[int, int], note: str | None) -> list[Outcome]:
    site_ids = required_principal().site_ids
    return undo(changes, user_id=_user_id(), now=utcnow(), note=note, site_ids=site_ids)


def _done(alert_id: int, outcomes: list[Outcome]) -> Any:
    (outcome,) = outcomes
    if outcome.problem is not None:
        raise outcome.problem
    session().commit()
    return success(_shown(alert_id) | {"taken_back": dict(outcome.taken_back)})


def _shown(alert_id: int) -> dict[str, Any]:
    alert = queries.find_alert(alert_id, site_ids=required_principal().site_ids)
    if alert is None:
        raise not_found("alert")
    return alert


def _user_id() -> int | None:
    return required_principal().user_id
