"""REST of notifications: routes, and what became of what was sent by them.

All of it concerns the whole tenant: an admin who is limited to some sites is refused, since a
route they made would tell them of the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check_whole_tenant, require
from noc.identity.words import BadField
from noc.notifications import queries, routes, schemas
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import uuid_cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("notifications", __name__, url_prefix=f"{API_PREFIX}/notifications")
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ROUTE = "/routes/<int:route_id>"
_DELIVERY = "/deliveries/<uuid:delivery_id>"


@bp.get("/routes/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.RouteQuery, location="query", arg_name="query")
def list_routes(query: schemas.RouteQuery) -> Any:
    """Routes by which notifications leave; of a URL only where it leads is shown."""
    check_whole_tenant()
    rows, pagination = queries.list_routes(query)
    return success(rows, pagination=pagination)


@bp.post("/routes/")
@bp.doc(
    description="Of a webhook the answer has `signing_secret`, this once.",
    security=_SECURITY,
)
@require(ADMIN)
@bp.input(schemas.RouteCreate, arg_name="body")
def create_route(body: schemas.RouteCreate) -> Any:
    """Make a route."""
    check_whole_tenant()
    with _plain_refusals():
        route = routes.create(body.model_dump(), now=utcnow())
    answer = queries.route_out(route) | _secret(route.signing_secret)
    session().commit()
    return success(answer), 201


@bp.get(f"{_ROUTE}/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
def show_route(route_id: int) -> Any:
    """One route."""
    check_whole_tenant()
    return success(_found(queries.find_route(route_id), "route"))


@bp.put(f"{_ROUTE}/")
@bp.doc(
    description="What is left out stays as it is, the URL too, which is never shown in full.",
    security=_SECURITY,
)
@require(ADMIN)
@bp.input(schemas.RouteChange, arg_name="body")
def change_route(route_id: int, body: schemas.RouteChange) -> Any:
    """Change a route. What waits goes by it as it is when it is sent."""
    principal = check_whole_tenant()
    with _plain_refusals():
        route = routes.change(route_id, body.model_dump(exclude_unset=True), now=utcnow())
    answer = queries.route_out(route)
    routes.ask_after_commit(principal.tenant_id)
    session().commit()
    return success(answer)


@bp.delete(f"{_ROUTE}/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
def delete_route(route_id: int) -> Any:
    """Delete a route with all its deliveries; switched off (`active`), it would keep them."""
    check_whole_tenant()
    routes.remove(route_id, now=utcnow())
    session().commit()
    return success({"id": route_id, "deleted": True})


@bp.post(f"{_ROUTE}/secret/")
@bp.doc(
    description="The answer has `signing_secret`, this once; the one before is used no more.",
    security=_SECURITY,
)
@require(ADMIN)
@bp.input(schemas.NothingIn, arg_name="body")
def renew_secret(route_id: int, body: schemas.NothingIn) -> Any:
    """Give a webhook's route a new signing secret."""
    check_whole_tenant()
    with _plain_refusals():
        route = routes.renew_secret(route_id, now=utcnow())
    answer = queries.route_out(route) | _secret(route.signing_secret)
    session().commit()
    return success(answer)


@bp.post(f"{_ROUTE}/test/")
@bp.doc(
    description="Also by a route that is not active. Whether it arrived is told by "
    "`deliveries/<delivery_id>/`.",
    security=_SECURITY,
    responses={202: "The delivery to follow"},
)
@require(ADMIN)
@bp.input(schemas.NothingIn, arg_name="body")
def test_route(route_id: int, body: schemas.NothingIn) -> Any:
    """Have a message sent that says it is a test."""
    check_whole_tenant()
    delivery_id = routes.send_test(route_id, now=utcnow())
    session().commit()
    return success({"delivery_id": delivery_id}), 202


@bp.post(f"{_ROUTE}/replay/")
@bp.doc(security=_SECURITY, responses={202: "How many"})
@require(ADMIN)
@bp.input(schemas.NothingIn, arg_name="body")
def replay_route(route_id: int, body: schemas.NothingIn) -> Any:
    """Send everything anew that died on this route, each under the id it had."""
    check_whole_tenant()
    count = routes.replay_all(route_id, now=utcnow())
    session().commit()
    return success({"replayed": count}), 202


@bp.get("/deliveries/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.DeliveryQuery, location="query", arg_name="query")
def list_deliveries(query: schemas.DeliveryQuery) -> Any:
    """What was sent, is to be sent, or died, latest first; `state=dead` is the dead-letter list."""
    check_whole_tenant()
    limit = query.limit or DEFAULT_LIMIT
    rows, pagination = queries.list_deliveries(query, limit=limit, after=uuid_cursor_key())
    return success(rows, pagination=pagination)


@bp.get(f"{_DELIVERY}/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
def show_delivery(delivery_id: uuid.UUID) -> Any:
    """One delivery with what it tells."""
    check_whole_tenant()
    return success(_found(queries.find_delivery(delivery_id), "delivery"))


@bp.post(f"{_DELIVERY}/replay/")
@bp.doc(security=_SECURITY, responses={202: "The delivery", 409: "It is not dead"})
@require(ADMIN)
@bp.input(schemas.NothingIn, arg_name="body")
def replay_delivery(delivery_id: uuid.UUID, body: schemas.NothingIn) -> Any:
    """Send a dead delivery anew, under the id it had."""
    check_whole_tenant()
    if not routes.replay_one(delivery_id, now=utcnow()):
        found = _found(queries.find_delivery(delivery_id), "delivery")
        raise Problem(409, f"Only what is dead is sent anew; this is {found['state']}.")
    session().commit()
    return success(_found(queries.find_delivery(delivery_id), "delivery")), 202


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except BadField as error:
        errors = [{"field": error.field, "reason": str(error)}]
        raise Problem(422, "The route was not accepted.", errors=errors) from error


def _secret(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"signing_secret": secret}


def _found(found: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if found is None:
        problem: Problem = not_found(what)
        raise problem
    return found
