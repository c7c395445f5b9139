"""Tickets move along a table."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from noc.rest.problems import Problem
from noc.tickets import linking, workflow
from noc.tickets.merging import merge
from noc.tickets.models import OPEN_STATUSES, RESOLUTIONS, STATUSES, Ticket
from noc.tickets.transitions import TRANSITIONS, is_open
from noc.tickets.workflow import open_once
from tests.factories import NOW, Make
from tests.signed_in import limit_to
from tests.tickets.conftest import Open, Told, draft, evidence, history, listening, slotted, told_of

HOUR = dt.timedelta(hours=1)
PATHS = {
    "NEW": [],
    "ASSIGNED": ["ASSIGNED"],
    "IN_PROGRESS": ["IN_PROGRESS"],
    "ON_HOLD": ["ON_HOLD"],
    "RESOLVED": ["RESOLVED"],
    "CLOSED": ["RESOLVED", "CLOSED"],
    "CANCELLED": ["CANCELLED"],
}
"""How a new ticket gets into each status."""


def move(ticket: Ticket, status: str, user_id: int | None = None) -> Ticket:
    """The move, with what it needs."""
    resolution = "FIXED" if status == "RESOLVED" else None
    return workflow.transition(ticket.id, status, user_id=user_id, now=NOW, resolution=resolution)


def problem_of(ticket: Ticket, status: str, **values: object) -> Problem:
    """The problem that a move meets; the ticket stays as it was."""
    before = ticket.status
    with pytest.raises(Problem) as caught:
        workflow.transition(ticket.id, status, user_id=None, now=NOW, **values)  # type: ignore[arg-type]
    assert ticket.status == before
    return caught.value


@pytest.mark.parametrize("new_status", STATUSES)
@pytest.mark.parametrize("old_status", STATUSES)
def test_a_ticket_moves_where_the_table_says_and_nowhere_else(
    session: Session, make: Make, opened: Open, old_status: str, new_status: str
) -> None:
    user_id, ticket = make.user().id, opened()
    for step in PATHS[old_status]:
        move(ticket, step, user_id)
    assert ticket.status == old_status
    steps = len(history(session, ticket.id))
    if new_status in TRANSITIONS[old_status]:
        move(ticket, new_status, user_id)
        last = history(session, ticket.id)[-1]
        assert ticket.status == new_status
        assert (last.old_status, last.new_status, last.user_id) == (
            old_status,
            new_status,
            user_id,
        )
    else:
        problem = problem_of(
            ticket, new_status, resolution="FIXED" if new_status == "RESOLVED" else None
        )
        assert problem.status == 409
        assert problem.members == {
            "current_status": old_status,
            "allowed": list(TRANSITIONS[old_status]),
        }
        assert len(history(session, ticket.id)) == steps


def test_open_are_the_statuses_in_which_there_is_work_to_do() -> None:
    assert [status for status in STATUSES if is_open(status)] == list(OPEN_STATUSES)


def test_a_status_there_is_not_is_refused(opened: Open) -> None:
    problem = problem_of(opened(), "DONE")
    assert problem.status == 422
    assert problem.errors[0]["field"] == "status"


def test_resolving_needs_a_resolution_and_announces_it(
    make: Make, opened: Open, told: Told
) -> None:
    user, ticket = make.user(), opened()
    for wrong in (None, "GONE"):
        problem = problem_of(ticket, "RESOLVED", resolution=wrong)
        assert problem.errors == [
            {"field": "resolution", "reason": f"must be one of {', '.join(RESOLUTIONS)}"}
        ]
    with listening() as heard:
        workflow.transition(
            ticket.id, "RESOLVED", user_id=user.id, now=NOW, resolution="INCONCLUSIVE"
        )
    assert heard == [
        {
            "ticket": ticket,
            "resolution": "INCONCLUSIVE",
            "verdicts": {},
            "user_id": user.id,
            "now": NOW,
        }
    ]
    assert (ticket.resolution, ticket.resolved_at) == ("INCONCLUSIVE", NOW)
    assert [(frame["old_status"], frame["new_status"]) for frame in told()] == [
        (None, "NEW"),
        ("NEW", "RESOLVED"),
    ]


@pytest.mark.parametrize("status", ["IN_PROGRESS", "ON_HOLD", "CANCELLED"])
def test_a_resolution_belongs_to_resolved_alone(opened: Open, status: str) -> None:
    problem = problem_of(opened(), status, resolution="FIXED")
    assert (problem.status, problem.errors[0]["field"]) == (422, "resolution")


def test_the_resolver_may_judge_punch_by_punch(session: Session, opened: Open) -> None:
    ticket = opened(evidence=[("punch", "4"), ("punch", "5"), ("alert", "6")])
    verdicts = {4: "CONFIRMED", 5: "FALSE_POSITIVE"}
    with listening() as heard:
        workflow.transition(
            ticket.id,
            "RESOLVED",
            user_id=None,
            now=NOW,
            resolution="CONFIRMED",
            comment="Only one of them",
            verdicts=verdicts,
        )
    assert heard[0]["verdicts"] == verdicts
    last = history(session, ticket.id)[-1]
    assert last.comment == "Only one of them"
    assert told_of(last) == {
        "resolution": "CONFIRMED",
        "verdicts": {"4": "CONFIRMED", "5": "FALSE_POSITIVE"},
    }


@pytest.mark.parametrize(
    ("status", "resolution", "verdicts", "reason"),
    [
        ("RESOLVED", "CONFIRMED", {6: "CONFIRMED"}, "punch 6 is not among the evidence"),
        ("RESOLVED", "CONFIRMED", {4: "INCONCLUSIVE"}, "a verdict is one of"),
        ("ON_HOLD", None, {4: "CONFIRMED"}, "belong to RESOLVED alone"),
    ],
)
def test_a_verdict_on_nothing_is_refused(
    opened: Open,
    status: str,
    resolution: str | None,
    verdicts: dict[int, str],
    reason: str,
) -> None:
    ticket = opened(evidence=[("punch", "4"), ("alert", "6")])
    problem = problem_of(ticket, status, resolution=resolution, verdicts=verdicts)
    assert problem.errors[0]["field"] == "verdicts"
    assert reason in problem.errors[0]["reason"]


def test_assigning_says_to_whom_and_from_whom(
    session: Session, make: Make, opened: Open, told: Told
) -> None:
    first, second, ticket = make.user(), make.user(name="Olga"), opened()
    workflow.assign(ticket.id, first.id, user_id=None, now=NOW)
    workflow.assign(ticket.id, second.id, user_id=first.id, now=NOW, comment="Yours")
    assert (ticket.status, ticket.assignee_id) == ("ASSIGNED", second.id)
    last = history(session, ticket.id)[-1]
    assert (last.action, last.comment, told_of(last)) == (
        "assign",
        "Yours",
        {"from": first.id, "to": second.id},
    )
    assert told()[-1]["assignee"] == "Olga"


def test_assigning_does_not_stop_work_in_progress(make: Make, opened: Open) -> None:
    ticket = move(opened(), "IN_PROGRESS", make.user().id)
    workflow.assign(ticket.id, make.user().id, user_id=None, now=NOW)
    assert ticket.status == "IN_PROGRESS"


@pytest.mark.parametrize("status", ["ASSIGNED", "IN_PROGRESS"])
def test_who_takes_or_starts_a_ticket_of_nobody_has_it(
    make: Make, opened: Open, status: str
) -> None:
    user = make.user()
    assert move(opened(), status, user.id).assignee_id == user.id


def test_a_ticket_put_back_to_new_is_nobodys(make: Make, opened: Open) -> None:
    user = make.user()
    ticket = opened(assignee_id=user.id)
    assert move(ticket, "NEW").assignee_id is None
    problem = problem_of(ticket, "ASSIGNED")
    assert problem.status == 409
    assert "assign it to a user" in problem.detail


@pytest.mark.parametrize("status", ["RESOLVED", "CLOSED", "CANCELLED"])
def test_a_ticket_that_is_over_takes_neither_assignee_nor_evidence(
    make: Make, opened: Open, status: str
) -> None:
    user, ticket = make.user(), opened()
    for step in PATHS[status]:
        move(ticket, step, user.id)
    with pytest.raises(Problem, match="cannot be assigned"):
        workflow.assign(ticket.id, user.id, user_id=None, now=NOW)
    with pytest.raises(Problem, match="cannot be given evidence"):
        linking.add_evidence(ticket.id, [("punch", "1")], user_id=None, now=NOW)
    workflow.comment(ticket.id, "For the record", user_id=user.id, now=NOW)


def test_work_is_given_only_to_who_sees_its_site(make: Make, opened: Open) -> None:
    here, there = make.site(), make.site()
    user = limit_to(make, make.user("operator"), here.id)
    workflow.assign(opened(site_id=here.id).id, user.id, user_id=None, now=NOW)
    with pytest.raises(Problem, match="not changed"):
        workflow.assign(opened(site_id=there.id).id, user.id, user_id=None, now=NOW)


def test_evidence_is_linked_once(session: Session, opened: Open) -> None:
    ticket = opened(evidence=[("punch", "1")])
    links = [("punch", "1"), ("finding", "2")]
    new = linking.add_evidence(ticket.id, links, user_id=None, now=NOW, note="Seen on camera")
    assert new == [("finding", "2")]
    assert linking.add_evidence(ticket.id, links, user_id=None, now=NOW) == []
    assert evidence(session, ticket.id) == {("punch", "1"), ("finding", "2")}
    assert [event.action for event in history(session, ticket.id)] == ["opened", "evidence"]


def test_evidence_of_a_kind_there_is_not_is_refused(opened: Open) -> None:
    with pytest.raises(Problem, match="not changed"):
        linking.add_evidence(opened().id, [("rumour", "1")], user_id=None, now=NOW)


# -- reopening -------------------------------------------------------------------------------


def test_reopening_takes_the_resolution_and_the_slot_back(session: Session, make: Make) -> None:
    (first,) = open_once([slotted()], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    move(ticket, "RESOLVED")
    move(ticket, "IN_PROGRESS")
    assert (ticket.resolution, ticket.resolved_at) == (None, None)
    (later,) = open_once([slotted(evidence=[("punch", "2")])], now=NOW + HOUR)
    assert later.ticket_id == ticket.id


def test_reopening_is_refused_while_another_ticket_is_open_for_the_same(
    session: Session, make: Make
) -> None:
    (first,) = open_once([slotted()], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    move(ticket, "RESOLVED")
    (second,) = open_once([slotted()], now=NOW)
    problem = problem_of(ticket, "IN_PROGRESS")
    assert problem.status == 409
    assert problem.members["open_ticket_id"] == second.ticket_id

    move(session.get_one(Ticket, (make.tenant_id, second.ticket_id)), "CANCELLED")
    assert move(ticket, "IN_PROGRESS").status == "IN_PROGRESS"


def test_after_the_slots_time_a_ticket_is_reopened_without_it(session: Session, make: Make) -> None:
    (first,) = open_once([slotted(hours=4)], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    move(ticket, "RESOLVED")
    (second,) = open_once([slotted(hours=4)], now=NOW + 5 * HOUR)
    workflow.transition(ticket.id, "IN_PROGRESS", user_id=None, now=NOW + 6 * HOUR)
    (third,) = open_once([slotted()], now=NOW + 7 * HOUR)
    assert third.ticket_id == second.ticket_id


# -- merging ---------------------------------------------------------------------------------


def test_merging_leaves_one_ticket_with_all_the_evidence(
    session: Session, make: Make, opened: Open, told: Told
) -> None:
    (first,) = open_once([slotted(evidence=[("punch", "1"), ("punch", "2")])], now=NOW)
    heir = opened(evidence=[("punch", "2")])
    with listening() as heard:
        merge(first.ticket_id, heir.id, user_id=None, now=NOW, comment="One and the same")
    duplicate = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    assert (duplicate.status, duplicate.resolution) == ("RESOLVED", "DUPLICATE")
    assert evidence(session, heir.id) == {("punch", "1"), ("punch", "2")}
    assert [(news["ticket"], news["resolution"]) for news in heard] == [(duplicate, "DUPLICATE")]
    assert history(session, duplicate.id)[-1].detail == {
        "into": heir.id,
        "number": heir.number,
        "resolution": "DUPLICATE",
    }
    assert history(session, heir.id)[-1].action == "merge"
    assert [frame["ticket_id"] for frame in told()[-2:]] == [duplicate.id, heir.id]

    (later,) = open_once([slotted(evidence=[("punch", "3")])], now=NOW)
    assert later.ticket_id == heir.id, "what comes later joins the one that goes on"
    move(heir, "RESOLVED")
    (newest,) = open_once([slotted()], now=NOW)
    assert newest.created


def test_a_ticket_is_not_merged_with_itself_nor_with_one_that_is_over(
    make: Make, opened: Open
) -> None:
    ticket, over = opened(), move(opened(), "CANCELLED")
    with pytest.raises(Problem, match="not merged"):
        merge(ticket.id, ticket.id, user_id=None, now=NOW)
    with pytest.raises(Problem, match="cannot be merged into"):
        merge(ticket.id, over.id, user_id=None, now=NOW)
    with pytest.raises(Problem, match="cannot be merged"):
        merge(over.id, ticket.id, user_id=None, now=NOW)


def test_another_tenants_ticket_does_not_exist(opened: Open, rivals_ticket: int) -> None:
    ours = opened()
    for attempt in (
        lambda: workflow.comment(rivals_ticket, "x", user_id=None, now=NOW),
        lambda: merge(ours.id, rivals_ticket, user_id=None, now=NOW),
        lambda: merge(rivals_ticket, ours.id, user_id=None, now=NOW),
    ):
        with pytest.raises(Problem) as caught:
            attempt()
        assert caught.value.status == 404


def attempt(ticket: Ticket, what: str, user_id: int, now: dt.datetime) -> Problem | None:
    """Try a move, an assignment or a comment; the problem it met."""
    resolution = "FIXED" if what == "RESOLVED" else None
    who: dict[str, Any] = {"user_id": user_id, "now": now}
    try:
        if what == "assign":
            workflow.assign(ticket.id, user_id, **who)
        elif what == "comment":
            workflow.comment(ticket.id, "Hm", **who)
        else:
            workflow.transition(ticket.id, what, **who, resolution=resolution)
    except Problem as problem:
        return problem
    return None


MOVES = st.lists(st.sampled_from([*STATUSES, "assign", "comment", "again"]), max_size=14)


@given(MOVES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_sequence_of_moves_leads_astray(session: Session, make: Make, moves: list[str]) -> None:
    user_id = make.user().id
    slot = f"run-{user_id}"
    (first,) = open_once([slotted(slot)], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    expected: list[tuple[str, str | None, str]] = [("opened", None, "NEW")]
    for number, what in enumerate(moves):
        now, before = NOW + number * dt.timedelta(minutes=1), ticket.status
        if what == "again":
            # Whatever happened, the suspicion has exactly one open ticket afterwards.
            (opened,) = open_once([slotted(slot)], now=now)
            assert opened.created == (not is_open(before))
            if opened.created:
                return
            continue
        problem = attempt(ticket, what, user_id, now)
        if problem is not None:
            assert (problem.status, ticket.status) == (409, before)
            assert what == "assign" or what not in TRANSITIONS[before]
            continue
        action = what if what in ("assign", "comment") else "transition"
        assert action != "transition" or what in TRANSITIONS[before]
        expected.append((action, before, ticket.status))
        assert (ticket.resolution is not None) == (ticket.status in ("RESOLVED", "CLOSED"))
        assert ticket.status != "NEW" or ticket.assignee_id is None
        assert ticket.status != "ASSIGNED" or ticket.assignee_id == user_id
        assert ticket.updated_at == now
    kept = [(row.action, row.old_status, row.new_status) for row in history(session, ticket.id)]
    assert kept == expected, "the history is complete"


def test_a_draft_without_a_slot_can_be_reopened_at_any_time(opened: Open) -> None:
    ticket = move(opened(), "RESOLVED")
    assert draft().slot is None
    assert move(ticket, "IN_PROGRESS").status == "IN_PROGRESS"
