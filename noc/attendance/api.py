"""REST of attendance."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.attendance.ingest import store_punches
from noc.attendance.listing import PunchQuery, find_punch, list_punches
from noc.attendance.schemas import Punch, TakeQuery, VoidRequest
from noc.attendance.voiding import void_punch
from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity.capabilities import INGEST, VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.batches import answer, read_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import BIGGEST_ID, cursor_key
from noc.rest.openapi import API_PREFIX, describe
from noc.rest.problems import not_found

bp = APIBlueprint("attendance", __name__, url_prefix=API_PREFIX)


@bp.post("/attendance/events/")
@describe(body=Punch | list[Punch], query=TakeQuery)
@bp.doc(responses={200: "Taken; see each item", 201: "All stored"})
@require(INGEST)
def take_punches() -> Any:
    """Take punches in.

    One, an array, or an object with `events`. Answered item by item: 201 when all were stored
    now, 200 when some were duplicates or rejected, 422 when a single punch was rejected.
    `?score=now` scores them before answering. Safe to retry.
    """
    asked = TakeQuery.model_validate(request.args.to_dict())
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    result = store_punches(
        body.items,
        tenant_id=required_principal().tenant_id,
        now=utcnow(),
        score_now=asked.score == "now",
    )
    data, status = answer(result, single=body.single)
    session().commit()
    return success(data), status


@bp.get("/attendance/events/")
@require(VIEW)
@bp.input(PunchQuery, location="query", arg_name="query")
def punches(query: PunchQuery) -> Any:
    """List punches, newest first; `since` is included, `until` is not."""
    limit = query.limit or DEFAULT_LIMIT
    page = list_punches(
        query, limit=limit, after=cursor_key(), site_ids=required_principal().site_ids
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get("/attendance/events/<int:punch_id>/")
@require(VIEW)
def punch(punch_id: int) -> Any:
    """Show one punch."""
    return success(_shown(punch_id))


@bp.post("/attendance/events/<int:punch_id>/void/")
@require(INGEST)
@bp.input(VoidRequest, arg_name="wanted")
def void(punch_id: int, wanted: VoidRequest) -> Any:
    """Void a punch, with a reason.

    It is never scored and never counted again. Voiding twice keeps the first.
    """
    if not 0 < punch_id <= BIGGEST_ID:
        raise not_found("punch")
    principal = required_principal()
    by = wanted.by if principal.user_id is None else principal.user_id
    void_punch(punch_id, reason=wanted.reason, user_id=by, now=utcnow())
    session().commit()
    return success(_shown(punch_id))


def _shown(punch_id: int) -> dict[str, Any]:
    found = find_punch(punch_id, site_ids=required_principal().site_ids)
    if found is None:
        raise not_found("punch")
    return found
