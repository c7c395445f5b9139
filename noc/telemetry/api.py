"""REST of telemetry."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import TypeAdapter

from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity.capabilities import ADMIN, INGEST, VIEW
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import required_principal
from noc.rest.batches import OLDEST, answer, read_body
from noc.rest.body import Line
from noc.rest.envelope import encode_cursor, page_limit, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem
from noc.telemetry.answers import signals_answer, signals_query
from noc.telemetry.ingest import store_signals
from noc.telemetry.tours import TourFilter, TourPlan, list_tours, put_tour

bp = APIBlueprint("telemetry", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_CODE = TypeAdapter(Line)


@bp.post("/telemetry/events/")
@bp.doc(
    summary="Take phone signals in",
    description="An array, an object with `events`, one signal, or NDJSON (application/x-ndjson). "
    "Answers item by item; 201 when all were stored now, 200 when some were duplicates or "
    "rejected, 422 when a single signal was rejected.",
    responses={200: "Taken, see each item", 201: "All stored", 400: "Not JSON", 413: "Too many"},
    security=_SECURITY,
)
@require(INGEST)
def take_signals() -> Any:
    """Store a batch; 2xx only once it is committed."""
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    result = store_signals(body.items, tenant_id=required_principal().tenant_id, now=utcnow())
    data, status = answer(result, single=body.single)
    session().commit()
    return success(data), status


@bp.get("/telemetry/signals/<int:person_id>/")
@bp.doc(
    summary="What was heard of a person",
    description="`window_minutes` (1 to 10,080, default 120) up to `at` (default now), both ends "
    "included. Kept for a minute: see `cached` and `collected_at`; `fresh=1` asks anew.",
    security=_SECURITY,
)
@require(VIEW)
def signals(person_id: int) -> Any:
    """The five signals of the window; 404 for a stranger."""
    data, kept = signals_answer(
        person_id, signals_query(), principal=required_principal(), now=utcnow()
    )
    return success(data, cached=kept)


@bp.get("/tours/")
@bp.doc(
    summary="Tours with their checkpoints",
    description="Filters: `site_id`, `code`, `active`. Pages by `limit` and `cursor`.",
    security=_SECURITY,
)
@require(VIEW)
def tours() -> Any:
    """A page of the tours that the reader may see."""
    limit = page_limit()
    wanted = TourFilter.model_validate(
        {name: value for name, value in request.args.items() if name not in ("limit", "cursor")}
    )
    after = cursor_key()
    shown, last = list_tours(
        wanted,
        limit=limit,
        after_id=after[1] if after else 0,
        site_ids=required_principal().site_ids,
    )
    # Tours have no time of their own: the cursor's is a constant.
    cursor = encode_cursor(OLDEST, last) if last else None
    return success(shown, pagination={"next_cursor": cursor, "limit": limit})


@bp.put("/tours/by-code/<code>/")
@require(ADMIN, INGEST)
@bp.input(TourPlan, arg_name="plan")
@bp.doc(
    summary="Make a tour as planned",
    description="By its own code, with its checkpoints by theirs: what exists is changed, what "
    "does not is made, and a checkpoint that is no longer listed leaves the tour.",
    responses={200: "Changed", 201: "Made"},
    security=_SECURITY,
)
def put_tour_by_code(code: str, plan: TourPlan) -> Any:
    """Upsert, for an admin or a token for ingest."""
    check_whole_tenant()
    tour_id, created = put_tour(_checked_code(code), plan)
    session().commit()
    shown, _ = list_tours(TourFilter(), limit=1, tour_id=tour_id)
    return success(shown[0]), 201 if created else 200


def _checked_code(code: str) -> str:
    try:
        return _CODE.validate_python(code)
    except ValueError as error:
        raise Problem(
            422,
            "The tour was not accepted.",
            errors=[{"field": "code", "reason": "must have 1 to 200 characters, none of them NUL"}],
        ) from error
