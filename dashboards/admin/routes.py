"""Routes of notifications: the list, the form, and one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dash import html

from dashboards import marks, queries, states, words
from dashboards.admin import kit, said, steps
from dashboards.admin.controls import Asked, Find
from dashboards.admin.form import Form
from dashboards.admin.listing import Listing, Rows
from dashboards.admin.steps import Fields, Refusal
from noc.domain import SEVERITIES
from noc.events.news import NEWS_KINDS
from noc.identity.accounts import refused
from noc.identity.words import BadField
from noc.notifications import queries as reading

_PART = "notifications"

CHANNELS = {"email": "E-mail", "slack": "Slack", "webhook": "Webhook"}

NEWS = {
    "alert_opened": "New alerts",
    "alert_escalated": "Alerts that got worse",
    "alert_reopened": "Alerts that came again",
    "alert_unmuted": "Alerts no longer muted",
    "alert_returned": "Alerts that come back by themselves",
    "escalation_exhausted": "Alerts that nobody on call answered",
    "ticket_opened": "New tickets",
    "ticket_assigned": "Tickets given to somebody",
    "ticket_overdue": "Tickets that are late",
    "incident_identified": "Incidents",
    "finding_opened": "New findings",
    "test": "Test",
}

T = TypeVar("T")


def plainly(work: Callable[[], T]) -> T:
    """Do it; what cannot be is a problem that names its field."""
    try:
        return work()
    except BadField as error:
        raise refused("route", error) from error


def _counted(asked: Asked) -> str:
    matching, every = reading.count_routes(text := asked["search"])
    return f"{matching:,} of {words.count(every, 'route')}" if text else words.count(every, "route")


def _nothing(asked: Asked) -> html.Div:
    if asked["search"]:
        return states.empty("None found", "Search by a part of the name or of an address.")
    return states.empty(
        "Nobody is told outside",
        "A route sends alerts, tickets and findings by e-mail, to Slack or to a webhook.",
        mark="bell",
    )


def _rows(found: Rows) -> list[html.Tr]:
    return [
        kit.row(
            kit.two(
                kit.button(_PART, "open", route["name"], route["id"], look="text"),
                CHANNELS[route["channel"]],
            ),
            ("Leads to", html.Span(_target(route), className="admin-detail")),
            ("Tells of", _tells(route)),
            ("State", _state(route)),
            key=route["id"],
        )
        for route in found
    ]


LISTING = Listing(
    part=_PART,
    name="routes",
    title="Routes",
    controls=(Find("Name or address"),),
    new="New route",
    head=("Route", "Leads to", "Tells of", "State"),
    read=lambda asked, after, limit: reading.routes_behind(asked["search"], after, limit=limit),
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
)


def _target(route: dict[str, Any]) -> str:
    there = route["url"] or ", ".join(route["addresses"])
    if route["user_name"] is None:
        return there
    return f"{route['user_name']}, {there or 'the address they sign in with'}"


def _tells(route: dict[str, Any]) -> str:
    if route["user_id"] is not None:
        return "what is meant for them"
    severity = words.SEVERITY[route["min_severity"]].lower()
    kinds = ", ".join(NEWS[kind].lower() for kind in route["kinds"]) or "everything"
    where = f" at {words.count(len(route['site_ids']), 'site')}" if route["site_ids"] else ""
    return f"{kinds} from {severity} on{where}"


def _state(route: dict[str, Any]) -> Any:
    if not route["active"]:
        return html.Span("Off", className="state")
    if route["held_until"]:
        return html.Span(["Waits, tries again ", marks.moment(route["held_until"])])
    return html.Span("On", className="state state-acknowledged")


def body(fields: Fields, *, new: bool = False) -> dict[str, Any]:
    """What the form holds, as the interface takes it; an empty URL stays what it is."""
    mail = fields.get("channel") == "email"
    values: dict[str, Any] = {
        "name": fields.get("name") or "",
        "site_ids": steps.ids(fields.get("site_ids")),
        "min_severity": fields.get("min_severity"),
        "kinds": fields.get("kinds") or [],
    }
    if new:
        values["channel"] = fields.get("channel")
    if mail:
        values["addresses"] = fields.get("addresses") or []
    elif fields.get("url"):
        values["url"] = fields["url"]
    return values


def form(values: Fields, refusal: Refusal | None = None) -> html.Section:
    """A new route."""
    made = Form(_PART, values, refusal)
    fields = [
        made.text("name", "Name"),
        made.choice("channel", "By", list(CHANNELS.items())),
        made.typed("addresses", "Addresses", "For e-mail: type each and press Enter."),
        made.text("url", "URL", "For Slack and webhooks; shown only by its host afterwards."),
        *_filters(made, queries.reader.sites()),
    ]
    return kit.side(
        "New route",
        [
            kit.told(refusal, *made.names),
            *fields,
            kit.actions(kit.button(_PART, "create", "Make the route", look="primary")),
        ],
        part=_PART,
    )


def _filters(made: Form, sites: said.Sites) -> list[Any]:
    places = [(key, site["name"]) for key, site in sites.items()]
    return [
        made.choice(
            "min_severity", "From this severity on",
            [(code, words.SEVERITY[code]) for code in SEVERITIES],
        ),
        made.several(
            "kinds", "Only this news", [(kind, NEWS[kind]) for kind in NEWS_KINDS],
            "None chosen: all of it.",
        ),
        made.several("site_ids", "Only these sites", places, "None chosen: every site."),
    ]  # fmt: skip


def one(
    route: dict[str, Any], *, done: str = "", asking: str = "", values: Fields | None = None,
    refusal: Refusal | None = None, delivery: Any = None,
) -> html.Section:  # fmt: skip
    """A route: changed, tried, switched off, deleted."""
    key, mail = route["id"], route["channel"] == "email"
    sites = queries.reader.sites()
    made = Form(_PART, values or (route | {"url": None}), refusal)
    target = (
        made.typed("addresses", "Addresses")
        if mail
        else made.text("url", "URL", f"Now {route['url']}. Leave it empty to keep it.")
    )
    fields = [made.text("name", "Name"), target, *_filters(made, sites)]
    follow = delivery and kit.button(_PART, "delivery", "Has it arrived?", delivery, look="text")
    outcome = [kit.told(refusal, *made.names, done=done), follow]
    if asking:
        return kit.side(route["name"], [*outcome, _asked(route, asking)], part=_PART, key=key)
    return kit.side(
        route["name"],
        [
            *outcome,
            *fields,
            kit.actions(
                kit.button(_PART, "save", "Save", key, look="primary"),
                kit.button(_PART, "test", "Send a test", key),
            ),
            html.H3("More"),
            kit.actions(
                kit.button(_PART, "switch", "Switch off" if route["active"] else "Switch on", key),
                kit.button(_PART, "ask-replay", "Send anew what died", key),
                kit.button(_PART, "ask-secret", "New secret", key)
                if route["channel"] == "webhook"
                else None,
                kit.button(_PART, "ask-delete", "Delete", key, look="danger"),
            ),
            marks.facts(
                [
                    ("Made", marks.moment(route["created_at"])),
                    ("Changed", marks.moment(route["updated_at"])),
                    ("Sites", ", ".join(said.site(one, sites) for one in route["site_ids"])),
                ]
            ),
        ],
        part=_PART,
        key=key,
    )


def _asked(route: dict[str, Any], asking: str) -> html.Div:
    name = route["name"]
    question, step, yes = {
        "delete": (
            f"Delete {name} with everything that was sent by it and waits for it? Switched off "
            "it would keep them. This cannot be undone.",
            "delete",
            "Yes, delete it",
        ),
        "secret": (
            f"Give {name} a new signing secret? Whoever receives refuses what is sent until they "
            "have it.",
            "secret",
            "Yes, renew it",
        ),
        "replay": (
            f"Send everything anew that died on {name}? Each goes under the id it had, so that "
            "whoever receives can tell.",
            "replay-all",
            "Yes, send it anew",
        ),
    }[asking]
    look = "danger" if asking == "delete" else "primary"
    return kit.confirm(
        question,
        kit.button(_PART, step, yes, route["id"], look=look),
        kit.button(_PART, "open", "Leave it as it is", route["id"]),
    )
