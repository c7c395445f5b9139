"""What the log says about itself: how much of what, and how the feed told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select

from noc.events.log import bounds
from noc.events.models import EventLog
from noc.extensions import session


def event_stats(
    tenant_id: int, *, now: dt.datetime, hours: int, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """Events of the last ``hours`` by type, and their broadcasts. Two queries.

    ``broadcasts.pushed`` counts events that reached the feed's sockets while they were new,
    ``failed`` those that did not reach each of them (a slow client, the rate limit);
    ``recipients`` adds up sockets. Latencies are milliseconds from the commit to the last
    socket, null where nothing was pushed. ``site_ids`` limits all counts to these sites.
    """
    since = now - dt.timedelta(hours=hours)
    pushed = EventLog.broadcast_at.is_not(None)
    latency = EventLog.broadcast_latency_ms
    query = (
        select(
            EventLog.event_type,
            func.count().label("events"),
            func.count().filter(pushed).label("pushed"),
            func.count().filter(EventLog.broadcast_success.is_(False)).label("failed"),
            func.coalesce(func.sum(EventLog.recipient_count), 0).label("recipients"),
            func.percentile_cont(0.5).within_group(latency).label("latency_p50_ms"),
            func.percentile_cont(0.99).within_group(latency).label("latency_p99_ms"),
        )
        .where(
            EventLog.tenant_id == tenant_id, EventLog.created_at > since, EventLog.created_at <= now
        )
        .group_by(func.rollup(EventLog.event_type))
        .order_by(EventLog.event_type.nulls_first())
    )
    if site_ids is not None:
        query = query.where(EventLog.site_id.in_(site_ids))
    total, *by_type = session().execute(query).mappings()
    oldest, last = bounds(tenant_id)
    return {
        "hours": hours,
        "since": since.isoformat(),
        "total": total["events"],
        "by_type": {row["event_type"]: row["events"] for row in by_type},
        "broadcasts": {
            "pushed": total["pushed"],
            "failed": total["failed"],
            "recipients": int(total["recipients"]),
            "latency_p50_ms": total["latency_p50_ms"],
            "latency_p99_ms": total["latency_p99_ms"],
        },
        "oldest_seq": oldest,
        "last_seq": last,
    }
