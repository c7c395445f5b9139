"""Users: who may sign in, what they can see and do, and how they get in again."""

from __future__ import annotations

import secrets
from typing import Any

from dash import Dash, html
from flask import request

from dashboards import marks, queries, states, words
from dashboards.admin import kit, said, sight, steps
from dashboards.admin.form import Form
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.database.base import utcnow
from noc.identity import accounts
from noc.identity.capabilities import PLATFORM, ROLES
from noc.identity.principal import required_principal
from noc.identity.schemas import UserChange, UserCreate

LABEL = "Users"
WHAT = "Managing users"

_PART = "users"
_HEAD = ("User", "Role", "Sees", "Last sign-in", "State")


def content(side: Any = None, chosen: int | None = None) -> html.Div:
    """Everybody who can sign in, and who no longer can."""
    found = queries.admin.users()
    sites = queries.reader.sites()
    rows = [
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
            chosen=user["id"] == chosen,
        )
        for user in found
    ]  # fmt: skip
    section = marks.section(
        words.count(len(found), "user"),
        kit.table("admin-users-table", _HEAD, rows, label="Users"),
        aside=kit.button(_PART, "new", "New user", look="primary"),
    )
    return kit.content(section, side)


def register(ui: Dash) -> None:
    """Answer the buttons."""
    steps.register(ui, _PART, act)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; nothing hurts before it was asked about."""
    step, key = wanted.step, wanted.number
    if step == "new":
        return Answer(content(_new({"role": "operator"})))
    if step == "create":
        return _create(fields)
    if step == "close":
        return Answer(content())
    user = queries.admin.user(key)
    if user is None:
        return Answer(content(html.Div(states.not_found("user"), className="panel")))
    if step in ("ask-disable", "ask-password", "ask-link"):
        return _opened(key, asking=step.removeprefix("ask-"))
    if step in _STEPS:
        return _STEPS[step](user, fields)
    return _opened(key)


def _opened(key: int, *, done: str = "", asking: str = "", **kept: Any) -> Answer:
    user = queries.admin.user(key)
    side = _one(user, done=done, asking=asking, **kept) if user else None
    return Answer(content(side, key))


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
        return Answer(content(_new(fields, refusal)))
    user_id, name, email = made
    shown = kit.secret(
        f"The password of {name}", password, f"They sign in as {email}. It is not shown again."
    )
    return Answer(_opened(user_id, done=f"{name} may sign in now.").content, shown)


def _save(user: dict[str, Any], fields: Fields) -> Answer:
    def work() -> None:
        itself = user["id"] == required_principal().user_id
        values: dict[str, Any] = {"name": fields.get("name") or ""}
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
    return Answer(_opened(user["id"], done="The old password no longer works.").content, shown)


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
    return Answer(_opened(user["id"], done="The link was made.").content, shown)


_STEPS = {
    "save": _save, "disable": _disable, "enable": _enable, "password": _password, "link": _link,
}  # fmt: skip


# -- what it looks like --------------------------------------------------------------------------


def _new(values: Fields, refusal: Refusal | None = None) -> html.Section:
    form = Form(_PART, values, refusal)
    fields = [
        form.text("name", "Name"),
        form.text("email", "E-mail", "What they sign in with."),
        *_rights(form),
    ]
    return kit.side(
        "New user",
        [
            kit.told(refusal, *form.names),
            *fields,
            html.P("A password is made for them and shown once.", className="muted"),
            kit.actions(kit.button(_PART, "create", "Make the user", look="primary")),
        ],
        part=_PART,
    )


def _rights(form: Form) -> list[Any]:
    roles = [role for role in ROLES if role != "platform_admin" or _may_platform()]
    sites = [(key, site["name"]) for key, site in queries.reader.sites().items()]
    return [
        form.choice("role", "Role", [(role, words.say(words.ROLE, role)) for role in roles]),
        form.several("site_ids", "Only these sites", sites, "None chosen: every site."),
    ]


def _one(
    user: dict[str, Any], *, done: str = "", asking: str = "",
    values: Fields | None = None, refusal: Refusal | None = None,
) -> html.Section:  # fmt: skip
    key, itself = user["id"], user["id"] == required_principal().user_id
    above = user["role"] == "platform_admin" and not _may_platform()
    form = Form(_PART, values or user, refusal)
    fields = [form.text("name", "Name")]
    if not itself:
        fields += _rights(form)
    body: list[Any] = [kit.told(refusal, *form.names, done=done)]
    if asking:
        body.append(_asked(user, asking))
    elif above:
        body.append(html.P("Only a platform administrator changes one.", className="muted"))
    else:
        body += [
            *fields,
            html.P("Nobody changes their own role or sites.", className="muted")
            if itself
            else None,
            kit.actions(kit.button(_PART, "save", "Save", key, look="primary")),
            html.H3("Getting in"),
            kit.actions(*_ways_in(user, itself)),
        ]
    body += [html.H3(f"What {user['name']} can do"), _can(user)]
    return kit.side(user["name"], body, part=_PART)


def _ways_in(user: dict[str, Any], itself: bool) -> list[Any]:
    key = user["id"]
    password = kit.button(_PART, "ask-password", "New password", key)
    if itself:
        return [password]
    if not user["active"]:
        return [kit.button(_PART, "enable", "Let in again", key), password]
    return [
        kit.button(_PART, "ask-link", "Sign-in link", key),
        password,
        kit.button(_PART, "ask-disable", "Shut out", key, look="danger"),
    ]


def _asked(user: dict[str, Any], asking: str) -> html.Div:
    question, yes = {
        "disable": (
            f"Shut {user['name']} out? Every sign-in of theirs ends at once. What they did stays "
            f"theirs, and they can be let in again.{_tokens_left(user['id'], asking)}",
            "Yes, shut them out",
        ),
        "password": (
            f"Give {user['name']} a new password? The old one stops working and every sign-in "
            "made with it ends.",
            "Yes, make a new password",
        ),
        "link": (
            f"Make a link that signs in as {user['name']}? It works once, within 15 minutes, "
            "for whoever opens it.",
            "Yes, make the link",
        ),
    }[asking]
    look = "danger" if asking == "disable" else "primary"
    return kit.confirm(
        question,
        kit.button(_PART, asking, yes, user["id"], look=look),
        kit.button(_PART, "open", "Leave it as it is", user["id"]),
    )


def _tokens_left(user_id: int, asking: str) -> str:
    """Tokens outlive whoever made them: that is said before somebody is shut out."""
    left = queries.admin.tokens_made_by(user_id) if asking == "disable" else 0
    return f" {words.count(left, 'API token')} made by them will go on working." if left else ""


def _can(user: dict[str, Any]) -> Any:
    """The capabilities and sites of a user, in words."""
    if not user["active"]:
        return html.P("Nothing: they cannot sign in.", className="muted")
    sites = queries.reader.sites()
    names = [sites[str(key)]["name"] for key in user["site_ids"] or () if str(key) in sites]
    lines = [
        html.Li([html.Strong(word), f" {meaning}"])
        for code, (word, meaning) in said.CAPABILITIES.items()
        if code in ROLES[user["role"]]
    ]
    where = f"At {words.count(len(names), 'site')}: {', '.join(names)}." if names else (
        "At every site, and what concerns the whole company."
    )  # fmt: skip
    closed = (
        html.P("What concerns the whole company is closed to them.", className="muted")
        if names
        else None
    )
    return html.Div([html.P(where), closed, html.Ul(lines, className="reasons")], className="act")


def _sees(user: dict[str, Any], sites: dict[str, dict[str, str]]) -> Any:
    limited = user["site_ids"]
    if not limited:
        return html.Span("every site", className="muted")
    names = [sites[str(key)]["name"] for key in limited if str(key) in sites]
    return html.Span(words.count(len(limited), "site"), title=", ".join(names))


def _may_platform() -> bool:
    return required_principal().may(PLATFORM)
