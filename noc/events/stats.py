"""What the log says about itself: how much of what, and how the feed told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, select

from noc.events.log import bounds
from noc.events.models import EventLog
from noc.extensions import session


def event_stats(
    tenant_id: int, *, now: dt.datetime, hours: int, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """Events of the last ``hours`` by type, and their broadcasts. Two queries.

    ``pushed`` counts events that reached the feed's sockets while they were new, ``failed`` those
    that did not reach each of them (a slow client, the rate limit); ``recipients`` adds up
    sockets. Latencies are milliseconds from the commit to the last socket, null where nothing
    was pushed. ``site_ids`` limits all counts to these sites.
    """
    since = now - dt.timedelta(hours=hours)
    query = (
        select(EventLog.event_type, func.count().label("events"), *_broadcasts())
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
            **_told(total),
            "by_type": {row["event_type"]: _told(row) for row in by_type},
        },
        "oldest_seq": oldest,
        "last_seq": last,
    }


def _broadcasts() -> list[ColumnElement[Any]]:
    latency = EventLog.broadcast_latency_ms
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return [
        func.count().filter(EventLog.broadcast_at.is_not(None)).label("pushed"),
        func.count().filter(EventLog.broadcast_success.is_(False)).label("failed"),
        func.coalesce(func.sum(EventLog.recipient_count), 0).label("recipients"),
        func.avg(latency).label("latency_mean_ms"),
        *(
            func.percentile_cont(share).within_group(latency).label(f"latency_{name}_ms")
            for name, share in shares.items()
        ),
    ]


def _told(row: RowMapping) -> dict[str, Any]:
    told = {name: row[name] for name in row if name not in ("event_type", "events")}
    return told | {"recipients": int(row["recipients"])}
