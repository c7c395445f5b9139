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
from noc.rest.batches import answer, read_body
from noc.rest.body import Line
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX, describe
from noc.rest.problems import Problem
from noc.telemetry.answers import SignalsQuery, signals_answer
from noc.telemetry.ingest import store_signals
from noc.telemetry.schemas import Signal
from noc.telemetry.tours import TourPlan, TourQuery, list_tours, put_tour, show_tour

bp = APIBlueprint("telemetry", __name__, url_prefix=API_PREFIX)

_CODE = TypeAdapter(Line)


@bp.post("/telemetry/events/")
@describe(body=Signal | list[Signal], media_types=("application/json", "application/x-ndjson"))
@bp.doc(responses={200: "Taken; see each item", 201: "All stored"})
@require(INGEST)
def take_signals() -> Any:
    """Take phone signals in.

    An array, an object with `events`, one signal, or NDJSON. Answered item by item: 201 when
    all were stored now, 200 when some were duplicates or rejected, 422 when a single signal was
    rejected. Safe to retry.
    """
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    result = store_signals(body.items, tenant_id=required_principal().tenant_id, now=utcnow())
    data, status = answer(result, single=body.single)
    session().commit()
    return success(data), status


@bp.get("/telemetry/signals/<int:person_id>/")
@require(VIEW)
@bp.input(SignalsQuery, location="query", arg_name="query")
def signals(person_id: int, query: SignalsQuery) -> Any:
    """Tell what was heard of a person.

    In the `window_minutes` up to `at` (now, if left out), both ends included. Kept for a minute:
    see `cached` and `collected_at`; `fresh=1` asks anew.
    """
    data, kept = signals_answer(person_id, query, principal=required_principal(), now=utcnow())
    return success(data, cached=kept)


@bp.get("/tours/")
@require(VIEW)
@bp.input(TourQuery, location="query", arg_name="query")
def tours(query: TourQuery) -> Any:
    """List tours with their checkpoints."""
    shown, pagination = list_tours(query, site_ids=required_principal().site_ids)
    return success(shown, pagination=pagination)


@bp.put("/tours/by-code/<code>/")
@require(ADMIN, INGEST)
@bp.input(TourPlan, arg_name="plan")
@bp.doc(responses={200: "Changed", 201: "Made"})
def put_tour_by_code(code: str, plan: TourPlan) -> Any:
    """Make a tour as planned, by its own code.

    With its checkpoints by theirs: what exists is changed, what does not is made, and a
    checkpoint that is no longer listed leaves the tour.
    """
    check_whole_tenant()
    tour_id, created = put_tour(_checked_code(code), plan)
    session().commit()
    return success(show_tour(tour_id)), 201 if created else 200


def _checked_code(code: str) -> str:
    try:
        return _CODE.validate_python(code)
    except ValueError as error:
        raise Problem(
            422,
            "The tour was not accepted.",
            errors=[{"field": "code", "reason": "must have 1 to 200 characters, none of them NUL"}],
        ) from error
