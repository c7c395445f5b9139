"""REST of attendance."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.attendance.ingest import store_punches
from noc.attendance.listing import PunchFilter, find_punch, list_punches
from noc.attendance.schemas import VoidRequest
from noc.attendance.voiding import void_punch
from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity.capabilities import INGEST, VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.batches import answer, read_body
from noc.rest.envelope import page_limit, success
from noc.rest.keyset import BIGGEST_ID, cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("attendance", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.post("/attendance/events/")
@bp.doc(
    summary="Take punches in",
    description="One punch, an array of them, or an object with `events`. Answers item by item; "
    "201 when all were stored now, 200 when some were duplicates or rejected, 422 when a single "
    "punch was rejected. `?score=now` scores them before answering.",
    responses={200: "Taken, see each item", 201: "All stored", 400: "Not JSON", 413: "Too many"},
    security=_SECURITY,
)
@require(INGEST)
def take_punches() -> Any:
    """Store a batch; 2xx only once it is committed."""
    score_now = _score_now()
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    result = store_punches(
        body.items,
        tenant_id=required_principal().tenant_id,
        now=utcnow(),
        score_now=score_now,
    )
    data, status = answer(result, single=body.single)
    session().commit()
    return success(data), status


@bp.get("/attendance/events/")
@bp.doc(
    summary="Punches, newest first",
    description="Filters: `person_id`, `site_id`, `device_id`, `kind`, `external_id`, `since` "
    "(included), `until` (not included), `voided`, `scored`. Pages by `limit` and `cursor`.",
    security=_SECURITY,
)
@require(VIEW)
def punches() -> Any:
    """A page of the punches that the reader may see."""
    limit = page_limit()
    wanted = PunchFilter.model_validate(
        {name: value for name, value in request.args.items() if name not in ("limit", "cursor")}
    )
    page = list_punches(
        wanted, limit=limit, after=cursor_key(), site_ids=required_principal().site_ids
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get("/attendance/events/<int:punch_id>/")
@bp.doc(summary="One punch", security=_SECURITY)
@require(VIEW)
def punch(punch_id: int) -> Any:
    """The punch; 404 for another tenant's, or another site's."""
    return success(_shown(punch_id))


@bp.post("/attendance/events/<int:punch_id>/void/")
@bp.input(VoidRequest, arg_name="wanted")
@bp.doc(
    summary="Void a punch",
    description="It is never scored and never counted again. Voiding twice keeps the first.",
    security=_SECURITY,
)
@require(INGEST)
def void(punch_id: int, wanted: VoidRequest) -> Any:
    """Void with a reason, on a user's word where one is named."""
    if punch_id > BIGGEST_ID:
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


def _score_now() -> bool:
    asked = request.args.get("score")
    if asked not in (None, "now"):
        raise Problem(
            422,
            "The punches were not taken.",
            errors=[{"field": "score", "reason": "can only be 'now'"}],
        )
    return asked == "now"
