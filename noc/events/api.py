"""REST of events."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.events.filters import asked_subscription
from noc.events.frames import event_fields
from noc.events.log import bounds, read_after
from noc.events.schemas import EventQuery, StatsQuery
from noc.events.stats import event_stats
from noc.identity.capabilities import VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem

bp = APIBlueprint("events", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/events/")
@bp.doc(summary="Events after a seq, in order", security=_SECURITY)
@require(VIEW)
@bp.input(EventQuery, location="query", arg_name="query")
def list_events(query: EventQuery) -> Any:
    """The feed's frames after a `seq` (default 0), oldest first.

    `pagination.cursor` is the `after` to ask with next time, `next_cursor` the same while there
    is more to be had at once. 410 with `oldest_seq` when `after` is older than what is kept.
    """
    wanted = asked_subscription(required_principal(), query)
    after, limit = query.after or 0, query.limit
    oldest, last = bounds(wanted.tenant_id)
    if after < oldest - 1:
        raise Problem(
            410,
            f"The log is kept from seq {oldest} on: continue with after={oldest - 1}.",
            oldest_seq=oldest,
        )
    events = read_after(
        wanted.tenant_id,
        after,
        limit,
        site_ids=wanted.site_ids,
        types=wanted.types,
        until=last,
    )
    cursor = events[-1].seq if len(events) == limit else max(after, last)
    return success(
        [event_fields(event) for event in events],
        pagination={
            "next_cursor": cursor if cursor < last else None,
            "limit": limit,
            "cursor": cursor,
            "last_seq": last,
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
