"""The drawer of a ticket: by when it is to be done, and what others did meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from noc.alerts.process import AlertInput, process_alert
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


# -- unlinking -------------------------------------------------------------------------------


def unlink(reader: Reader, ticket: Ticket, kind: str, ref: str, version: int = 1) -> Any:
    button = {"type": "ticket-unlink", "kind": kind, "ref": ref, "key": ticket.id}
    shown = {"type": "ticket-version", "key": ticket.id}
    return reader.call(
        "detail.children",
        "ticket-unlink",
        values={"ticket-unlink": [(button, 1)], "ticket-version": [(shown, version)]},
    )


@pytest.fixture
def evidence(make: Make, session: Session) -> tuple[Ticket, str]:
    """A ticket about an alert of a site, and the alert's id."""
    site = make.site()
    report = AlertInput("DOOR_OPEN", "HIGH", "Open", utcnow(), site_id=site.id)
    alert = str(process_alert(report, now=utcnow()).id)
    (made,) = open_once([draft(site_id=site.id, evidence=[("alert", alert)])], now=utcnow())
    session.commit()
    return session.get_one(Ticket, (make.tenant_id, made.ticket_id)), alert


def test_evidence_is_unlinked_there_and_linked_again_from_the_notice(
    reader: Reader, evidence: tuple[Ticket, str]
) -> None:
    ticket, alert = evidence
    shown = drawer(reader, f"ticket:{ticket.id}").text
    assert "1 alert" in shown
    assert f"Unlink Door open from {ticket.number}" in shown
    assert f'"data-open":"alert:{alert}"' in shown

    answer = unlink(reader, ticket, "alert", alert)
    assert "Evidence unlinked" in answer.text
    assert f"Alert {alert}." in answer.text
    assert f'"data-open":"alert:{alert}"' not in answer.text
    offer = answer.json["response"]["undo-offer"]["data"]
    assert offer["words"] == f"The alert is unlinked from {ticket.number}"
    assert offer["ticket"] == {
        "id": ticket.id, "version": 2, "link": {"kind": "alert", "ref": alert},
    }  # fmt: skip

    wires = {"ticket-undo.data": offer["ticket"] | {"number": 1}}
    told = reader.call("ticket-undone.data", "ticket-undo.data", values=wires)
    said = told.json["response"]["ticket-undone"]["data"]
    assert (said["ok"], said["words"]) == (True, "The alert is linked again")
    assert f'"data-open":"alert:{alert}"' in drawer(reader, f"ticket:{ticket.id}").text


def test_unlinking_is_refused_where_somebody_was_quicker_or_may_only_look(
    reader: Reader, viewer: Reader, evidence: tuple[Ticket, str], session: Session
) -> None:
    ticket, alert = evidence
    assert "Unlink" not in drawer(viewer, f"ticket:{ticket.id}").text
    assert unlink(viewer, ticket, "alert", alert).status_code == 403
    workflow.comment(ticket.id, "Look here", user_id=None, now=utcnow())
    session.commit()
    assert "has changed since you read it" in unlink(reader, ticket, "alert", alert).text
    workflow.transition(ticket.id, "CANCELLED", user_id=None, now=utcnow())
    session.commit()
    shown = drawer(reader, f"ticket:{ticket.id}").text
    assert "1 alert" in shown
    assert "Unlink" not in shown
