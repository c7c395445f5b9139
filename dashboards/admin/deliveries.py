"""What was sent by the routes, waits, or died."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, states, words
from dashboards.admin import kit, routes
from dashboards.admin.controls import Asked, Find, Pick
from dashboards.admin.listing import AtUuidPlace, Listing, Rows
from dashboards.admin.steps import Refusal
from noc.notifications import queries as reading
from noc.notifications.schemas import DeliveryQuery

_PART = "notifications"

STATES = {"pending": "Waits", "sent": "Sent", "dead": "Died"}


def _read(asked: Asked, after: Any, limit: int) -> Rows:
    # What is typed may be what REST refuses, a blank or a tab: then it finds nothing.
    wanted = DeliveryQuery.model_construct(
        search=asked["sent"] or None, state=asked["sent-state"] or None
    )
    return reading.list_deliveries(wanted, limit=limit, after=after)[0][:limit]


def _counted(asked: Asked) -> str:
    found = reading.count_deliveries(asked["sent"])
    state = asked["sent-state"]
    matching = sum(count for one, count in found.items() if state in ("", one))
    told = words.count(matching, "delivery", "deliveries")
    if state:
        return told
    return f"{told}, {found['dead']:,} dead" if found["dead"] else told


def _nothing(asked: Asked) -> html.Div:
    if asked["sent"]:
        return states.empty("None found", "Search by a part of the name of a route or site.")
    why = {
        "dead": "What cannot be delivered for twelve hours ends up here, to be sent anew.",
        "pending": "Nothing waits: what was to be sent is sent.",
    }.get(asked["sent-state"], "What the routes tell is listed here for a month.")
    return states.empty("No deliveries", why, mark="bell")


def _rows(found: Rows) -> list[html.Tr]:
    return [
        kit.row(
            kit.two(
                kit.button(_PART, "delivery", routes.NEWS.get(one["kind"], one["kind"]),
                           one["id"], look="text"),
                words.SEVERITY[one["severity"]],
            ),
            ("Route", one["route_name"]),
            ("Where", one["site_name"] or "—"),
            ("State", _state(one)),
            ("When", marks.moment(one["created_at"])),
            key=one["id"],
        )
        for one in found
    ]  # fmt: skip


LISTING = Listing(
    part=_PART,
    name="deliveries",
    title="Deliveries",
    controls=(
        Find("Route or site", "sent"),
        Pick(
            "State of the deliveries",
            "Any state",
            {"pending": "Waiting", "sent": "Sent", "dead": "Dead letters"},
            "sent-state",
        ),
    ),
    head=("News", "Route", "Where", "State", "When"),
    read=_read,
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
    place=lambda row: (row["created_at"].isoformat(), str(row["id"])),
    places=AtUuidPlace,
    paged="sent-page",
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
        key=found["id"],
    )  # fmt: skip
