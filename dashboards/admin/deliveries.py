"""What was sent by the routes, waits, or died."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, states, words
from dashboards.admin import kit, routes
from dashboards.admin.steps import Refusal
from noc.notifications import queries as reading
from noc.notifications.schemas import DeliveryQuery

_PART = "notifications"
_HEAD = ("News", "Route", "Where", "State", "When")
SHOWN = 100

STATES = {"pending": "Waits", "sent": "Sent", "dead": "Died"}
_VIEWS = (("all", "All"), ("pending", "Waiting"), ("sent", "Sent"), ("dead", "Dead letters"))


def listing(view: str) -> html.Section:
    """The latest of a state, or of all."""
    asked = DeliveryQuery.model_validate({} if view == "all" else {"state": view})
    rows, pagination = reading.list_deliveries(asked, limit=SHOWN, after=None)
    chips = kit.chips(_PART, "view", _VIEWS, view, label="State of the deliveries")
    if not rows:
        why = {
            "dead": "What cannot be delivered for twelve hours ends up here, to be sent anew.",
            "pending": "Nothing waits: what was to be sent is sent.",
        }.get(view, "What the routes tell is listed here for a month.")
        body: Any = states.empty("No deliveries", why, mark="bell")
    else:
        table = kit.table(
            "admin-deliveries-table", _HEAD, [_row(one) for one in rows], label="Deliveries"
        )
        more = pagination["next_cursor"] is not None
        body = [
            table,
            html.P(f"The latest {SHOWN}; older ones over the API.", className="muted admin-after")
            if more
            else None,
        ]
    return marks.section("Deliveries", html.Div(body), aside=chips)


def _row(one: dict[str, Any]) -> Any:
    name = routes.NEWS.get(one["kind"], one["kind"])
    return kit.row(
        kit.two(
            kit.button(_PART, "delivery", name, one["id"], look="text"),
            words.SEVERITY[one["severity"]],
        ),
        ("Route", one["route_name"]),
        ("Where", one["site_name"] or "—"),
        ("State", _state(one)),
        ("When", marks.moment(one["created_at"])),
    )


def _state(one: dict[str, Any]) -> Any:
    word = STATES[one["state"]]
    if one["state"] == "sent":
        return html.Span(word, className="state state-resolved")
    tries = words.count(one["attempts"], "attempt")
    if one["state"] == "dead":
        return html.Span(f"{word} after {tries}", className="admin-bad", title=one["last_error"])
    return html.Span(f"{word}, {tries}" if one["attempts"] else word, className="state state-new")


def one(found: dict[str, Any], refusal: Refusal | None, done: str) -> html.Section:
    """A delivery, and what it tells."""
    again = (
        kit.actions(
            kit.button(_PART, "replay", "Send it anew", found["id"], look="primary"),
        )
        if found["state"] == "dead"
        else kit.actions(kit.button(_PART, "delivery", "Look again", found["id"]))
    )
    told = found["payload"].get("message") or found["payload"].get("title")
    return kit.side(
        f"{routes.NEWS.get(found['kind'], found['kind'])} by {found['route_name']}",
        [
            kit.told(refusal, done=done),
            marks.facts(
                [
                    ("State", _state(found)),
                    ("Tells", told),
                    ("Site", found["site_name"]),
                    ("Since", marks.moment(found["created_at"])),
                    ("Ended", found["finished_at"] and marks.moment(found["finished_at"])),
                    ("Next attempt", found["attempts"] and found["next_attempt_at"]
                     and marks.moment(found["next_attempt_at"])),
                    ("Last trouble", found["last_error"]),
                ]
            ),
            again,
        ],
        part=_PART,
    )  # fmt: skip
