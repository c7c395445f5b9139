"""The drawer of a ticket: by when it is to be done, and what others did meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.tickets import workflow
from noc.tickets.models import Ticket
from noc.tickets.workflow import open_once
from tests.dashboards.conftest import Reader
from tests.dashboards.test_pages import drawer, press
from tests.factories import Make
from tests.tickets.conftest import draft


@pytest.fixture
def ticket(make: Make, session: Session) -> Ticket:
    """A ticket of low priority."""
    site = make.site(name="Harbour Depot", timezone="UTC")
    (opened,) = open_once([draft(priority="LOW", site_id=site.id)], now=utcnow())
    return session.get_one(Ticket, (make.tenant_id, opened.ticket_id))


def test_it_says_how_it_stands_with_its_time(reader: Reader, ticket: Ticket) -> None:
    assert "In time" in drawer(reader, f"ticket:{ticket.id}").text
    workflow.transition(ticket.id, "ON_HOLD", user_id=None, now=utcnow())
    assert "On hold" in drawer(reader, f"ticket:{ticket.id}").text
    assert ", 2 d left" in drawer(reader, f"ticket:{ticket.id}").text


def test_its_priority_is_set(reader: Reader, session: Session, ticket: Ticket) -> None:
    shown = press(reader, "ticket", "priority", ticket.id, note="", priority="HIGH", version=1)
    assert "Priority and time set" in shown.text
    session.expire_all()
    assert (ticket.priority, ticket.version) == ("HIGH", 2)
    refused = press(reader, "ticket", "priority", ticket.id, note="", priority="URGENT")
    assert "must be one of LOW, MEDIUM, HIGH" in refused.text


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("ON_HOLD", {}),
        ("mine", {}),
        ("priority", {"priority": "HIGH"}),
        ("RESOLVED", {"resolution": "FIXED"}),
    ],
)
def test_what_somebody_else_did_meanwhile_is_shown_and_not_overwritten(
    reader: Reader, session: Session, ticket: Ticket, step: str, said: dict[str, Any]
) -> None:
    workflow.comment(ticket.id, "The guard has called.", user_id=None, now=utcnow())
    shown = press(reader, "ticket", step, ticket.id, note="", version=1, **said)
    assert "has changed since you read it" in shown.text
    assert "The guard has called." in shown.text
    session.expire_all()
    assert (ticket.status, ticket.priority, ticket.assignee_id) == ("NEW", "LOW", None)

    press(reader, "ticket", step, ticket.id, note="", version=2, **said)
    session.expire_all()
    assert ticket.version == 3


def test_a_comment_is_taken_whatever_the_ticket_has_become(reader: Reader, ticket: Ticket) -> None:
    workflow.comment(ticket.id, "The guard has called.", user_id=None, now=utcnow())
    shown = press(reader, "ticket", "comment", ticket.id, note="I am on it.", version=1)
    assert "I am on it." in shown.text


def test_a_step_offers_its_undoing_and_a_comment_does_not(
    reader: Reader, session: Session, ticket: Ticket
) -> None:
    taken = press(reader, "ticket", "mine", ticket.id, note="", version=1)
    offer = taken.json["response"]["undo-offer"]["data"]
    assert offer["ticket"] == {"id": ticket.id, "version": 2}
    said = press(reader, "ticket", "comment", ticket.id, note="Seen", version=2)
    assert "undo-offer" not in said.json["response"]
