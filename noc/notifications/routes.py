"""Routes: made, changed, deleted, tried."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from noc.database.base import new_uuid
from noc.database.tenancy import after_commit, required_tenant
from noc.extensions import session
from noc.identity.existence import must_have_sites
from noc.identity.models import User
from noc.identity.trail import Target, changes, record
from noc.identity.words import BadField
from noc.notifications import deliveries
from noc.notifications.models import TEST, NotificationDelivery, NotificationRoute
from noc.notifications.outbox import request_sending
from noc.notifications.signature import new_secret
from noc.notifications.targets import checked_addresses, checked_url, masked_url
from noc.rest.problems import not_found


def create(values: Mapping[str, Any], *, now: dt.datetime) -> NotificationRoute:
    """A new route; one to a webhook gets a signing secret.

    BadField for a target that does not fit the channel or cannot be one, a site that the tenant
    does not have, and a name that is taken.
    """
    checked = _checked(dict(values), values["channel"])
    personal = checked.get("user_id") is not None
    _check_fit(checked, checked["channel"], personal=personal)
    if personal:
        _check_person(checked["user_id"])
        _check_addressed(checked)
    secret = new_secret() if checked["channel"] == "webhook" else None
    route = NotificationRoute(
        tenant_id=required_tenant(),
        **checked,
        signing_secret=secret,
        created_at=now,
        updated_at=now,
    )
    session().add(route)
    _flush()
    record("route.created", target_of(route), _told(route), now=now)
    return route


def change(route_id: int, values: Mapping[str, Any], *, now: dt.datetime) -> NotificationRoute:
    """Set what ``values`` names; a new target is tried at once. 404; BadField as :func:`create`."""
    route = locked(route_id)
    checked = _checked(dict(values), route.channel)
    before, url = _told(route), route.url
    for name, value in checked.items():
        setattr(route, name, value)
    personal = route.user_id is not None
    target = {"url": route.url, "addresses": route.addresses}
    _check_fit(target, route.channel, personal=personal)
    if personal:
        _check_addressed(checked)
    if "url" in checked or "addresses" in checked:
        route.held_until = None
    route.updated_at = now
    _flush()
    changed = changes(before, _told(route))
    if route.url != url:
        # Two addresses of one host look alike here: that it is another one is told all the same.
        changed["leads_to"] = [before["leads_to"], _told(route)["leads_to"]]
    if changed:
        record("route.changed", target_of(route), changed, now=now)
    return route


def renew_secret(route_id: int, *, now: dt.datetime) -> NotificationRoute:
    """Sign with another secret from the next attempt on. 404; BadField where nothing is signed."""
    route = locked(route_id)
    if route.channel != "webhook":
        raise BadField("channel", "only what goes to a webhook is signed")
    route.signing_secret, route.updated_at = new_secret(), now
    _flush()
    record("route.secret_renewed", target_of(route), now=now)
    return route


def remove(route_id: int, *, now: dt.datetime) -> None:
    """Delete the route with its deliveries, once none of them is being sent. 404."""
    route = locked(route_id, deleting=True)
    record("route.deleted", target_of(route), _told(route), now=now)
    session().delete(route)
    session().flush()


def send_test(route_id: int, *, now: dt.datetime) -> uuid.UUID:
    """Have a marked message sent, also by a route that is not active; the delivery's id. 404."""
    route = locked(route_id)
    delivery = NotificationDelivery(
        tenant_id=route.tenant_id,
        route_id=route.id,
        event_id=new_uuid(),
        kind=TEST,
        severity="INFO",
        payload={},
        created_at=now,
        next_attempt_at=now,
    )
    session().add(delivery)
    # Somebody is waiting to see it: an earlier failure does not hold this one up.
    route.held_until = None
    session().flush()
    record("route.tested", target_of(route), now=now)
    ask_after_commit(route.tenant_id)
    return delivery.id


def replay_all(route_id: int, *, now: dt.datetime) -> int:
    """Send everything anew that died on this route, each under the id it had; how many. 404."""
    route = locked(route_id)
    route.held_until = None
    count = deliveries.replay_route(route_id, now=now)
    record("route.replayed", target_of(route), {"deliveries": count}, now=now)
    ask_after_commit(route.tenant_id)
    return count


def replay_one(delivery_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Send a dead delivery anew, under the id it had; False where it is not dead, or not there."""
    route = _locked_way_of(delivery_id)
    if route is None or not deliveries.replay(delivery_id, now=now):
        return False
    detail = {"delivery": str(delivery_id)}
    record("route.replayed", target_of(route), detail, now=now)
    ask_after_commit(route.tenant_id)
    return True


def ask_after_commit(tenant_id: int) -> None:
    """Have a worker look at what is due once the transaction has committed."""

    def ask() -> None:
        request_sending(tenant_id)

    after_commit(session(), ask)


def locked(route_id: int, *, deleting: bool = False) -> NotificationRoute:
    """The route, until the transaction ends nobody else's to change; 404 where there is none.

    Deliveries are stored and sent meanwhile, unless it is to be deleted.
    """
    route = session().get(
        NotificationRoute,
        (required_tenant(), route_id),
        with_for_update={"key_share": not deleting},
        populate_existing=True,
    )
    if route is None:
        raise not_found("route")
    return route


def _locked_way_of(delivery_id: uuid.UUID) -> NotificationRoute | None:
    """The route of the delivery, locked before it, as whoever deletes the route locks them."""
    return session().scalar(
        select(NotificationRoute)
        .join(
            NotificationDelivery,
            (NotificationDelivery.tenant_id == NotificationRoute.tenant_id)
            & (NotificationDelivery.route_id == NotificationRoute.id),
        )
        .where(
            NotificationDelivery.tenant_id == required_tenant(),
            NotificationDelivery.id == delivery_id,
        )
        .with_for_update(of=NotificationRoute, key_share=True)
        .execution_options(populate_existing=True)
    )


def target_of(route: NotificationRoute) -> Target:
    """The route, for the audit trail."""
    return Target("route", route.id, route.name)


def _told(route: NotificationRoute) -> dict[str, Any]:
    """What may be known of a route: never its secret, of a URL only where it leads."""
    names = ("name", "channel", "addresses", "site_ids", "min_severity", "kinds", "active")
    told = {name: getattr(route, name) for name in names}
    return told | {"leads_to": None if route.url is None else masked_url(route.url)}


def _checked(values: dict[str, Any], channel: str) -> dict[str, Any]:
    """The values as they are stored; BadField for one that cannot be."""
    if values.get("url") is not None:
        values["url"] = checked_url(values["url"])
    if "addresses" in values:
        values["addresses"] = checked_addresses(values["addresses"])
    if "site_ids" in values:
        must_have_sites(required_tenant(), values["site_ids"], "site_ids")
        values["site_ids"] = sorted(set(values["site_ids"]))
    if "kinds" in values:
        values["kinds"] = list(dict.fromkeys(values["kinds"]))
    return values


def _check_person(user_id: int) -> None:
    found = session().scalar(
        select(User.id).where(User.tenant_id == required_tenant(), User.id == user_id, User.active)
    )
    if found is None:
        raise BadField("user_id", f"there is no active user {user_id} in this tenant")


def _check_addressed(values: Mapping[str, Any]) -> None:
    """A personal route chooses nothing: what it takes is addressed to the person."""
    for field, everything in (("site_ids", []), ("kinds", []), ("min_severity", "INFO")):
        if values.get(field, everything) != everything:
            raise BadField(field, "is not for a personal route, which takes what is addressed")


def _check_fit(target: Mapping[str, Any], channel: str, *, personal: bool = False) -> None:
    wanted, other = ("addresses", "url") if channel == "email" else ("url", "addresses")
    if not target.get(wanted) and not (personal and channel == "email"):
        raise BadField(wanted, f"is needed for the channel {channel}")
    if target.get(other):
        raise BadField(other, f"is not for the channel {channel}, which takes {wanted}")


def _flush() -> None:
    try:
        with session().begin_nested():
            session().flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            if "own_mail" in str(error.orig):
                reason = "are needed: the user has a route to their own address already"
                raise BadField("addresses", reason) from error
            raise BadField("name", "another route has this name") from error
        raise
