"""Reading routes and deliveries, as they may be shown: without what is secret in them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.notifications.models import NotificationDelivery as Delivery
from noc.notifications.models import NotificationRoute as Route
from noc.notifications.schemas import DeliveryQuery, RouteQuery, State
from noc.notifications.targets import masked_url
from noc.rest.by_id import page_by_id
from noc.rest.envelope import encode_cursor
from noc.workforce.models import Site

Key = tuple[dt.datetime, uuid.UUID]

_SHOWN: tuple[Any, ...] = (
    Delivery.id,
    Delivery.route_id,
    Route.name.label("route_name"),
    Route.channel,
    Delivery.kind,
    Delivery.severity,
    Delivery.site_id,
    Site.name.label("site_name"),
    Delivery.event_id,
    Delivery.state,
    Delivery.attempts,
    Delivery.created_at,
    Delivery.next_attempt_at,
    Delivery.finished_at,
    Delivery.last_error,
)


def route_out(route: Route) -> dict[str, Any]:
    """A route as it is answered: never its signing secret, of a URL only where it leads."""
    return {
        "id": route.id,
        "name": route.name,
        "user_id": route.user_id,
        "channel": route.channel,
        "url": None if route.url is None else masked_url(route.url),
        "addresses": route.addresses,
        "site_ids": route.site_ids,
        "min_severity": route.min_severity,
        "kinds": route.kinds,
        "active": route.active,
        "held_until": route.held_until,
        "created_at": route.created_at,
        "updated_at": route.updated_at,
    }


def list_routes(asked: RouteQuery) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of routes and its ``pagination``. One query."""
    filters = asked.filters()
    named = _route_named(filters.pop("search", ""))
    query = select(Route).filter_by(tenant_id=required_tenant(), **filters).where(named)
    rows, pagination = page_by_id(session(), query, Route.id, asked)
    return [route_out(row) for row in rows], pagination


def routes_behind(text: str, after: int | None, *, limit: int) -> list[dict[str, Any]]:
    """Routes in the order they were made, behind the one whose id is ``after``. One query.

    ``text`` is a part of the name or of an address. With each comes ``user_name``, whose it is:
    None for one of the company.
    """
    whose = (User.tenant_id == Route.tenant_id) & (User.id == Route.user_id)
    query = select(Route, User.name).outerjoin(User, whose)
    query = query.where(Route.tenant_id == required_tenant(), _route_named(text))
    query = query.where(Route.id > (after or 0)).order_by(Route.id).limit(limit)
    return [route_out(row) | {"user_name": name} for row, name in session().execute(query)]


def count_routes(text: str) -> tuple[int, int]:
    """How many routes match, and how many there are. One query."""
    query = select(func.count().filter(_route_named(text)), func.count()).select_from(Route)
    matching, every = session().execute(query.where(Route.tenant_id == required_tenant())).one()
    return matching, every


def _route_named(text: str) -> ColumnElement[bool]:
    by_name = Route.name.icontains(text, autoescape=True)
    addresses = func.array_to_string(Route.addresses, " ")
    return by_name | addresses.icontains(text, autoescape=True)


def find_route(route_id: int) -> dict[str, Any] | None:
    """One route; None if there is none."""
    route = session().get(Route, (required_tenant(), route_id))
    return None if route is None else route_out(route)


def list_deliveries(
    filters: DeliveryQuery, *, limit: int, after: Key | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of deliveries, latest first, and its ``pagination``. One query."""
    query = _deliveries()
    if filters.search is not None:
        query = query.where(_delivery_named(filters.search))
    if filters.state is not None:
        query = query.where(Delivery.state == filters.state)
    if filters.route_id is not None:
        query = query.where(Delivery.route_id == filters.route_id)
    if after is not None:
        query = query.where(tuple_(Delivery.created_at, Delivery.id) < tuple_(*after))
    query = query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit + 1)
    rows = [_out(row) for row in session().execute(query).mappings()]
    page = rows[:limit]
    more = len(rows) > limit
    cursor = encode_cursor(page[-1]["created_at"], str(page[-1]["id"])) if more else None
    return page, {"next_cursor": cursor, "limit": limit}


def count_deliveries(text: str) -> dict[State, int]:
    """How many deliveries match, by state. One query.

    ``text`` is a part of the name of the route or site.
    """
    query = select(Delivery.state, func.count()).where(Delivery.tenant_id == required_tenant())
    if text:
        query = query.where(_delivery_named(text))
    found = {row[0]: row[1] for row in session().execute(query.group_by(Delivery.state))}
    return {state: found.get(state, 0) for state in get_args(State)}


def _delivery_named(text: str) -> ColumnElement[bool]:
    tenant_id = required_tenant()
    routes = select(Route.id).where(
        Route.tenant_id == tenant_id, Route.name.icontains(text, autoescape=True)
    )
    sites = select(Site.id).where(
        Site.tenant_id == tenant_id, Site.name.icontains(text, autoescape=True)
    )
    return Delivery.route_id.in_(routes) | Delivery.site_id.in_(sites)


def find_delivery(delivery_id: uuid.UUID) -> dict[str, Any] | None:
    """One delivery with what it tells; None if there is none."""
    query = _deliveries().add_columns(Delivery.payload).where(Delivery.id == delivery_id)
    row = session().execute(query).mappings().one_or_none()
    return None if row is None else _out(row)


def _deliveries() -> Select[Any]:
    return (
        select(*_SHOWN)
        .join(Route, (Route.tenant_id == Delivery.tenant_id) & (Route.id == Delivery.route_id))
        .outerjoin(Site, (Site.tenant_id == Delivery.tenant_id) & (Site.id == Delivery.site_id))
        .where(Delivery.tenant_id == required_tenant())
    )


def _out(row: Any) -> dict[str, Any]:
    """A time at which nothing is tried any more would only mislead."""
    told = dict(row)
    if told["state"] != "pending":
        told["next_attempt_at"] = None
    return told
