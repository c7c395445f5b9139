"""A word taken back takes back all that it had ended: as it was before, or taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert, AlertChange
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo as undo_alerts
from noc.audit import bulk, findings, reopening
from noc.audit.models import Finding
from noc.events.models import EventLog
from noc.tickets import workflow
from noc.tickets.models import Ticket, TicketEvent
from noc.tickets.undoing import taken_back
from noc.tickets.undoing import undo as undo_ticket
from tests.audit.conftest import AT, MINUTE, Post, cycle, on_post
from tests.conftest import ApiClient
from tests.dashboards import audited
from tests.factories import Make
from tests.signed_in import UserClient

SAID, BACK = AT + MINUTE, AT + 2 * MINUTE
FALSE = "FALSE_POSITIVE"


@dataclass
class Case:
    """A ticket, its finding, and the finding's alert, which somebody has."""

    post: Post
    ticket: Ticket
    finding: Finding
    alert: Alert
    user: int

    @property
    def who(self) -> dict[str, Any]:
        return {"user_id": self.user, "now": BACK}

    def fresh(self, session: Session) -> tuple[str, str, str]:
        """How ticket, finding and alert stand, as it is stored."""
        session.flush()
        for one in (self.ticket, self.finding, self.alert):
            session.refresh(one)
        return self.ticket.status, self.finding.status, self.alert.status

    def end(self, root: str) -> Any:
        """Say of one of the three that it was a false positive."""
        who: dict[str, Any] = {"user_id": self.user, "now": SAID}
        if root == "ticket":
            return workflow.transition(self.ticket.id, "RESOLVED", resolution=FALSE, **who)
        if root == "finding":
            return findings.resolve(self.finding.id, FALSE, note=None, **who)
        (outcome,) = take(Step("resolve", SAID, self.user, resolution=FALSE), [self.alert.id])
        return outcome


@pytest.fixture
def case(make: Make, session: Session) -> Case:
    post = on_post(make)
    cycle(make)
    finding = session.scalars(select(Finding)).one()
    user = make.user("operator").id
    finding.alert_id = post.alert()
    findings.acknowledge(finding.id, user_id=user, now=AT)
    take(Step("assign", AT, user, assignee_id=user), [finding.alert_id])
    ticket = session.scalars(select(Ticket)).one()
    workflow.transition(ticket.id, "ON_HOLD", user_id=user, now=AT)
    alert = session.get_one(Alert, (make.tenant_id, finding.alert_id))
    found = Case(post, ticket, finding, alert, user)
    assert found.fresh(session) == BEFORE
    return found


BEFORE = ("ON_HOLD", "ACKNOWLEDGED", "ASSIGNED")
OVER = ("RESOLVED", "RESOLVED", "RESOLVED")


@pytest.mark.parametrize("root", ["ticket", "finding", "alert"])
def test_whatever_it_was_said_of_all_is_as_before(case: Case, session: Session, root: str) -> None:
    clock = (case.ticket.due_at, case.ticket.clock_stopped_at, case.ticket.paused_seconds)
    done = case.end(root)
    assert case.fresh(session) == OVER

    if root == "ticket":
        ticket = undo_ticket(case.ticket.id, version=case.ticket.version, **case.who)
        told = taken_back(ticket)
        assert told == {"findings": [case.finding.id], "alerts": [case.alert.id]}
    elif root == "finding":
        told = reopening.reopen(case.finding.id, note=None, exact=True, **case.who)
        assert told == {"alerts": [case.alert.id], "tickets": [case.ticket.id]}
    else:
        (outcome,) = undo_alerts({case.alert.id: done.change_id}, **case.who)
        told = outcome.taken_back
        assert told == {"findings": [case.finding.id], "tickets": [case.ticket.id]}
    assert case.fresh(session) == BEFORE
    assert (case.ticket.due_at, case.ticket.clock_stopped_at, case.ticket.paused_seconds) == clock
    assert case.alert.assignee_id == case.user
    assert "set_off" not in case.finding.evidence


@pytest.mark.parametrize("root", ["ticket", "finding", "alert"])
def test_reopened_all_is_taken_up_again(case: Case, session: Session, root: str) -> None:
    case.end(root)
    if root == "ticket":
        workflow.transition(case.ticket.id, "IN_PROGRESS", **case.who)
    elif root == "finding":
        reopening.reopen(case.finding.id, note=None, **case.who)
    else:
        take(Step("reopen", BACK, case.user), [case.alert.id])
    assert case.fresh(session) == ("IN_PROGRESS", "ACKNOWLEDGED", "NEW")
    assert case.ticket.due_at is not None


def test_each_keeps_it_in_its_history_and_the_feed_hears_of_each(
    case: Case, session: Session
) -> None:
    case.end("ticket")
    undo_ticket(case.ticket.id, version=case.ticket.version, **case.who)
    session.commit()

    *_, said, undone = session.scalars(select(TicketEvent).order_by(TicketEvent.id)).all()
    change = session.scalars(select(AlertChange).where(AlertChange.action == "resolve")).one()
    assert said.detail is not None
    assert said.detail["set_off"] == {
        "at": SAID.isoformat(),
        "findings": [case.finding.id],
        "alerts": {str(case.alert.id): change.id},
    }
    assert undone.detail is not None
    assert undone.detail["taken_back"]["findings"] == [case.finding.id]
    last = session.scalars(select(AlertChange).order_by(AlertChange.id.desc()).limit(1)).one()
    assert (last.action, last.new_status, last.user_id) == ("undo", "ASSIGNED", case.user)
    (kept,) = case.finding.evidence["reopened"]
    assert (kept["resolution"], kept["note"]) == (
        FALSE, "What it was about is no false positive by now.",
    )  # fmt: skip
    told = session.scalars(select(EventLog).order_by(EventLog.seq.desc()).limit(3)).all()
    assert {event.event_type for event in told} == {
        "alert_updated", "finding_updated", "ticket_updated",
    }  # fmt: skip


def test_what_somebody_did_since_stays_and_is_told(case: Case, session: Session) -> None:
    case.end("ticket")
    take(Step("reopen", BACK, case.user), [case.alert.id])
    take(Step("resolve", BACK, case.user, resolution="FIXED"), [case.alert.id])
    reopening.reopen(case.finding.id, note=None, **case.who)
    findings.resolve(case.finding.id, "CONFIRMED", note=None, **case.who)
    # The finding took its ticket along; it is said again of the ticket alone.
    version = case.ticket.version
    session.refresh(case.ticket)
    assert (case.ticket.status, version) == ("IN_PROGRESS", case.ticket.version)

    workflow.transition(case.ticket.id, "RESOLVED", resolution=FALSE, **case.who)
    ticket = undo_ticket(case.ticket.id, version=case.ticket.version, **case.who)
    assert taken_back(ticket) == {}
    assert case.fresh(session) == ("IN_PROGRESS", "RESOLVED", "RESOLVED")


def test_what_cannot_be_opened_is_left_with_the_reason(
    case: Case, make: Make, session: Session
) -> None:
    case.end("ticket")
    another = audited.finding(
        make, case.post.person, case.post.site, at=SAID, self_closing=True
    )  # fmt: skip
    again = case.post.alert(dedup_key=case.alert.dedup_key)
    ticket = undo_ticket(case.ticket.id, version=case.ticket.version, **case.who)
    told = taken_back(ticket)
    assert set(told) == {"left"}
    reasons = {one["kind"]: (one["id"], one["reason"]) for one in told["left"]}
    assert reasons["finding"] == (
        case.finding.id, "Another finding of the same is open: go on with that one.",
    )  # fmt: skip
    assert reasons["alert"][0] == case.alert.id
    assert f"Alert {again}" in reasons["alert"][1]
    assert case.fresh(session) == ("ON_HOLD", "RESOLVED", "RESOLVED")
    assert another.status == "NEW"


def test_a_comment_since_does_not_keep_the_ticket_shut(case: Case, session: Session) -> None:
    done = case.end("alert")
    workflow.comment(case.ticket.id, "Really?", user_id=case.user, now=SAID)
    (outcome,) = undo_alerts({case.alert.id: done.change_id}, **case.who)
    assert outcome.taken_back["tickets"] == [case.ticket.id]
    assert case.fresh(session) == ("IN_PROGRESS", "ACKNOWLEDGED", "ASSIGNED")


def test_another_finding_of_the_alert_comes_back_with_the_one_it_ended_with(
    case: Case, make: Make, session: Session
) -> None:
    guard = make.person(case.post.site)
    other = audited.finding(make, guard, case.post.site, alert_id=case.alert.id)
    case.end("finding")
    session.refresh(other)
    assert (other.status, other.resolution_note) == (
        "RESOLVED", f"Alert {case.alert.id} was a false positive.",
    )  # fmt: skip
    told = reopening.reopen(case.finding.id, note="No.", exact=True, **case.who)
    assert told["findings"] == [other.id]
    session.refresh(other)
    assert other.status == "NEW"
    assert other.evidence["reopened"][0]["note"] != "No."
    assert case.fresh(session) == BEFORE


def test_one_of_several_findings_taken_up_leaves_the_others_as_they_are(
    make: Make, session: Session
) -> None:
    site = on_post(make).site
    on_post(make, site)
    cycle(make)
    first, second = session.scalars(select(Finding).order_by(Finding.id)).all()
    ticket = session.scalars(select(Ticket)).one()
    workflow.transition(ticket.id, "RESOLVED", resolution=FALSE, user_id=None, now=SAID)
    reopening.reopen(first.id, note=None, user_id=None, now=BACK)
    for one in (ticket, first, second):
        session.refresh(one)
    assert (ticket.status, first.status, second.status) == ("IN_PROGRESS", "NEW", "RESOLVED")


def test_a_reopening_taken_back_lets_the_word_hold_again(case: Case, session: Session) -> None:
    case.end("ticket")
    workflow.transition(case.ticket.id, "IN_PROGRESS", **case.who)
    undo_ticket(case.ticket.id, version=case.ticket.version, **case.who)
    assert case.fresh(session) == OVER
    assert case.finding.resolved_at == SAID
    workflow.transition(case.ticket.id, "IN_PROGRESS", **case.who)
    assert case.fresh(session) == ("IN_PROGRESS", "ACKNOWLEDGED", "NEW")


def test_many_findings_taken_back_at_once(make: Make, session: Session) -> None:
    site = on_post(make).site
    on_post(make, site)
    cycle(make)
    ids = [one.id for one in session.scalars(select(Finding).order_by(Finding.id))]
    ticket = session.scalars(select(Ticket)).one()
    before = ticket.status
    bulk.resolve_many(ids, FALSE, note=None, user_id=None, now=SAID)
    session.refresh(ticket)
    assert ticket.status == "RESOLVED"
    outcome = reopening.reopen_many(ids, note=None, user_id=None, now=BACK, exact=True)
    session.refresh(ticket)
    assert (outcome.changed, outcome.taken_back) == (ids, {"tickets": [ticket.id]})
    assert ticket.status == before


# -- over REST -------------------------------------------------------------------------------


def test_rest_tells_what_was_taken_back(case: Case, api: ApiClient) -> None:
    ids = {"alert": case.alert.id, "finding": case.finding.id, "ticket": case.ticket.id}
    moved = api.post(
        f"tickets/{ids['ticket']}/transition/", json={"status": "RESOLVED", "resolution": FALSE}
    ).get_json()["data"]
    told = api.post(f"tickets/{ids['ticket']}/undo/", json={"version": moved["version"]})
    assert told.get_json()["data"]["taken_back"] == {
        "findings": [ids["finding"]],
        "alerts": [ids["alert"]],
    }
    api.post(f"alerts/{ids['alert']}/resolve/", json={"resolution": FALSE})
    entry = api.get(f"alerts/{ids['alert']}/").get_json()["data"]["history"][-1]
    told = api.post(f"alerts/{ids['alert']}/undo/", json={"change_id": entry["id"]})
    back = {"findings": [ids["finding"]], "tickets": [ids["ticket"]]}
    assert told.get_json()["data"]["taken_back"] == back
    api.post(f"findings/{ids['finding']}/resolve/", json={"resolution": FALSE})
    told = api.post(f"findings/{ids['finding']}/reopen/", json={"exact": True})
    assert told.get_json()["data"]["taken_back"]["tickets"] == [ids["ticket"]]
    assert api.get(f"tickets/{ids['ticket']}/").get_json()["data"]["status"] == "ON_HOLD"
    body = {"action": "resolve", "ids": [ids["alert"]], "resolution": FALSE}
    (item,) = api.post("alerts/bulk/", json=body).get_json()["data"]["items"]
    wanted = {"action": "undo", "ids": [ids["alert"]], "change_ids": [item["change_id"]]}
    (item,) = api.post("alerts/bulk/", json=wanted).get_json()["data"]["items"]
    assert item["taken_back"] == back


def test_the_finding_keeps_to_itself_what_it_set_off(case: Case, app: Any, make: Make) -> None:
    case.end("finding")
    shown = UserClient(app, make, make.user("viewer")).get(f"findings/{case.finding.id}/")
    assert "set_off" not in shown.get_json()["data"]["evidence"]
