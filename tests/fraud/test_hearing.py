"""The guard's side is written where somebody decides."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from noc.attendance.models import AttendanceEvent
from noc.fraud.hearing import Heard, hear, said_about, said_by
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.models import Ticket
from noc.tickets.workflow import TicketDraft, open_once
from tests.factories import NOW, Make


@pytest.fixture
def punch(make: Make) -> AttendanceEvent:
    site = make.site()
    return make.punch(make.person(site, name="Meera Joshi"), site)


def told(make: Make, punch: AttendanceEvent, words: str = "My phone broke.", **kw: Any) -> Heard:
    who: dict[str, Any] = {"tenant_id": make.tenant_id, "user_id": None, "now": NOW}
    return hear(punch.id, words, **(who | kw))


def ticket_about(make: Make, punch: AttendanceEvent) -> int:
    draft = TicketDraft(
        title="Fraud", description="", priority="HIGH", category="SECURITY_FRAUD",
        source="AUTOMATED_FRAUD", site_id=punch.site_id, person_id=punch.person_id,
        evidence=(("punch", str(punch.id)),),
    )  # fmt: skip
    return open_once([draft], now=NOW)[0].ticket_id


def test_it_becomes_a_comment_of_the_punchs_ticket(make: Make, punch: AttendanceEvent) -> None:
    ticket_id = ticket_about(make, punch)
    maya = make.user(name="Maya")

    heard = told(make, punch, user_id=maya.id)

    assert (heard.ticket_id, heard.opened) == (ticket_id, False)
    (note,) = said_by(punch.person_id, tenant_id=make.tenant_id)
    assert (note["comment"], note["user_name"]) == ("My phone broke.", "Maya")


def test_a_punch_without_a_ticket_gets_one_and_only_one(make: Make, punch: AttendanceEvent) -> None:
    first, second = told(make, punch), told(make, punch, "And it rained.")

    assert (first.opened, second.opened) == (True, False)
    assert first.ticket_id == second.ticket_id
    ticket = make.session.get_one(Ticket, (make.tenant_id, first.ticket_id))
    assert (ticket.priority, ticket.source, ticket.person_id) == ("LOW", "MANUAL", punch.person_id)
    assert len(said_about(punch.id, tenant_id=make.tenant_id)) == 2


def test_on_a_resolved_ticket_it_is_said_that_it_is_resolved(
    make: Make, punch: AttendanceEvent
) -> None:
    ticket_id = ticket_about(make, punch)
    workflow.transition(ticket_id, "RESOLVED", resolution="CONFIRMED", user_id=None, now=NOW)
    heard = told(make, punch)
    assert (heard.ticket_id, heard.status) == (ticket_id, "RESOLVED")


def test_what_others_wrote_is_not_the_guards(make: Make, punch: AttendanceEvent) -> None:
    workflow.comment(ticket_about(make, punch), "Looked at the camera.", user_id=None, now=NOW)
    told(make, punch, now=NOW + dt.timedelta(minutes=1))

    assert len(said_by(punch.person_id, tenant_id=make.tenant_id)) == 1
    assert [item["said_by"] for item in said_about(punch.id, tenant_id=make.tenant_id)] == [
        "guard", None,
    ]  # fmt: skip


def test_nothing_said_opens_nothing(make: Make, punch: AttendanceEvent) -> None:
    with pytest.raises(Problem) as refused:
        told(make, punch, "  ")
    assert refused.value.status == 422
    assert make.session.query(Ticket).filter_by(tenant_id=make.tenant_id).count() == 0


def test_a_punch_out_of_sight_is_not_there(make: Make, punch: AttendanceEvent) -> None:
    limited = frozenset({make.site().id})
    with pytest.raises(Problem) as refused:
        told(make, punch, site_ids=limited)
    assert refused.value.status == 404
    told(make, punch)
    assert said_about(punch.id, tenant_id=make.tenant_id, site_ids=limited) == []
    assert said_by(punch.person_id, tenant_id=make.tenant_id, site_ids=limited) == []
