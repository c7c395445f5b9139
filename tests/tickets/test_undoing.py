"""The last change of a ticket is taken back, unless somebody did more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from noc.identity.models import User
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.history import BEFORE
from noc.tickets.models import Ticket
from noc.tickets.transitions import TRANSITIONS
from noc.tickets.undoing import undo
from noc.tickets.workflow import open_once
from tests.conftest import ApiClient
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to
from tests.tickets.conftest import Open, Told, history, slotted

LATER = NOW + dt.timedelta(minutes=20)
PATHS = {
    "NEW": (),
    "ASSIGNED": ("ASSIGNED",),
    "IN_PROGRESS": ("IN_PROGRESS",),
    "ON_HOLD": ("IN_PROGRESS", "ON_HOLD"),
    "RESOLVED": ("RESOLVED",),
}


def standing(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in BEFORE}


def move(ticket: Ticket, status: str, user_id: int, now: dt.datetime = NOW) -> Ticket:
    resolution = "FIXED" if status == "RESOLVED" else None
    return workflow.transition(ticket.id, status, user_id=user_id, now=now, resolution=resolution)


MOVES = [(old, new) for old in PATHS for new in TRANSITIONS[old]]


@pytest.mark.parametrize(("old", "new"), MOVES)
def test_a_move_taken_back_leaves_everything_as_it_was(
    opened: Open, make: Make, session: Session, old: str, new: str
) -> None:
    ticket, user = opened(), make.user("operator")
    for status in PATHS[old]:
        move(ticket, status, user.id)
    before = standing(ticket)
    move(ticket, new, user.id, NOW + dt.timedelta(minutes=5))
    version = ticket.version
    undo(ticket.id, version=version, user_id=user.id, now=LATER)
    session.flush()
    session.refresh(ticket)
    assert standing(ticket) == before
    assert ticket.version == version + 1
    last = history(session, ticket.id)[-1]
    assert (last.action, last.old_status, last.new_status) == ("undo", new, old)
    assert last.detail == {"undone": "transition"}


def test_an_assignment_and_a_priority_are_taken_back_and_the_feed_hears_of_it(
    opened: Open, make: Make, told: Told
) -> None:
    ticket, maya, olga = opened(), make.user("operator"), make.user("operator")
    workflow.assign(ticket.id, maya.id, user_id=maya.id, now=NOW)
    workflow.assign(ticket.id, olga.id, user_id=maya.id, now=NOW)
    undo(ticket.id, version=ticket.version, user_id=maya.id, now=LATER)
    assert (ticket.status, ticket.assignee_id) == ("ASSIGNED", maya.id)
    before = standing(ticket)
    workflow.prioritise(ticket.id, "HIGH", user_id=maya.id, now=NOW)
    undo(ticket.id, version=ticket.version, user_id=maya.id, now=LATER)
    assert standing(ticket) == before
    assert told()[-1]["priority"] == ticket.priority


def test_what_somebody_did_since_stands(opened: Open, make: Make, session: Session) -> None:
    ticket, user = opened(), make.user("operator")
    move(ticket, "IN_PROGRESS", user.id)
    version = ticket.version
    workflow.comment(ticket.id, "On my way", user_id=user.id, now=NOW)
    with pytest.raises(Problem) as refused:
        undo(ticket.id, version=version, user_id=user.id, now=LATER)
    assert refused.value.status == 409
    assert refused.value.members["current_version"] == version + 1
    with pytest.raises(Problem, match="cannot be taken back: comment"):
        undo(ticket.id, version=ticket.version, user_id=user.id, now=LATER)
    assert ticket.status == "IN_PROGRESS"


def test_one_that_is_open_again_holds_its_slot_or_is_refused(make: Make, session: Session) -> None:
    user = make.user("operator")
    (first,) = open_once([slotted()], now=NOW)
    ticket = session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    move(ticket, "RESOLVED", user.id)
    undo(ticket.id, version=ticket.version, user_id=user.id, now=LATER)
    (joined,) = open_once([slotted()], now=LATER)
    assert joined.ticket_id == ticket.id
    move(ticket, "CANCELLED", user.id, LATER)
    (second,) = open_once([slotted()], now=LATER)
    assert second.ticket_id != ticket.id
    with pytest.raises(Problem) as refused:
        undo(ticket.id, version=ticket.version, user_id=user.id, now=LATER)
    assert refused.value.members["open_ticket_id"] == second.ticket_id


def test_one_who_was_deleted_since_does_not_get_it_back(
    opened: Open, make: Make, session: Session
) -> None:
    ticket, gone, maya = opened(), make.user("operator"), make.user("operator")
    workflow.assign(ticket.id, gone.id, user_id=maya.id, now=NOW)
    workflow.assign(ticket.id, maya.id, user_id=maya.id, now=NOW)
    session.execute(delete(User).where(User.id == gone.id))
    undo(ticket.id, version=ticket.version, user_id=maya.id, now=LATER)
    session.flush()
    assert ticket.assignee_id is None


def test_a_change_is_taken_back_over_rest(api: ApiClient, opened: Open, make: Make) -> None:
    ticket, maya = opened(), make.user("operator")
    path = f"tickets/{ticket.id}"
    done = api.post(f"{path}/assign/", json={"assignee_id": maya.id}).get_json()["data"]
    shown = api.post(f"{path}/undo/", json={"version": done["version"], "comment": "Not mine"})
    assert shown.status_code == 200, shown.text
    data = shown.get_json()["data"]
    assert (data["status"], data["assignee_id"]) == ("NEW", None)
    assert data["history"][-1]["comment"] == "Not mine"
    assert_problem(api.post(f"{path}/undo/", json={"version": done["version"]}), 409)
    assert_problem(api.post(f"{path}/undo/", json={}), 422, version="")


def test_who_is_limited_to_some_sites_takes_back_nothing_elsewhere(
    app: Any, opened: Open, make: Make
) -> None:
    here, there = make.site(), make.site()
    limited = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    ticket = opened(site_id=there.id)
    move(ticket, "IN_PROGRESS", make.user("operator").id)
    answer = limited.post(f"tickets/{ticket.id}/undo/", json={"version": ticket.version})
    assert_problem(answer, 404)
    assert ticket.status == "IN_PROGRESS"
