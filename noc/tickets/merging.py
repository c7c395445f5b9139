"""Two tickets about the same thing become one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from noc.extensions import session
from noc.rest.problems import Problem, not_found
from noc.tickets import clock, slots
from noc.tickets.evidence import all_links, link
from noc.tickets.history import record
from noc.tickets.locking import check_version, lock_tickets
from noc.tickets.models import Ticket
from noc.tickets.signals import ticket_resolved
from noc.tickets.transitions import check_open


def merge(
    ticket_id: int,
    into: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    comment: str | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> Ticket:
    """Resolve an open ticket as DUPLICATE of another open one, which gets its evidence.

    The other also takes over the deduplication slot, so that what comes later joins it. Sends
    ``ticket_resolved`` with DUPLICATE, which is no verdict on anything. The ticket that goes on
    is returned. 404 for either; 409 where one is not open, or the duplicate has changed since
    ``version``; 422 for a ticket with itself.
    """
    duplicate, heir = _both_open(ticket_id, into, site_ids, version)
    new = link({heir.id: all_links(duplicate.id)}, now=now).get(heir.id, [])
    slots.hand_over(duplicate.id, heir.id, now=now)
    old_status = duplicate.status
    duplicate.status, duplicate.resolution, duplicate.resolved_at = "RESOLVED", "DUPLICATE", now
    clock.keep_time(duplicate, now)
    record(
        duplicate,
        "merge",
        old_status,
        user_id,
        now,
        comment=comment,
        detail={"into": heir.id, "number": heir.number, "resolution": "DUPLICATE"},
    )
    record(
        heir,
        "merge",
        heir.status,
        user_id,
        now,
        comment=comment,
        detail={"from": duplicate.id, "number": duplicate.number, "evidence": new},
    )
    session().flush()
    ticket_resolved.send(
        "tickets", ticket=duplicate, resolution="DUPLICATE", verdicts={}, user_id=user_id, now=now
    )
    return heir


def _both_open(
    ticket_id: int, into: int, site_ids: Collection[int] | None, version: int | None
) -> tuple[Ticket, Ticket]:
    """The duplicate and the one that goes on, locked with their slots; refused where not open."""
    if ticket_id == into:
        raise Problem(
            422,
            "The tickets were not merged.",
            errors=[{"field": "into", "reason": "must be another ticket"}],
        )
    slots.lock([ticket_id, into])
    tickets = lock_tickets([ticket_id, into], site_ids=site_ids)
    duplicate, heir = tickets.get(ticket_id), tickets.get(into)
    if duplicate is None or heir is None:
        raise not_found("ticket")
    check_version(duplicate, version)
    check_open(duplicate.status, "merged")
    check_open(heir.status, "merged into")
    return duplicate, heir
