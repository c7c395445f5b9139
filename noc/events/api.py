"""REST of events."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.events.filters import asked_subscription
from noc.events.frames import event_fields
from noc.events.pages import read_page
from noc.events.schemas import EventQuery, StatsQuery
from noc.events.stats import event_stats
from noc.identity.capabilities import VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX

bp = APIBlueprint("events", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/events/")
@bp.doc(summary="Events after a seq, in order", security=_SECURITY)
@require(VIEW)
@bp.input(EventQuery, location="query", arg_name="query")
def list_events(query: EventQuery) -> Any:
    """The feed's frames after a `seq`, or the `last` so many, oldest first.

    Without `after` the page begins with the oldest event that is kept. `pagination.cursor` is the
    `after` to ask with next time, `next_cursor` the same while there is more to be had at once.
    410 with `oldest_seq` when `after` is older than what is kept.
    """
    page = read_page(asked_subscription(required_principal(), query), query)
    return success(
        [event_fields(event) for event in page.events],
        pagination={
            "next_cursor": page.cursor if page.cursor < page.last_seq else None,
            "limit": query.last or query.limit,
            "cursor": page.cursor,
            "oldest_seq": page.oldest_seq,
            "last_seq": page.last_seq,
        },
    )


@bp.get("/events/stats/")
@bp.doc(summary="Counts of events and of their broadcasts", security=_SECURITY)
@require(VIEW)
@bp.input(StatsQuery, location="query", arg_name="query")
def stats(query: StatsQuery) -> Any:
    """Events of the last hours (default 24) by type, and how the feed told of them."""
    principal = required_principal()
    return success(
        event_stats(
            principal.tenant_id, now=utcnow(), hours=query.hours, site_ids=principal.site_ids
        )
    )
