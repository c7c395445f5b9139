"""A user beside the list: the form, the ways in, the questions before, and what they can do."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import queries, words
from dashboards.admin import kit, said
from dashboards.admin.form import Form
from dashboards.admin.steps import Fields, Refusal
from noc.identity.capabilities import PLATFORM, ROLES
from noc.identity.principal import required_principal
from noc.identity.users import state
from noc.identity.versions import version_of

_PART = "users"


def new(values: Fields, refusal: Refusal | None = None) -> html.Section:
    """The form of a new user."""
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


def one(
    user: dict[str, Any], *, done: str = "", asking: str = "",
    values: Fields | None = None, refusal: Refusal | None = None,
) -> html.Section:  # fmt: skip
    """A user: changed, let in and shut out, and what they can do."""
    key, itself = user["id"], user["id"] == required_principal().user_id
    above = user["role"] == "platform_admin" and not _may_platform()
    seen = version_of(state(user["name"], user["role"], user["site_ids"]))
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
            kit.actions(kit.button(_PART, "save", "Save", f"{key}:{seen}", look="primary")),
            html.H3("Getting in"),
            kit.actions(*_ways_in(user, itself)),
        ]
    body += [html.H3(f"What {user['name']} can do"), _can(user)]
    return kit.side(user["name"], body, part=_PART, key=key)


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


def _may_platform() -> bool:
    return required_principal().may(PLATFORM)
