"""Tickets by what is to be done next: due first, in columns, counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from noc.tickets import workflow
from noc.tickets.board import COLUMNS, RESOLVED_FOR, board, list_due, open_counts
from noc.tickets.models import OPEN_STATUSES
from noc.tickets.schemas import TicketFilters
from noc.tickets.workflow import open_once
from tests.factories import NOW, Make
from tests.tickets.conftest import draft

ALL = TicketFilters()


def opened(hours: float, **values: Any) -> int:
    """A ticket that was opened a day ago and is due in so many hours from NOW."""
    due = NOW + dt.timedelta(hours=hours)
    (ticket,) = open_once([draft(due_at=due, **values)], now=NOW - dt.timedelta(days=1))
    return ticket.ticket_id


def test_every_open_status_has_a_column_of_its_own() -> None:
    placed = [status for statuses in COLUMNS.values() for status in statuses]
    assert len(placed) == len(set(placed))
    assert set(OPEN_STATUSES) < set(placed)


def test_what_is_due_first_stands_first(make: Make) -> None:
    later, over, soon = opened(30), opened(-2), opened(1)
    found = list_due(TicketFilters(open=True), now=NOW, limit=2)
    assert [ticket["id"] for ticket in found] == [over, soon]
    late = TicketFilters(sla=("overdue", "at_risk"))
    assert [ticket["sla"] for ticket in list_due(late, now=NOW, limit=9)] == ["overdue", "at_risk"]
    assert later not in [ticket["id"] for ticket in list_due(late, now=NOW, limit=9)]


def test_counts_are_of_what_the_filters_keep_and_the_asker_sees(make: Make) -> None:
    here, there = make.site(), make.site()
    me = make.user()
    mine = opened(-1, site_id=here.id, priority="HIGH")
    workflow.assign(mine, me.id, user_id=None, now=NOW)
    opened(1, site_id=here.id)
    opened(30, site_id=there.id)
    done = opened(30, site_id=here.id)
    workflow.transition(done, "RESOLVED", user_id=None, now=NOW, resolution="FIXED")

    def counts(filters: TicketFilters = ALL, **more: Any) -> list[int]:
        return list(open_counts(filters, user_id=me.id, now=NOW, **more).values())

    assert counts() == [3, 1, 1, 1]
    assert counts(TicketFilters(priority=("HIGH",))) == [1, 1, 0, 1]
    assert counts(site_ids=[there.id]) == [1, 0, 0, 0]
    assert open_counts(ALL, user_id=None, now=NOW)["mine"] == 0


def test_columns_have_their_first_cards_and_count_the_rest(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    first, *_ = [opened(hours) for hours in (1, 2, 3, 30)]
    latest, earlier, gone = (opened(5) for _ in range(3))
    for ticket, ago in ((latest, 0.5), (earlier, 23.5), (gone, 24.5)):
        at = NOW - dt.timedelta(hours=ago)
        workflow.transition(ticket, "RESOLVED", user_id=None, now=at, resolution="FIXED")
    assert dt.timedelta(hours=24) == RESOLVED_FOR
    found = board(ALL, now=NOW, limit=1)
    told = {
        name: (column["count"], [ticket["id"] for ticket in column["tickets"]])
        for name, column in found.items()
    }
    assert told == {
        "waiting": (4, [first]),
        "working": (0, []),
        "on_hold": (0, []),
        "resolved": (2, [latest]),
    }
    assert query_count(lambda: board(ALL, now=NOW, limit=50)) == 1
    assert board(ALL, now=NOW, limit=9, site_ids=[1])["waiting"]["count"] == 0
