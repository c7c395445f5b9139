"""Users: who may sign in, what they can see and do, and how they get in again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from dash import Dash, html
from flask import request

from dashboards import marks, queries, states, words
from dashboards.admin import kit, listing, sight, steps, user_form
from dashboards.admin.controls import Asked, Find
from dashboards.admin.listing import Listing, Rows
from dashboards.admin.steps import Answer, Fields, Pressed
from noc.database.base import utcnow
from noc.identity import accounts
from noc.identity.principal import required_principal
from noc.identity.schemas import UserChange, UserCreate

LABEL = "Users"
WHAT = "Managing users"

_PART = "users"


def content(query: Mapping[str, str]) -> html.Div:
    """Everybody who can sign in, and who no longer can."""
    return listing.frame(_PART, listing.place_for(_LISTING, query))


def register(ui: Dash) -> None:
    """Read the list, and answer the buttons."""
    listing.register(ui, _PART, act, _LISTING)


def _rows(found: Rows) -> list[html.Tr]:
    sites = queries.sites.names({key for user in found for key in user["site_ids"] or ()})
    return [
        kit.row(
            kit.two(
                kit.button(_PART, "open", user["name"], user["id"], look="text"), user["email"]
            ),
            ("Role", words.say(words.ROLE, user["role"])),
            ("Sees", _sees(user, sites)),
            ("Last sign-in", marks.moment(user["last_login_at"]) if user["last_login_at"]
             else html.Span("never", className="muted")),
            ("State", html.Span("May sign in" if user["active"] else "Shut out",
                                className="state state-resolved" if user["active"] else "state")),
            key=user["id"],
        )
        for user in found
    ]  # fmt: skip


def _counted(asked: Asked) -> str:
    matching, every = queries.admin.users_counted(text := asked["search"])
    return f"{matching:,} of {words.count(every, 'user')}" if text else words.count(every, "user")


def _nothing(_: Asked) -> html.Div:
    return states.empty("Nobody found", "Search by a part of the name or of the e-mail address.")


_LISTING = Listing(
    part=_PART,
    name=_PART,
    title=LABEL,
    controls=(Find("Name or e-mail"),),
    new="New user",
    head=("User", "Role", "Sees", "Last sign-in", "State"),
    read=lambda asked, after, limit: queries.admin.users(asked["search"], after, limit),
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; nothing hurts before it was asked about."""
    step, key = wanted.step, wanted.number
    if step == "new":
        return Answer(user_form.new({"role": "operator"}))
    if step == "create":
        return _create(fields)
    if step == "close":
        return Answer(None)
    user = queries.admin.user(key)
    if user is None:
        return Answer(html.Div(states.not_found("user"), className="panel"))
    if step in ("ask-disable", "ask-password", "ask-link"):
        return _opened(key, asking=step.removeprefix("ask-"))
    if step == "save":
        return _save(user, fields, wanted.parts[1] or None)
    if step in _STEPS:
        return _STEPS[step](user, fields)
    return _opened(key)


def _opened(key: int, *, done: str = "", asking: str = "", **kept: Any) -> Answer:
    user = queries.admin.user(key)
    side = user_form.one(user, done=done, asking=asking, **kept) if user else None
    return Answer(side, changed=bool(done))


# -- steps ---------------------------------------------------------------------------------------


def _create(fields: Fields) -> Answer:
    password = secrets.token_urlsafe(12)

    def work() -> Any:
        body = UserCreate.model_validate(
            {"email": fields.get("email") or "", "name": fields.get("name") or "",
             "role": fields.get("role"), "password": password,
             "site_ids": steps.ids(fields.get("site_ids"))}
        )  # fmt: skip
        user = accounts.create(sight.act(_PART), body.model_dump())
        return user.id, user.name, user.email

    made, refusal = steps.attempt(work)
    if refusal:
        return Answer(user_form.new(fields, refusal))
    user_id, name, email = made
    shown = kit.secret(
        f"The password of {name}", password, f"They sign in as {email}. It is not shown again."
    )
    return _opened(user_id, done=f"{name} may sign in now.")._replace(secret=shown)


def _save(user: dict[str, Any], fields: Fields, version: str | None) -> Answer:
    def work() -> None:
        itself = user["id"] == required_principal().user_id
        values: dict[str, Any] = {"name": fields.get("name") or "", "version": version}
        if not itself:
            values |= {"role": fields.get("role"), "site_ids": steps.ids(fields.get("site_ids"))}
        body = UserChange.model_validate(values)
        changed = body.model_dump(exclude_unset=True)
        accounts.change(sight.act(_PART), user["id"], now=utcnow(), **changed)

    _, refusal = steps.attempt(work)
    if refusal:
        return _opened(user["id"], values=fields, refusal=refusal)
    return _opened(user["id"], done="Saved. It holds with their next step.")


def _disable(user: dict[str, Any], _: Fields) -> Answer:
    _, refusal = steps.attempt(lambda: accounts.disable(sight.act(_PART), user["id"], now=utcnow()))
    done = "" if refusal else "Shut out; every sign-in of theirs has ended."
    return _opened(user["id"], done=done, refusal=refusal)


def _enable(user: dict[str, Any], _: Fields) -> Answer:
    _, refusal = steps.attempt(lambda: accounts.enable(sight.act(_PART), user["id"], now=utcnow()))
    done = "" if refusal else "Let in again, with the password they had."
    return _opened(user["id"], done=done, refusal=refusal)


def _password(user: dict[str, Any], _: Fields) -> Answer:
    password = secrets.token_urlsafe(12)
    _, refusal = steps.attempt(
        lambda: accounts.set_password(sight.act(_PART), user["id"], password, now=utcnow())
    )
    if refusal:
        return _opened(user["id"], refusal=refusal)
    shown = kit.secret(f"The new password of {user['name']}", password, "It is not shown again.")
    opened = _opened(user["id"], done="The old password no longer works.")
    return opened._replace(secret=shown)


def _link(user: dict[str, Any], _: Fields) -> Answer:
    def work() -> str:
        _, path = accounts.make_link(sight.act(_PART), user["id"], now=utcnow())
        return request.host_url.rstrip("/") + path

    link, refusal = steps.attempt(work)
    if refusal:
        return _opened(user["id"], refusal=refusal)
    shown = kit.secret(
        f"A sign-in link for {user['name']}", link,
        "Whoever opens it is signed in as them: once, within 15 minutes. It is not shown again.",
    )  # fmt: skip
    return _opened(user["id"], done="The link was made.")._replace(secret=shown)


_STEPS = {
    "disable": _disable, "enable": _enable, "password": _password, "link": _link,
}  # fmt: skip


def _sees(user: dict[str, Any], sites: dict[str, dict[str, str]]) -> Any:
    limited = user["site_ids"]
    if not limited:
        return html.Span("every site", className="muted")
    names = [sites[str(key)]["name"] for key in limited if str(key) in sites]
    return html.Span(words.count(len(limited), "site"), title=", ".join(names))
