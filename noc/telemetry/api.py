"""REST of telemetry."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity.capabilities import ADMIN, INGEST, VIEW
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import required_principal
from noc.rest.batches import answer, read_body
from noc.rest.body import checked_code
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX, describe
from noc.telemetry.answers import SignalsQuery, signals_answer
from noc.telemetry.ingest import store_signals
from noc.telemetry.rounds import (
    CompletionQuery,
    RoundIn,
    RoundQuery,
    completion,
    list_rounds,
    plan_rounds,
)
from noc.telemetry.schemas import Signal
from noc.telemetry.site_answers import SiteSignalsQuery, site_signals_answer
from noc.telemetry.tours import TourPlan, TourQuery, list_tours, must_have_tour, put_tour, show_tour

bp = APIBlueprint("telemetry", __name__, url_prefix=API_PREFIX)


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


@bp.get("/telemetry/signals/site/<int:site_id>/")
@require(VIEW)
@bp.input(SiteSignalsQuery, location="query", arg_name="query")
def site_signals(site_id: int, query: SiteSignalsQuery) -> Any:
    """Tell what was heard of a site's people, each and in total.

    Active people who are at home there, or on its roster in the window. Kept for a minute: see
    `cached` and `collected_at`; `fresh=1` asks anew. `on_duty` and `heard` narrow the people, a
    page of them at a time; the totals are of all.
    """
    data, pagination, kept = site_signals_answer(
        site_id, query, principal=required_principal(), now=utcnow()
    )
    return success(data, cached=kept, pagination=pagination)


@bp.get("/tours/rounds/")
@require(VIEW)
@bp.input(RoundQuery, location="query", arg_name="query")
def rounds(query: RoundQuery) -> Any:
    """List rounds, latest first: done, late, open or missed, with what was scanned."""
    limit = query.limit or DEFAULT_LIMIT
    page = list_rounds(
        query,
        now=utcnow(),
        limit=limit,
        after=cursor_key(),
        site_ids=required_principal().site_ids,
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get("/tours/completion/")
@require(VIEW)
@bp.input(CompletionQuery, location="query", arg_name="query")
def tour_completion(query: CompletionQuery) -> Any:
    """Tell how many rounds were walked, by tour, person or site; of a week, if left open."""
    return success(completion(query, now=utcnow(), site_ids=required_principal().site_ids))


@bp.post("/tours/<int:tour_id>/rounds/")
@describe(body=RoundIn | list[RoundIn])
@bp.doc(responses={200: "Taken; see each item", 201: "All stored"})
@require(ADMIN, INGEST)
def plan_tour_rounds(tour_id: int) -> Any:
    """Put rounds of a tour on the roster: who walks it, from when to when.

    One round, an array, or an object with `events`. Answered item by item; safe to retry.
    """
    tenant_id = check_whole_tenant().tenant_id
    body = read_body(request.get_data(), request.mimetype, limit=settings().max_batch_items)
    must_have_tour(tour_id)
    result = plan_rounds(tour_id, body.items, tenant_id=tenant_id, now=utcnow())
    data, status = answer(result, single=body.single)
    session().commit()
    return success(data), status


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
    tour_id, created = put_tour(checked_code(code), plan)
    session().commit()
    return success(show_tour(tour_id)), 201 if created else 200
