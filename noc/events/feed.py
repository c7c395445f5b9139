"""``/ws/noc/dashboard/``: who may open the feed, and for what."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

import flask_sock
import structlog
from apiflask import APIBlueprint
from flask import Flask, Response, current_app, g, request
from flask import session as cookie
from flask.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError

from noc.events.connections import Feed
from noc.events.filters import asked_subscription
from noc.events.rights import Badge
from noc.events.schemas import FeedQuery
from noc.events.sockets import FeedSocket
from noc.extensions import db, settings, sock
from noc.identity import guard, sessions, tokens
from noc.identity.capabilities import VIEW
from noc.identity.principal import Principal, required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.monitoring import metrics
from noc.rest.problems import Problem

log = structlog.get_logger(__name__)

PATH = "/ws/noc/dashboard/"
_RETRY_AFTER_SECONDS = "5"

bp = APIBlueprint("feed", __name__, enable_openapi=False)

# The extension makes the server side of each socket from this name of its module.
flask_sock.Server = FeedSocket


def feed() -> Feed:
    """The feed of the current app."""
    return cast(Feed, current_app.extensions["noc_feed"])


@bp.record
def _make_feed(state: BlueprintSetupState) -> None:
    config = state.app.config["NOC_SETTINGS"]
    state.app.extensions["noc_feed"] = Feed(cast(Flask, state.app), config)


@bp.before_request
def _admit() -> None:
    """Refuse over HTTP, before the upgrade: 401, 403, 404, 422 or 503 as problem+json."""
    principal = guard.check(VIEW)
    if not tenant_settings().websocket_enabled:
        raise _unavailable("The feed is switched off.")
    _check_origin(principal)
    query = FeedQuery.model_validate(request.args.to_dict())
    g.feed_subscription = asked_subscription(principal, query)
    g.feed_after = query.after
    if not _is_upgrade():
        return
    if not feed().take_place(principal.tenant_id):
        metrics.RATE_LIMITED.labels("feed_connections").inc()
        raise _unavailable("All places of the feed are taken.")
    g.feed_place = principal.tenant_id


@bp.teardown_request
def _leave(_: BaseException | None) -> None:
    tenant_id = g.pop("feed_place", None)
    if tenant_id is not None:
        feed().give_place_back(tenant_id)


@bp.get(PATH, strict_slashes=False)
def plain() -> Response:
    """A request that does not ask for the upgrade."""
    raise Problem(426, "The feed is a WebSocket.", headers={"Upgrade": "websocket"})


@sock.route(PATH, bp=bp, strict_slashes=False)  # type: ignore[untyped-decorator]
def dashboard(socket: FeedSocket) -> None:
    """The feed of one client, until either side hangs up."""
    principal = required_principal()
    secret = None if principal.token_id else sessions.hash_secret(cookie["secret"])
    badge = Badge(principal, secret)
    feed().serve(socket, g.feed_subscription, g.feed_after, badge, lambda: _still_allowed(badge))


def _is_upgrade() -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _check_origin(principal: Principal) -> None:
    """A session comes with the browser's cookie, so the page that opens the feed must be ours.

    A client that sends no Origin is no browser, and no other site's page can use it.
    """
    origin = request.headers.get("Origin")
    if principal.token_id is not None or origin is None:
        return
    own = urlsplit(origin).netloc.lower() == request.host.lower()
    if not own and origin not in settings().allowed_origins:
        raise Problem(403, "This origin may not open the feed with a session.", origin=origin)


def _still_allowed(badge: Badge) -> bool:
    """Whether who opened the feed may still see the same as then.

    While the database cannot be asked the answer of last time stands.
    """
    try:
        _, _, secret = request.headers.get("Authorization", "").partition(" ")
        now = tokens.find(secret.strip()) if secret else sessions.find(cookie)
    except SQLAlchemyError as error:
        metrics.FAILURES.labels("feed").inc()
        log.warning("feed_cannot_check_sign_in", error=str(error).splitlines()[0])
        return True
    finally:
        db.session.remove()
    return badge.holds(now)


def _unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": _RETRY_AFTER_SECONDS})
