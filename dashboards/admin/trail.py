"""Who did what: filters, pages, and the table as CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dash import Dash, html

from dashboards import marks, queries, states, words
from dashboards.admin import kit, listing, said
from dashboards.admin.controls import Asked, Find, Pick
from dashboards.admin.listing import Listing, Rows
from noc.database.base import utcnow
from noc.identity import trail
from noc.identity.principal import required_principal

LABEL = "Who did what"
WHAT = "The record of who did what"

_PART = "trail"
_DAYS = {"1": "Today and yesterday", "7": "7 days", "30": "30 days", "365": "A year"}
_KINDS = (
    "user", "token", "setting", "site", "route", "window", "model", "baseline", "job",
)  # fmt: skip


def content(query: Mapping[str, str]) -> html.Div:
    """Everything that was done, latest first."""
    return listing.frame(_PART, listing.place_for(_LISTING, query))


def register(ui: Dash) -> None:
    """Read the list."""
    listing.register(ui, _PART, None, _LISTING)


def _read(asked: Asked, after: Any, limit: int) -> Rows:
    days = asked["days"]
    return trail.read(
        tenant_id=required_principal().tenant_id,
        limit=limit,
        after=after,
        actor=asked["actor"],
        action=asked["kind"],
        target=asked["target"],
        since=utcnow() - dt.timedelta(days=int(days)) if days else None,
    ).items


def _nothing(_: Asked) -> html.Div:
    return states.empty(
        "Nothing was done",
        "Changes of users, tokens, settings, sites, routes, windows, models and baselines are "
        "written down here for ever. With these filters there are none.",
        mark="search",
    )


def _rows(found: Rows) -> list[html.Tr]:
    sites = queries.sites.names({key for item in found for key in said.sites_in(item)})
    return [
        kit.row(
            marks.moment(item["at"]),
            ("Who", _actor(item)),
            ("What", said.action(item["action"])),
            ("To what", kit.two(_target(item), words.say(said.TARGETS, item["target_kind"]))),
            ("Detail", html.Span(said.detail(item, sites), className="admin-detail")),
        )
        for item in found
    ]


_LISTING = Listing(
    part=_PART,
    name=_PART,
    title=LABEL,
    controls=(
        Find("Who", "actor", "Who did it, a part of the name"),
        Find("To what", "target", "To what it was done, a part of the name"),
        Pick(
            "What kind of thing",
            "Everything",
            {kind: f"{words.say(said.TARGETS, kind)}s" for kind in _KINDS},
            "kind",
        ),
        Pick("Since when", "All time", _DAYS, "days"),
    ),
    head=("When", "Who", "What", "To what", "Detail"),
    read=_read,
    rows=_rows,
    counted=lambda _: None,
    nothing=_nothing,
    place=lambda item: (item["at"].isoformat(), item["id"]),
    places=listing.AtPlace,
)


def _actor(item: dict[str, Any]) -> Any:
    if item["token_id"] is not None:
        return kit.two(item["actor"], "API token")
    return item["actor"][:1].upper() + item["actor"][1:]


def _target(item: dict[str, Any]) -> str:
    if item["target_kind"] == "setting":
        return said.setting(item["target_name"])
    return said.RUNS.get(item["target_name"]) or str(item["target_name"])
