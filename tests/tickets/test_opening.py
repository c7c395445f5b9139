"""Tickets are opened once for each slot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.extensions import session as current_session
from noc.identity import tenants
from noc.tickets import workflow
from noc.tickets.locking import find_locked
from noc.tickets.models import Ticket, TicketEvent, TicketEvidence
from noc.tickets.workflow import OpenedTicket, open_once
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.tickets.conftest import Open, Told, draft, evidence, history, slotted

HOUR = dt.timedelta(hours=1)


def open_one(ticket: workflow.TicketDraft, now: dt.datetime = NOW) -> OpenedTicket:
    (opened,) = open_once([ticket], now=now)
    return opened


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


def test_a_draft_becomes_a_ticket_with_its_evidence_and_history(
    session: Session, make: Make
) -> None:
    site = make.site()
    guard = make.person(site)
    opened = open_one(
        slotted(
            site_id=site.id,
            person_id=guard.id,
            priority="HIGH",
            metadata={"fraud_score": 0.91, "auto_created": True},
            evidence=[("punch", "7"), ("alert", "3"), ("punch", "7")],
            due_at=NOW + HOUR,
        )
    )
    ticket = session.get_one(Ticket, (make.tenant_id, opened.ticket_id))
    assert opened == OpenedTicket(ticket.id, ticket.number, created=True)
    assert (ticket.status, ticket.priority, ticket.due_at) == ("NEW", "HIGH", NOW + HOUR)
    assert (ticket.site_id, ticket.person_id) == (site.id, guard.id)
    assert ticket.detail == {"fraud_score": 0.91, "auto_created": True}
    assert evidence(session, ticket.id) == {("punch", "7"), ("alert", "3")}
    (event,) = history(session, ticket.id)
    assert (event.action, event.old_status, event.new_status, event.at) == (
        "opened",
        None,
        "NEW",
        NOW,
    )
    assert event.detail is not None
    assert event.detail["evidence"] == [["alert", "3"], ["punch", "7"]]


def test_a_ticket_with_an_assignee_is_assigned_from_the_start(make: Make, opened: Open) -> None:
    user = make.user()
    assert opened(assignee_id=user.id).status == "ASSIGNED"


def test_the_feed_is_told_of_a_new_ticket_by_number_and_name(
    make: Make, opened: Open, told: Told
) -> None:
    olga = make.user(name="Olga")
    ticket = opened(assignee_id=olga.id)
    assert told() == [
        {
            "ticket_id": ticket.id,
            "ticket_number": "T-000001",
            "title": ticket.title,
            "person_id": ticket.person_id,
            "old_status": None,
            "new_status": "ASSIGNED",
            "priority": "MEDIUM",
            "category": "SECURITY_FRAUD",
            "assignee_id": olga.id,
            "assignee": "Olga",
            "due_at": (NOW + 24 * HOUR).isoformat(),
            "version": 1,
            "updated_at": NOW.isoformat(),
        }
    ]


def test_numbers_have_no_gap_and_each_tenant_counts_its_own(session: Session, make: Make) -> None:
    assert [one.number for one in open_once([draft()] * 3, now=NOW)] == [
        "T-000001",
        "T-000002",
        "T-000003",
    ]
    savepoint = session.begin_nested()
    assert open_one(draft()).number == "T-000004"
    savepoint.rollback()
    assert open_one(draft()).number == "T-000004", "what was rolled back leaves no gap"
    session.commit()
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        assert open_one(draft()).number == "T-000001"
        session.commit()


def test_a_taken_slot_lets_the_evidence_join(session: Session, make: Make, told: Told) -> None:
    first = open_one(slotted(evidence=[("punch", "1")]))
    second = open_one(slotted(evidence=[("punch", "2")]), NOW + HOUR)
    assert second == OpenedTicket(first.ticket_id, first.number, created=False)
    assert evidence(session, first.ticket_id) == {("punch", "1"), ("punch", "2")}
    joined = history(session, first.ticket_id)[-1]
    assert (joined.action, joined.detail) == ("evidence", {"evidence": [["punch", "2"]]})
    assert [frame["old_status"] for frame in told()] == [None, "NEW"]
    assert told()[-1]["updated_at"] == (NOW + HOUR).isoformat()


def test_the_same_evidence_again_changes_nothing(session: Session, make: Make, told: Told) -> None:
    first = open_one(slotted(evidence=[("punch", "1")]))
    before = len(told())
    open_one(slotted(evidence=[("punch", "1")]), NOW + HOUR)
    assert len(told()) == before
    assert len(history(session, first.ticket_id)) == 1


def test_drafts_of_one_slot_in_a_batch_are_one_ticket(session: Session, make: Make) -> None:
    answers = open_once(
        [
            slotted("a", evidence=[("punch", "1")]),
            draft(evidence=[("punch", "9")]),
            slotted("b", evidence=[("punch", "2")]),
            slotted("a", evidence=[("punch", "3")], title="[FRAUD ALERT] later"),
        ],
        now=NOW,
    )
    assert [one.created for one in answers] == [True, True, True, False]
    assert answers[0].ticket_id == answers[3].ticket_id
    assert count(session) == 3
    assert evidence(session, answers[0].ticket_id) == {("punch", "1"), ("punch", "3")}
    ticket = session.get_one(Ticket, (make.tenant_id, answers[0].ticket_id))
    assert ticket.title == "[FRAUD ALERT] Ravi - GPS_SPOOFING"


def test_a_more_urgent_draft_makes_the_ticket_that_it_joins_more_urgent(
    session: Session, make: Make
) -> None:
    first = open_one(slotted(priority="LOW"))
    open_one(slotted(priority="HIGH", evidence=[("finding", "5")]))
    open_one(slotted(priority="MEDIUM", evidence=[("finding", "6")]))
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    assert ticket.priority == "HIGH"
    details = [event.detail or {} for event in history(session, ticket.id)]
    assert [detail.get("priority") for detail in details] == [
        None,
        {"from": "LOW", "to": "HIGH"},
        None,
    ]


def test_when_the_slots_time_is_over_a_new_ticket_opens(session: Session, make: Make) -> None:
    first = open_one(slotted(hours=24))
    assert open_one(slotted(), NOW + 24 * HOUR - dt.timedelta(seconds=1)).created is False
    later = open_one(slotted(), NOW + 24 * HOUR)
    assert later.created
    assert later.ticket_id != first.ticket_id
    assert open_one(slotted(), NOW + 25 * HOUR).ticket_id == later.ticket_id


@pytest.mark.parametrize("status", ["RESOLVED", "CANCELLED"])
def test_when_its_ticket_is_no_longer_open_a_new_one_opens(
    session: Session, make: Make, status: str
) -> None:
    first = open_one(slotted())
    resolution = "FIXED" if status == "RESOLVED" else None
    workflow.transition(first.ticket_id, status, user_id=None, now=NOW, resolution=resolution)
    # Even for who started a little earlier.
    second = open_one(slotted(evidence=[("punch", "2")]), NOW - dt.timedelta(seconds=5))
    assert second.created
    assert evidence(session, first.ticket_id) == set()


def test_work_on_a_ticket_keeps_its_slot(make: Make) -> None:
    user = make.user()
    first = open_one(slotted())
    workflow.assign(first.ticket_id, user.id, user_id=user.id, now=NOW)
    for status in ("IN_PROGRESS", "ON_HOLD"):
        workflow.transition(first.ticket_id, status, user_id=user.id, now=NOW)
        assert open_one(slotted()).ticket_id == first.ticket_id


def test_the_slots_of_tenants_are_their_own(session: Session, make: Make) -> None:
    open_one(slotted())
    session.commit()
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        assert open_one(slotted()).created
        session.commit()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"priority": "CRITICAL"}, "priority is one of LOW, MEDIUM, HIGH"),
        ({"slot": "x"}, "needs the hours"),
        ({"slot": "x", "slot_hours": -1}, "needs the hours"),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        draft(**values)


def test_no_drafts_are_no_tickets(make: Make) -> None:
    assert open_once([], now=NOW) == []


def test_the_number_of_statements_does_not_grow_with_the_drafts(
    session: Session, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    user_id = make.user().id

    def work(size: int) -> None:
        first = [
            slotted(f"{size}-{n}", evidence=[("punch", str(n))], assignee_id=user_id)
            for n in range(size)
        ]
        later = [
            slotted(f"{size}-{n}", evidence=[("punch", str(size + n))], priority="HIGH")
            for n in range(size)
        ]
        open_once(first, now=NOW)
        session.commit()
        open_once(later, now=NOW)
        session.commit()

    assert query_count(lambda: work(2)) == query_count(lambda: work(200))


def test_sixteen_openers_of_one_slot_open_one_ticket_with_all_the_evidence(
    app: APIFlask, services: Services
) -> None:
    def opener(number: int) -> Callable[[], OpenedTicket]:
        return lambda: open_one(slotted(evidence=[("punch", str(number))]))

    with committed_tenant(app, services) as make:
        current_session().commit()
        answers = at_once(app, make.tenant_id, [opener(n) for n in range(1, 17)])
        tickets = current_session().scalars(select(Ticket)).all()
        refs = current_session().scalars(select(TicketEvidence.ref)).all()
        actions = current_session().scalars(select(TicketEvent.action)).all()

    assert [ticket.number for ticket in tickets] == ["T-000001"]
    assert sum(answer.created for answer in answers) == 1
    assert {answer.ticket_id for answer in answers} == {tickets[0].id}
    assert sorted(int(ref) for ref in refs) == list(range(1, 17))
    assert sorted(actions) == ["evidence"] * 15 + ["opened"]


def test_openers_of_many_slots_in_any_order_neither_deadlock_nor_double(
    app: APIFlask, services: Services
) -> None:
    names = [f"slot-{n}" for n in range(20)]

    def opener(number: int) -> Callable[[], list[OpenedTicket]]:
        order = names if number % 2 else names[::-1]
        drafts = [slotted(name, evidence=[("punch", str(number))]) for name in order]
        return lambda: open_once(drafts, now=NOW)

    with committed_tenant(app, services) as make:
        current_session().commit()
        answers = at_once(app, make.tenant_id, [opener(n) for n in range(1, 17)])
        numbers = current_session().scalars(select(Ticket.number).order_by(Ticket.number)).all()
        links = current_session().scalar(select(func.count()).select_from(TicketEvidence))

    assert sum(one.created for answer in answers for one in answer) == 20
    assert numbers == [f"T-{n:06d}" for n in range(1, 21)]
    assert links == 20 * 16


def test_openers_and_resolvers_at_once_never_leave_two_open_nor_lose_evidence(
    app: APIFlask, services: Services
) -> None:
    def opener(number: int) -> Callable[[], int]:
        return lambda: open_one(slotted(evidence=[("punch", str(number))])).ticket_id

    def resolver(number: int) -> Callable[[], int]:
        def work() -> int:
            ticket_id = opener(number)()
            current_session().commit()
            ticket = find_locked(ticket_id)
            if ticket.status == "NEW":
                workflow.transition(
                    ticket_id, "RESOLVED", user_id=None, now=NOW, resolution="FIXED"
                )
            return ticket_id

        return work

    with committed_tenant(app, services) as make:
        tenant_id = make.tenant_id
        current_session().commit()
        works = [(resolver if n % 2 else opener)(n) for n in range(1, 17)]
        at_once(app, tenant_id, works)
        tickets = current_session().scalars(select(Ticket)).all()
        refs = current_session().scalars(select(TicketEvidence.ref)).all()

    assert sum(ticket.status == "NEW" for ticket in tickets) <= 1
    assert sorted(int(ref) for ref in refs) == list(range(1, 17))
    assert sorted(ticket.number for ticket in tickets) == [
        f"T-{n:06d}" for n in range(1, len(tickets) + 1)
    ]
