"""What does not belong to a ticket is unlinked, and linked again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.process import AlertInput, process_alert
from noc.audit.escalation import escalate
from noc.events.models import EventLog
from noc.identity.site_settings import read_site_settings
from noc.rest.problems import Problem
from noc.tickets import linking, workflow
from noc.tickets.models import Ticket, TicketEvidence
from tests.conftest import ApiClient
from tests.dashboards import audited
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to
from tests.tickets.conftest import Open, history

LATER = NOW + dt.timedelta(minutes=5)


def linked(session: Session, ticket: Ticket) -> set[tuple[str, str]]:
    rows = session.execute(
        select(TicketEvidence.kind, TicketEvidence.ref).where(TicketEvidence.ticket_id == ticket.id)
    )
    return {(row.kind, row.ref) for row in rows}


def unlink(ticket: Ticket, kind: str, ref: str, **more: Any) -> None:
    asked = {"user_id": None, "now": LATER} | more
    linking.remove_evidence(ticket.id, (kind, ref), **asked)


def test_one_is_unlinked_and_the_history_and_the_feed_say_so(
    opened: Open, make: Make, session: Session
) -> None:
    ticket, maya = opened(evidence=[("punch", "1"), ("alert", "2")]), make.user("operator")
    version = ticket.version
    unlink(ticket, "punch", "1", user_id=maya.id, comment="Another guard's", version=version)
    assert linked(session, ticket) == {("alert", "2")}
    last = history(session, ticket.id)[-1]
    assert (last.action, last.user_id, last.comment) == ("unlink", maya.id, "Another guard's")
    assert last.detail is not None
    assert last.detail["evidence"] == [["punch", "1"]]
    assert last.detail["added_at"]
    assert ticket.version == version + 1
    session.commit()
    told = session.scalars(select(EventLog).order_by(EventLog.seq.desc()).limit(1)).one()
    assert (told.event_type, told.payload["ticket_id"]) == ("ticket_updated", ticket.id)
    assert told.payload["version"] == ticket.version

    new = linking.add_evidence(ticket.id, [("punch", "1")], user_id=maya.id, now=LATER)
    assert new == [("punch", "1")]
    assert linked(session, ticket) == {("punch", "1"), ("alert", "2")}


@pytest.mark.parametrize("kind", ["punch", "finding"])
def test_what_is_not_linked_is_not_there(opened: Open, kind: str) -> None:
    ticket = opened(evidence=[("alert", "1")])
    with pytest.raises(Problem) as refused:
        unlink(ticket, kind, "1")
    assert refused.value.status == 404


def test_of_what_is_over_or_has_changed_nothing_is_unlinked(opened: Open, session: Session) -> None:
    ticket = opened(evidence=[("punch", "1")])
    with pytest.raises(Problem, match="has changed") as refused:
        unlink(ticket, "punch", "1", version=ticket.version + 1)
    assert refused.value.status == 409
    workflow.transition(ticket.id, "CANCELLED", user_id=None, now=NOW)
    with pytest.raises(Problem, match="CANCELLED") as refused:
        unlink(ticket, "punch", "1")
    assert refused.value.status == 409
    assert linked(session, ticket) == {("punch", "1")}


def test_a_finding_is_the_tickets_no_more_and_is_again(make: Make, session: Session) -> None:
    site = make.site()
    found = [audited.finding(make, make.person(site), site) for _ in range(2)]
    config = read_site_settings(make.tenant_id, ())
    escalate(found, config, tenant_id=make.tenant_id, now=NOW)
    ticket = session.scalars(select(Ticket)).one()
    ours, other = found
    unlink(ticket, "finding", str(other.id))
    session.refresh(other)
    assert (other.escalation_ticket_id, other.escalated_to_ticket) == (None, False)

    linking.add_evidence(ticket.id, [("finding", str(other.id))], user_id=None, now=LATER)
    session.refresh(other)
    assert (other.escalation_ticket_id, other.escalated_at) == (ticket.id, NOW)
    session.commit()
    told = session.scalars(
        select(EventLog.event_type).where(EventLog.finding_id == other.id).order_by(EventLog.seq)
    ).all()
    assert told[-2:] == ["finding_updated", "finding_updated"]

    unlink(ticket, "finding", str(other.id))
    workflow.transition(ticket.id, "RESOLVED", resolution="FALSE_POSITIVE", user_id=None, now=LATER)
    for finding in (ours, other):
        session.refresh(finding)
    assert (ours.status, other.status) == ("RESOLVED", "NEW"), "one word, but not for that one"


def test_a_finding_of_another_ticket_stays_its_own(
    opened: Open, make: Make, session: Session
) -> None:
    site = make.site()
    finding = audited.finding(make, make.person(site), site)
    escalate([finding], read_site_settings(make.tenant_id, ()), tenant_id=make.tenant_id, now=NOW)
    session.refresh(finding)
    own, ticket = finding.escalation_ticket_id, opened(site_id=site.id)
    linking.add_evidence(ticket.id, [("finding", str(finding.id))], user_id=None, now=LATER)
    unlink(ticket, "finding", str(finding.id))
    session.refresh(finding)
    assert finding.escalation_ticket_id == own


# -- over REST -------------------------------------------------------------------------------


def test_over_rest_with_the_version_that_was_read(api: ApiClient, make: Make, opened: Open) -> None:
    punch = make.punch(make.person(site := make.site()), site)
    ticket = opened(site_id=site.id, evidence=[("punch", str(punch.id))])
    path = f"tickets/{ticket.id}/evidence/punch/{punch.id}/"
    assert_problem(api.delete(f"{path}?version={ticket.version + 1}"), 409)
    assert_problem(api.delete(f"{path}?version=x"), 422, version="")
    for other in (f"rumour/{punch.id}", "punch/%00", f"punch/0{punch.id}", "incident/1", "punch/x"):
        assert_problem(api.delete(f"tickets/{ticket.id}/evidence/{other}/"), 404)
    done = api.delete(f"{path}?version={ticket.version}&comment=Not%20his").get_json()["data"]
    assert done["evidence"] == []
    assert done["history"][-1]["comment"] == "Not his"
    assert_problem(api.delete(path), 404)
    body = {"evidence": [{"kind": "punch", "ref": punch.id}]}
    again = api.post(f"tickets/{ticket.id}/evidence/", json=body).get_json()["data"]
    assert [item["ref"] for item in again["evidence"]] == [str(punch.id)]


def test_who_may_only_look_or_sees_other_sites_unlinks_nothing(
    app: Any, make: Make, opened: Open, session: Session
) -> None:
    here, there = make.site(), make.site()
    far = process_alert(AlertInput("DOOR", "HIGH", "Open", NOW, site_id=there.id), now=NOW)
    evidence = [("alert", str(far.id))]
    ticket, elsewhere = opened(site_id=here.id, evidence=evidence), opened(site_id=there.id)
    session.commit()
    path = f"evidence/alert/{far.id}/"
    viewer = UserClient(app, make, make.user("viewer"))
    assert_problem(viewer.delete(f"tickets/{ticket.id}/{path}"), 403)
    limited = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    assert_problem(limited.delete(f"tickets/{elsewhere.id}/{path}"), 404)
    assert_problem(limited.delete(f"tickets/{ticket.id}/{path}"), 404)
    assert linked(session, ticket) == set(evidence)
