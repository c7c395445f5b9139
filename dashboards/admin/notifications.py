"""Notifications: routes by which news leaves, and what became of what was sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from dash import Dash, html

from dashboards import queries, states, words
from dashboards.admin import deliveries, kit, listing, routes, steps
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.database.base import utcnow
from noc.notifications import queries as reading
from noc.notifications import routes as domain
from noc.notifications.schemas import RouteChange, RouteCreate
from noc.rest.problems import Problem, not_found

LABEL = "Notifications"
WHAT = "Sending notifications"

_PART = "notifications"
_LISTS = (routes.LISTING, deliveries.LISTING)


def content(query: Mapping[str, str]) -> html.Div:
    """The routes, and below them what was sent."""
    return listing.frame(_PART, *(listing.place_for(one, query) for one in _LISTS))


def register(ui: Dash) -> None:
    """Read the lists, and answer the buttons."""
    listing.register(ui, _PART, act, *_LISTS)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; what hurts is asked about once."""
    step = wanted.step
    if step == "new":
        return Answer(routes.form({"channel": "email", "min_severity": "HIGH"}))
    if step == "create":
        return _create(fields)
    if step == "close":
        return Answer(None)
    if step in ("delivery", "replay"):
        return _delivery(wanted)
    route = reading.find_route(wanted.number)
    if route is None:
        return Answer(html.Div(states.not_found("route"), className="panel"))
    if step in ("ask-delete", "ask-secret", "ask-replay"):
        return _opened(route["id"], asking=step.removeprefix("ask-"))
    if step in _STEPS:
        return _STEPS[step](route, fields)
    return _opened(route["id"])


def _opened(key: int, *, done: str = "", **kept: Any) -> Answer:
    route = reading.find_route(key)
    side = routes.one(route, done=done, **kept) if route else None
    return Answer(side, changed=bool(done))


def _create(fields: Fields) -> Answer:
    def work() -> tuple[int, str, str | None]:
        body = RouteCreate.model_validate(routes.body(fields, new=True))
        route = domain.create(body.model_dump(), now=utcnow())
        return route.id, route.name, route.signing_secret

    made, refusal = steps.attempt(lambda: routes.plainly(work))
    if refusal:
        return Answer(routes.form(fields, refusal))
    key, name, secret = made
    answer = _opened(key, done="Made. Send a test to see that it arrives.")
    return answer if secret is None else answer._replace(secret=_secret(name, secret))


def _save(route: dict[str, Any], fields: Fields) -> Answer:
    def work() -> None:
        body = RouteChange.model_validate(routes.body(fields | {"channel": route["channel"]}))
        domain.change(route["id"], body.model_dump(exclude_unset=True), now=utcnow())
        _look_again()

    _, refusal = steps.attempt(lambda: routes.plainly(work))
    if refusal:
        return _opened(route["id"], values=fields, refusal=refusal)
    return _opened(route["id"], done="Saved. What waits goes by it as it is now.")


def _switch(route: dict[str, Any], _: Fields) -> Answer:
    def work() -> None:
        domain.change(route["id"], {"active": not route["active"]}, now=utcnow())
        _look_again()

    _, refusal = steps.attempt(work)
    done = "Switched off; what comes meanwhile waits." if route["active"] else "Switched on."
    return _opened(route["id"], done="" if refusal else done, refusal=refusal)


def _delete(route: dict[str, Any], _: Fields) -> Answer:
    _, refusal = steps.attempt(lambda: domain.remove(route["id"], now=utcnow()))
    return _opened(route["id"], refusal=refusal) if refusal else Answer(None, changed=True)


def _test(route: dict[str, Any], _: Fields) -> Answer:
    delivery, refusal = steps.attempt(lambda: domain.send_test(route["id"], now=utcnow()))
    if refusal:
        return _opened(route["id"], refusal=refusal)
    told = "A test is on its way."
    return _opened(route["id"], done=told, delivery=delivery)


def _renew(route: dict[str, Any], _: Fields) -> Answer:
    def work() -> str | None:
        return domain.renew_secret(route["id"], now=utcnow()).signing_secret

    secret, refusal = steps.attempt(lambda: routes.plainly(work))
    if refusal or secret is None:
        return _opened(route["id"], refusal=refusal)
    answer = _opened(route["id"], done="What is sent from now on is signed with the new secret.")
    return answer._replace(secret=_secret(route["name"], secret))


def _replay_all(route: dict[str, Any], _: Fields) -> Answer:
    count, refusal = steps.attempt(lambda: domain.replay_all(route["id"], now=utcnow()))
    done = "" if refusal else f"{words.count(count, 'delivery', 'deliveries')} will be sent anew."
    return _opened(route["id"], done=done, refusal=refusal)


_STEPS = {
    "save": _save, "switch": _switch, "delete": _delete, "test": _test, "secret": _renew,
    "replay-all": _replay_all,
}  # fmt: skip


def _delivery(wanted: Pressed) -> Answer:
    try:
        key = uuid.UUID(wanted.key)
    except ValueError:
        return Answer(html.Div(states.not_found("delivery"), className="panel"))
    refusal: Refusal | None = None
    done = ""
    if wanted.step == "replay":

        def work() -> None:
            if not domain.replay_one(key, now=utcnow()):
                if reading.find_delivery(key) is None:
                    raise not_found("delivery")
                raise Problem(409, "Only what is dead is sent anew.")

        _, refusal = steps.attempt(work)
        done = "" if refusal else "It will be sent anew, under the id it had."
    found = reading.find_delivery(key)
    if found is None:
        return Answer(html.Div(states.not_found("delivery"), className="panel"))
    return Answer(deliveries.one(found, refusal, done), changed=bool(done))


def _secret(name: str, secret: str) -> html.Section:
    hint = (
        "With it whoever receives checks that a message is ours, as docs/notifications.md tells. "
        "It is not shown again."
    )
    return kit.secret(f"The signing secret of {name}", secret, hint)


def _look_again() -> None:
    """Have a worker look at what waits, once this is committed."""
    domain.ask_after_commit(queries.admin.tenant())
