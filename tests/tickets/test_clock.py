"""By when tickets are to be done: the clock runs, stands, and is told when it is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import tickets as jobs
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session as current_session
from noc.identity import tenants
from noc.identity.tenant_settings import override
from noc.notifications.models import NotificationDelivery, NotificationRoute
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.lateness import mark_overdue
from noc.tickets.merging import merge
from noc.tickets.models import RUNNING_STATUSES, Ticket
from noc.tickets.queries import find_ticket, list_tickets
from noc.tickets.schemas import TicketFilters
from noc.tickets.transitions import TRANSITIONS
from noc.tickets.workflow import open_once
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.tickets.conftest import Open, Told, draft, history, slotted, told_of

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def move(ticket: Ticket, status: str, at: dt.datetime, user_id: int | None = None) -> None:
    """The move, with what it needs."""
    resolution = "FIXED" if status == "RESOLVED" else None
    workflow.transition(ticket.id, status, user_id=user_id, now=at, resolution=resolution)


def standing(ticket: Ticket, at: dt.datetime) -> tuple[str, int | None, int]:
    """What a reader is told: how it stands, seconds left, seconds stood."""
    found = find_ticket(ticket.id, now=at)
    assert found is not None
    return found["sla"], found["remaining_seconds"], found["paused_seconds"]


# -- how much time there is ------------------------------------------------------------------


@pytest.mark.parametrize(("priority", "hours"), [("HIGH", 4), ("MEDIUM", 24), ("LOW", 72)])
def test_the_priority_says_how_many_hours(opened: Open, priority: str, hours: int) -> None:
    assert opened(priority=priority).due_at == NOW + hours * HOUR


def test_tenant_and_site_set_their_own_hours(make: Make, opened: Open) -> None:
    patient, hasty = make.site(), make.site()
    override("ticket_due_hours_high", 8, site_id=None, now=NOW)
    override("ticket_due_hours_high", 0.5, site_id=hasty.id, now=NOW)
    assert opened(priority="HIGH", site_id=patient.id).due_at == NOW + 8 * HOUR
    assert opened(priority="HIGH", site_id=hasty.id).due_at == NOW + 30 * MINUTE
    assert opened(priority="HIGH").due_at == NOW + 8 * HOUR


def test_a_time_that_was_given_holds(opened: Open) -> None:
    ticket = opened(priority="HIGH", due_at=NOW + 90 * HOUR)
    assert (ticket.due_at, ticket.due_given) == (NOW + 90 * HOUR, True)


def test_who_joins_with_more_urgency_leaves_less_time(session: Session, make: Make) -> None:
    (first,) = open_once([slotted(priority="LOW")], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    move(ticket, "ON_HOLD", NOW + HOUR)
    move(ticket, "IN_PROGRESS", NOW + 3 * HOUR, make.user().id)
    open_once([slotted(priority="HIGH", evidence=[("punch", "1")])], now=NOW + 4 * HOUR)
    assert (ticket.priority, ticket.due_at) == ("HIGH", NOW + (4 + 2) * HOUR)


def test_who_joins_with_more_urgency_leaves_a_given_time_alone(
    session: Session, make: Make
) -> None:
    (first,) = open_once([slotted(priority="LOW", due_at=NOW + 50 * HOUR)], now=NOW)
    open_once([slotted(priority="HIGH", evidence=[("punch", "1")])], now=NOW + HOUR)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    assert (ticket.priority, ticket.due_at) == ("HIGH", NOW + 50 * HOUR)


# -- running and standing --------------------------------------------------------------------


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 500)), max_size=12))
def test_it_is_due_when_it_has_run_for_its_hours(
    make: Make, opened: Open, steps: list[tuple[int, int]]
) -> None:
    """Beside a stopwatch that knows nothing of due times."""
    user_id = make.user().id
    ticket, at, ran = opened(priority="MEDIUM"), NOW, dt.timedelta(0)
    for choice, minutes in steps:
        runs = ticket.status in RUNNING_STATUSES
        at += minutes * MINUTE
        ran += minutes * MINUTE if runs else dt.timedelta(0)
        if not TRANSITIONS[ticket.status]:
            break
        allowed = TRANSITIONS[ticket.status]
        move(ticket, allowed[choice % len(allowed)], at, user_id)
    assert ticket.due_at is not None
    stands_at = ticket.clock_stopped_at or at
    assert ticket.due_at - stands_at == 24 * HOUR - ran
    assert (ticket.clock_stopped_at is None) == (ticket.status in RUNNING_STATUSES)


def test_on_hold_it_stands_and_says_so(make: Make, opened: Open) -> None:
    ticket = opened(priority="HIGH")
    move(ticket, "ON_HOLD", NOW + HOUR)
    assert standing(ticket, NOW + 9 * HOUR) == ("paused", 3 * 3600, 8 * 3600)
    move(ticket, "IN_PROGRESS", NOW + 9 * HOUR, make.user().id)
    assert ticket.due_at == NOW + 12 * HOUR
    assert standing(ticket, NOW + 10 * HOUR) == ("on_time", 2 * 3600, 8 * 3600)


def test_what_is_late_and_put_on_hold_stays_late(opened: Open) -> None:
    ticket = opened(priority="HIGH")
    move(ticket, "ON_HOLD", NOW + 5 * HOUR)
    assert standing(ticket, NOW + 50 * HOUR)[:2] == ("overdue", -3600)


@pytest.mark.parametrize(
    ("hours", "sla"),
    [
        (0, "on_time"),
        (2.9, "on_time"),
        (3, "at_risk"),
        (3.9, "at_risk"),
        (4, "overdue"),
        (40, "overdue"),
    ],
)
def test_how_it_stands_with_time(opened: Open, hours: float, sla: str) -> None:
    assert standing(opened(priority="HIGH"), NOW + hours * HOUR)[0] == sla


@pytest.mark.parametrize(("hours", "sla"), [(3, "met"), (4, "missed"), (5, "missed")])
def test_a_resolved_ticket_was_in_time_or_not(opened: Open, hours: int, sla: str) -> None:
    ticket = opened(priority="HIGH")
    move(ticket, "RESOLVED", NOW + hours * HOUR)
    assert standing(ticket, NOW + 90 * HOUR)[0] == sla
    move(ticket, "CLOSED", NOW + 91 * HOUR)
    assert standing(ticket, NOW + 99 * HOUR)[0] == sla


def test_reopened_it_has_the_time_that_was_left(make: Make, opened: Open) -> None:
    ticket = opened(priority="HIGH")
    move(ticket, "RESOLVED", NOW + HOUR)
    move(ticket, "IN_PROGRESS", NOW + 30 * HOUR, make.user().id)
    assert standing(ticket, NOW + 30 * HOUR)[:2] == ("on_time", 3 * 3600)


def test_a_cancelled_ticket_has_no_time(opened: Open) -> None:
    ticket = opened(priority="HIGH")
    move(ticket, "CANCELLED", NOW + 9 * HOUR)
    assert standing(ticket, NOW + 9 * HOUR)[0] == "none"


def test_a_merged_ticket_stops_its_clock(opened: Open) -> None:
    first, second = opened(priority="HIGH"), opened(priority="HIGH")
    merge(second.id, first.id, user_id=None, now=NOW + HOUR)
    assert standing(second, NOW + 90 * HOUR)[0] == "met"


# -- another priority ------------------------------------------------------------------------


def test_another_priority_has_other_hours_from_the_opening(opened: Open) -> None:
    ticket = opened(priority="LOW")
    workflow.prioritise(
        ticket.id, "HIGH", user_id=None, now=NOW + HOUR, comment="The director asks."
    )
    assert (ticket.priority, ticket.due_at) == ("HIGH", NOW + 4 * HOUR)
    workflow.prioritise(ticket.id, "LOW", user_id=None, now=NOW + HOUR)
    assert (ticket.priority, ticket.due_at) == ("LOW", NOW + 72 * HOUR)


def test_a_time_given_later_holds_until_another_is_asked_for(opened: Open) -> None:
    ticket = opened(priority="LOW")
    workflow.prioritise(ticket.id, "HIGH", user_id=None, now=NOW, due_at=NOW + 9 * HOUR)
    assert (ticket.due_at, ticket.due_given) == (NOW + 9 * HOUR, True)
    workflow.prioritise(ticket.id, "HIGH", user_id=None, now=NOW)
    assert (ticket.due_at, ticket.due_given) == (NOW + 4 * HOUR, False)


def test_a_change_of_priority_is_kept_with_what_it_was(
    session: Session, make: Make, opened: Open, told: Told
) -> None:
    ticket, user = opened(priority="LOW"), make.user()
    workflow.prioritise(ticket.id, "HIGH", user_id=user.id, now=NOW + HOUR, comment="Now.")
    last = history(session, ticket.id)[-1]
    assert (last.action, last.user_id, last.comment) == ("priority", user.id, "Now.")
    assert told_of(last) == {
        "priority": {"from": "LOW", "to": "HIGH"},
        "due_at": {
            "from": (NOW + 72 * HOUR).isoformat(),
            "to": (NOW + 4 * HOUR).isoformat(),
        },
    }
    frame = told()[-1]
    assert (frame["priority"], frame["version"]) == ("HIGH", 2)
    assert dt.datetime.fromisoformat(frame["due_at"]) == NOW + 4 * HOUR


def test_a_ticket_that_is_done_keeps_its_priority(opened: Open) -> None:
    ticket = opened()
    move(ticket, "RESOLVED", NOW)
    with pytest.raises(Problem) as caught:
        workflow.prioritise(ticket.id, "HIGH", user_id=None, now=NOW)
    assert caught.value.status == 409
    assert ticket.priority == "MEDIUM"


# -- told when it is over --------------------------------------------------------------------


def test_what_is_late_is_told_once(session: Session, opened: Open, told: Told) -> None:
    ticket = opened(priority="HIGH")
    assert mark_overdue(now=NOW + 4 * HOUR - MINUTE) == 0
    assert mark_overdue(now=NOW + 4 * HOUR) == 1
    assert mark_overdue(now=NOW + 5 * HOUR) == 0
    last = history(session, ticket.id)[-1]
    assert (last.action, last.old_status, last.new_status) == ("overdue", "NEW", "NEW")
    frame = told()[-1]
    assert (frame["ticket_id"], frame["old_status"], frame["new_status"]) == (
        ticket.id,
        "NEW",
        "NEW",
    )


@pytest.mark.parametrize("status", ["ON_HOLD", "RESOLVED", "CANCELLED"])
def test_what_nobody_can_work_on_is_not_late(opened: Open, status: str) -> None:
    move(opened(priority="HIGH"), status, NOW + HOUR)
    assert mark_overdue(now=NOW + 90 * HOUR) == 0


def test_with_more_time_it_can_be_late_again(opened: Open) -> None:
    ticket = opened(priority="HIGH")
    assert mark_overdue(now=NOW + 5 * HOUR) == 1
    workflow.prioritise(ticket.id, "LOW", user_id=None, now=NOW + 5 * HOUR)
    assert ticket.overdue_at is None
    assert mark_overdue(now=NOW + 6 * HOUR) == 0
    assert mark_overdue(now=NOW + 72 * HOUR) == 1


def test_with_less_time_it_is_told_no_second_time(opened: Open) -> None:
    ticket = opened(priority="HIGH")
    assert mark_overdue(now=NOW + 5 * HOUR) == 1
    workflow.prioritise(ticket.id, "HIGH", user_id=None, now=NOW + 5 * HOUR, due_at=NOW + HOUR)
    assert mark_overdue(now=NOW + 6 * HOUR) == 0


def test_people_outside_are_told(session: Session, make: Make, opened: Open) -> None:
    session.add(
        NotificationRoute(
            tenant_id=make.tenant_id,
            name="Desk",
            channel="email",
            addresses=["desk@example.com"],
            kinds=["ticket_overdue"],
        )
    )
    opened(priority="HIGH")
    mark_overdue(now=NOW + 5 * HOUR)
    session.commit()
    (delivery,) = session.scalars(select(NotificationDelivery))
    assert (delivery.kind, delivery.severity) == ("ticket_overdue", "HIGH")


def test_a_batch_is_limited_and_costs_the_same(opened: Open, query_count: Any) -> None:
    for _ in range(9):
        opened(priority="HIGH")
    current_session().commit()
    late = NOW + 5 * HOUR
    few = query_count(lambda: mark_overdue(now=late, limit=2))
    assert query_count(lambda: mark_overdue(now=late, limit=6)) == few
    assert mark_overdue(now=late, limit=6) == 1


def test_many_workers_tell_it_once(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        open_once([draft(priority="HIGH") for _ in range(20)], now=NOW)
        current_session().commit()

        def work() -> int:
            count = mark_overdue(now=NOW + 5 * HOUR)
            current_session().commit()
            return count

        assert sum(at_once(app, make.tenant_id, [work] * 8)) == 20


def test_the_job_does_it_for_every_tenant(session: Session, make: Make, opened: Open) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    begun = utcnow() - 5 * HOUR
    open_once([draft(priority="HIGH")], now=begun)
    open_once([draft(priority="LOW")], now=begun)
    session.commit()
    with tenant_context(session, rival.id):
        open_once([draft(priority="HIGH")], now=begun)
        session.commit()
    assert jobs.mark_overdue() == 2
    assert jobs.mark_overdue() == 0


# -- over REST -------------------------------------------------------------------------------


def test_lists_narrow_to_how_tickets_stand(make: Make, opened: Open) -> None:
    tickets = {
        "on_time": opened(priority="LOW"),
        "at_risk": opened(due_at=NOW + 5.5 * HOUR),
        "overdue": opened(priority="HIGH"),
        "paused": opened(priority="HIGH"),
        "met": opened(),
        "missed": opened(due_at=NOW + MINUTE),
        "none": opened(),
    }
    move(tickets["paused"], "ON_HOLD", NOW + HOUR)
    move(tickets["met"], "RESOLVED", NOW + HOUR)
    move(tickets["missed"], "RESOLVED", NOW + HOUR)
    move(tickets["none"], "CANCELLED", NOW + HOUR)

    def shown(filters: TicketFilters) -> list[int]:
        return [row["id"] for row in list_tickets(filters, now=NOW + 5 * HOUR).items]

    for sla, ticket in tickets.items():
        filters = TicketFilters(sla=(sla,))  # type: ignore[arg-type]
        assert shown(filters) == [ticket.id]
    late = TicketFilters(sla=("overdue", "at_risk"), due_before=NOW + 5 * HOUR)
    assert shown(late) == [tickets["overdue"].id]


def test_priority_and_time_are_set_over_rest(api: ApiClient, opened: Open) -> None:
    ticket = opened(priority="LOW")
    answer = api.post(
        f"tickets/{ticket.id}/priority/",
        json={"priority": "HIGH", "due_at": "2099-01-01T00:00:00Z", "comment": "Not so soon."},
    )
    assert answer.status_code == 200, answer.text
    data = answer.get_json()["data"]
    assert (data["priority"], data["due_at"], data["due_given"]) == (
        "HIGH",
        "2099-01-01T00:00:00+00:00",
        True,
    )
    assert data["sla"] == "on_time"
    assert data["remaining_seconds"] > 0
    assert data["version"] == 2
