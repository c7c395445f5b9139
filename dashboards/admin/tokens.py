"""API tokens: what they may do, when they were used last and end; made, and revoked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dash import Dash, html

from dashboards import marks, queries, states, words
from dashboards.admin import kit, listing, said, sight, steps
from dashboards.admin.controls import Asked, Find
from dashboards.admin.form import Form
from dashboards.admin.listing import Listing, Rows
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.database.base import utcnow
from noc.identity import accounts
from noc.identity import tokens as api_tokens
from noc.identity.capabilities import TOKEN_CAPABILITIES
from noc.identity.schemas import TokenCreate
from noc.identity.words import BadField
from noc.rest.problems import not_found

LABEL = "API tokens"
WHAT = "Managing API tokens"

_PART = "tokens"
_ENDS = (("7", "in 7 days"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"),
         ("never", "never"))  # fmt: skip


def content(query: Mapping[str, str]) -> html.Div:
    """Those that were not revoked, then those that were."""
    return listing.frame(_PART, listing.place_for(_LISTING, query))


def register(ui: Dash) -> None:
    """Read the list, and answer the buttons."""
    listing.register(ui, _PART, act, _LISTING)


def _rows(found: Rows) -> list[html.Tr]:
    now = utcnow()
    return [_row(token, now) for token in found]


def _counted(asked: Asked) -> str:
    matching, every, working = queries.admin.tokens_counted(asked["search"], utcnow())
    if asked["search"]:
        return f"{matching:,} of {words.count(every, 'token')}"
    return f"{words.count(every, 'token')}, {working:,} in use" if every else ""


def _nothing(asked: Asked) -> html.Div:
    if asked["search"]:
        return states.empty("None found", "Search by a part of the name or its first characters.")
    return states.empty(
        "No tokens yet",
        "A program that sends punches or reads alerts signs in with a token of its own.",
        mark="lock",
    )


_LISTING = Listing(
    part=_PART,
    name=_PART,
    title=LABEL,
    controls=(Find("Name or first characters"),),
    new="New token",
    head=("Token", "May", "Last used", "Ends", "Made"),
    read=lambda asked, after, limit: queries.admin.tokens(asked["search"], after, limit),
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; revoking is asked about once."""
    if wanted.step == "new":
        return Answer(_new({"ends": "90", "capabilities": ["noc:view"]}))
    if wanted.step == "create":
        return _create(fields)
    if wanted.step == "close":
        return Answer(None)
    if wanted.step == "revoke":
        _, refusal = steps.attempt(lambda: _revoke(wanted.number))
        return _opened(wanted.number, refusal, done="" if refusal else "Revoked, at once.")
    return _opened(wanted.number)


def _opened(key: int, refusal: Refusal | None = None, done: str = "") -> Answer:
    token = queries.admin.token(key)
    if token is None:
        return Answer(html.Div(states.not_found("token"), className="panel"))
    return Answer(_one(token, refusal, done), changed=bool(done))


def _create(fields: Fields) -> Answer:
    def work() -> tuple[str, str]:
        principal = sight.act(_PART)
        ends = fields.get("ends")
        days = steps.whole(ends) if ends in dict(_ENDS) else 90
        expires_at = utcnow() + dt.timedelta(days=days) if days else None
        body = TokenCreate.model_validate(
            {"name": fields.get("name") or "", "capabilities": fields.get("capabilities") or [],
             "expires_at": expires_at}
        )  # fmt: skip
        try:
            token, secret = api_tokens.create(
                principal.tenant_id, created_by=principal.user_id, **body.model_dump()
            )
        except BadField as error:
            raise accounts.refused("token", error) from error
        return token.name, secret

    made, refusal = steps.attempt(work)
    if refusal:
        return Answer(_new(fields, refusal))
    name, secret = made
    hint = "Give it to the program now: only its first characters are kept, it is not shown again."
    return Answer(None, kit.secret(f"The token {name}", secret, hint), changed=True)


def _revoke(key: int) -> None:
    principal = sight.act(_PART)
    token = api_tokens.get(principal.tenant_id, key)
    if token is None:
        raise not_found("token")
    api_tokens.revoke(token)


def _alive(token: dict[str, Any], now: dt.datetime) -> bool:
    ends = token["expires_at"]
    return token["revoked_at"] is None and (ends is None or ends > now)


def _row(token: dict[str, Any], now: dt.datetime) -> html.Tr:
    name = kit.button(_PART, "open", token["name"], token["id"], look="text")
    alive = _alive(token, now)
    ends: Any = marks.moment(token["expires_at"]) if token["expires_at"] else "never"
    if token["revoked_at"]:
        ends = html.Span(["revoked ", marks.moment(token["revoked_at"])], className="muted")
    elif not alive:
        ends = html.Span(["ended ", marks.moment(token["expires_at"])], className="muted")
    return kit.row(
        kit.two(name, html.Code(f"{token['prefix']}…")),
        ("May", _may(token)),
        ("Last used", marks.moment(token["last_used_at"]) if token["last_used_at"]
         else html.Span("never", className="muted")),
        ("Ends", ends),
        ("Made", kit.two(marks.moment(token["created_at"]), token["created_by_name"] or "")),
        key=token["id"],
        over=not alive,
    )  # fmt: skip


def _may(token: dict[str, Any]) -> str:
    return ", ".join(said.CAPABILITIES[code][0].lower() for code in said.CAPABILITIES
                     if code in token["capabilities"])  # fmt: skip


def _new(values: Fields, refusal: Refusal | None = None) -> html.Section:
    form = Form(_PART, values, refusal)
    fields = [
        form.text("name", "What it is for", "For example the name of the program."),
        form.boxes(
            "capabilities",
            "It may",
            [
                (code, word, meaning)
                for code, (word, meaning) in said.CAPABILITIES.items()
                if code in TOKEN_CAPABILITIES
            ],
            "The fewer the better.",
        ),
        form.choice("ends", "It ends", _ENDS),
    ]
    return kit.side(
        "New token",
        [
            kit.told(refusal, *form.names),
            *fields,
            kit.actions(kit.button(_PART, "create", "Make the token", look="primary")),
        ],
        part=_PART,
    )


def _one(token: dict[str, Any], refusal: Refusal | None, done: str) -> html.Section:
    lines = [
        html.Li([html.Strong(word), f" {meaning}"])
        for code, (word, meaning) in said.CAPABILITIES.items()
        if code in token["capabilities"]
    ]
    revoke = kit.confirm(
        f"Revoke {token['name']}? The program that uses it is refused at once, and the token "
        "cannot be brought back.",
        kit.button(_PART, "revoke", "Yes, revoke it", token["id"], look="danger"),
        kit.button(_PART, "close", "Leave it as it is", "stay"),
    )  # fmt: skip
    return kit.side(
        token["name"],
        [
            kit.told(refusal, done=done),
            html.Ul(lines, className="reasons"),
            html.P("It ended.", className="muted") if not _alive(token, utcnow()) else revoke,
        ],
        part=_PART,
        key=token["id"],
    )
