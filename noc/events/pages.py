"""A page of the log, for whoever polls."""

from __future__ import annotations

from dataclasses import dataclass

from noc.events.log import LoggedEvent, Period, bounds, read_after, read_last
from noc.events.schemas import EventQuery
from noc.events.subscribers import Subscription
from noc.rest.problems import Problem


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order, and the ``seq`` up to which whoever asked has seen all that they want."""

    events: list[LoggedEvent]
    cursor: int
    oldest_seq: int
    last_seq: int


def read_page(wanted: Subscription, query: EventQuery) -> Page:
    """What the query asks for; 410 where that is no longer kept. Three queries.

    The oldest ``seq`` is asked for again after the events were read: retention may have removed
    some between, and a page must not pass over them in silence.
    """
    tenant_id, period = wanted.tenant_id, Period(query.since, query.until)
    oldest, last = bounds(tenant_id)
    if query.last is not None:
        events = read_last(
            tenant_id,
            query.last,
            site_ids=wanted.site_ids,
            types=wanted.types,
            until=last,
            period=period,
        )
        return Page(events, last, oldest, last)
    after = oldest - 1 if query.after is None else query.after
    _check_kept(after, oldest)
    events = read_after(
        tenant_id,
        after,
        query.limit,
        site_ids=wanted.site_ids,
        types=wanted.types,
        until=last,
        period=period,
    )
    if query.after is not None:
        oldest, _ = bounds(tenant_id)
        _check_kept(after, oldest)
    cursor = events[-1].seq if len(events) == query.limit else max(after, last)
    return Page(events, cursor, oldest, last)


def _check_kept(after: int, oldest: int) -> None:
    if after < oldest - 1:
        raise Problem(
            410,
            f"The log is kept from seq {oldest} on: continue with after={oldest - 1}.",
            oldest_seq=oldest,
        )
