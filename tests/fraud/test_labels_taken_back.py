"""A ticket's resolution taken back takes back the verdicts that it gave, and no others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.fraud.models import PredictionLog
from noc.fraud.review.labelling import Said, Verdict, label, take_back
from noc.fraud.scoring import PunchScore
from noc.tickets import workflow
from noc.tickets.models import Ticket
from noc.tickets.undoing import taken_back, undo
from tests.factories import Make
from tests.fraud.test_labels import NOW, resolve, two_on_one_ticket, verdicts

LATER = NOW + dt.timedelta(minutes=1)
_LABEL = (
    "actual_fraud_detected", "label_source", "labelled_at", "labelled_by", "labelled_as",
    "label_note", "overruled",
)  # fmt: skip


def standing(session: Session, punch_id: int) -> dict[str, Any]:
    session.expire_all()
    row = session.scalars(select(PredictionLog).filter_by(attendance_event_id=punch_id)).one()
    return {name: getattr(row, name) for name in _LABEL}


def review(make: Make, session: Session, punch: PunchScore, verdict: Verdict, **more: Any) -> None:
    key = session.scalars(
        select(PredictionLog.id).filter_by(attendance_event_id=punch.punch_id)
    ).one()
    asked = {"user_id": make.user().id, "now": LATER} | more
    (outcome,) = label(
        [Said(key, verdict, "A note.")], tenant_id=make.tenant_id, site_ids=None, **asked
    )
    assert outcome in ("labelled", "inconclusive")


def back(make: Make, session: Session, punch: PunchScore) -> dict[str, Any]:
    assert punch.ticket_id is not None
    ticket = session.get_one(Ticket, (make.tenant_id, punch.ticket_id), populate_existing=True)
    undo(ticket.id, version=ticket.version, user_id=None, now=LATER)
    return taken_back(ticket)


@pytest.mark.parametrize("resolution", ["CONFIRMED", "FALSE_POSITIVE"])
@pytest.mark.parametrize("way", ["undo", "reopen"])
def test_its_verdicts_go_with_the_resolution(
    make: Make, session: Session, resolution: str, way: str
) -> None:
    first, second = two_on_one_ticket(make)
    before = [standing(session, one.punch_id) for one in (first, second)]
    resolve(make, first.ticket_id, resolution, verdicts={second.punch_id: "CONFIRMED"})
    if way == "undo":
        told = back(make, session, first)
    else:
        assert first.ticket_id is not None
        told = taken_back(
            workflow.transition(first.ticket_id, "IN_PROGRESS", user_id=None, now=LATER)
        )
    assert told == {"labels": sorted([first.punch_id, second.punch_id])}
    assert [standing(session, one.punch_id) for one in (first, second)] == before


def test_what_holds_of_review_before_holds_again(make: Make, session: Session) -> None:
    first, second = two_on_one_ticket(make)
    review(make, session, first, "FALSE_POSITIVE")
    review(make, session, second, "INCONCLUSIVE")
    before = [standing(session, one.punch_id) for one in (first, second)]
    assert before[0]["label_note"] == "A note."
    resolve(make, first.ticket_id, "CONFIRMED")
    assert verdicts(session) == {first.punch_id: True, second.punch_id: True}
    back(make, session, first)
    assert [standing(session, one.punch_id) for one in (first, second)] == before


def test_what_a_person_said_in_review_since_stays(make: Make, session: Session) -> None:
    first, second = two_on_one_ticket(make)
    resolve(make, first.ticket_id, "CONFIRMED")
    review(make, session, first, "FALSE_POSITIVE")
    told = back(make, session, first)
    assert told["labels"] == [second.punch_id]
    (kept,) = told["left"]
    assert (kept["kind"], kept["id"]) == ("label", first.punch_id)
    assert "in review since" in kept["reason"]
    assert verdicts(session) == {first.punch_id: False, second.punch_id: None}

    key = session.scalars(
        select(PredictionLog.id).filter_by(attendance_event_id=first.punch_id)
    ).one()
    take_back(key, tenant_id=make.tenant_id, site_ids=None)
    assert verdicts(session)[first.punch_id] is None, "the ticket's verdict is gone for good"


def test_a_review_before_the_ticket_is_no_more_once_another_overruled_both(
    make: Make, session: Session
) -> None:
    first, _ = two_on_one_ticket(make)
    review(make, session, first, "FALSE_POSITIVE")
    resolve(make, first.ticket_id, "CONFIRMED")
    review(make, session, first, "FALSE_POSITIVE")
    back(make, session, first)
    held = standing(session, first.punch_id)
    assert (held["actual_fraud_detected"], held["overruled"]) == (False, None)


def test_a_review_of_the_ticket_gives_way_to_it_with_all_it_had_overruled(
    make: Make, session: Session
) -> None:
    first, _ = two_on_one_ticket(make)
    review(make, session, first, "FALSE_POSITIVE")
    before = standing(session, first.punch_id)
    resolve(make, first.ticket_id, "CONFIRMED")
    review(make, session, first, "FALSE_POSITIVE")
    key = session.scalars(
        select(PredictionLog.id).filter_by(attendance_event_id=first.punch_id)
    ).one()
    take_back(key, tenant_id=make.tenant_id, site_ids=None)
    assert verdicts(session)[first.punch_id] is True
    back(make, session, first)
    assert standing(session, first.punch_id) == before


def test_a_reopening_taken_back_gives_the_verdicts_again_since_when_they_were(
    make: Make, session: Session
) -> None:
    first, _ = two_on_one_ticket(make)
    resolve(make, first.ticket_id, "CONFIRMED")
    given = standing(session, first.punch_id)
    assert first.ticket_id is not None
    workflow.transition(first.ticket_id, "IN_PROGRESS", user_id=None, now=LATER)
    assert verdicts(session)[first.punch_id] is None
    assert back(make, session, first) == {}
    assert standing(session, first.punch_id) == given
    workflow.transition(first.ticket_id, "IN_PROGRESS", user_id=None, now=LATER)
    assert verdicts(session)[first.punch_id] is None


def test_of_a_ticket_resolved_twice_only_the_last_word_is_taken_back(
    make: Make, session: Session
) -> None:
    first, _ = two_on_one_ticket(make)
    resolve(make, first.ticket_id, "CONFIRMED")
    assert first.ticket_id is not None
    workflow.transition(first.ticket_id, "IN_PROGRESS", user_id=None, now=LATER)
    workflow.transition(
        first.ticket_id, "RESOLVED", resolution="INCONCLUSIVE", user_id=None, now=LATER
    )
    review(make, session, first, "CONFIRMED")
    assert back(make, session, first) == {}
    assert verdicts(session)[first.punch_id] is True
