"""Resolving a fraud ticket gives its punches their verdict."""

from __future__ import annotations

import datetime as dt

import pytest
from apiflask import APIFlask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from noc.extensions import session as current_session
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog
from noc.fraud.review.labelling import Said, Verdict, label
from noc.fraud.scoring import PunchScore
from noc.tickets.workflow import TicketDraft, open_once, transition
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, Guard, score, settled

NOW = SHIFT_START + dt.timedelta(hours=2)


def two_on_one_ticket(make: Make) -> tuple[PunchScore, PunchScore]:
    guard = settled(make)
    first = score(mocked(guard, SHIFT_START))
    second = score(mocked(guard, SHIFT_START + dt.timedelta(hours=1)))
    assert first.ticket_id is not None
    assert first.ticket_id == second.ticket_id
    return first, second


def mocked(guard: Guard, at: dt.datetime):  # type: ignore[no-untyped-def]
    centre = {"lat": guard.site.lat, "lon": guard.site.lon, "gps_accuracy": 2.0}
    return guard.punch(at, mock_location=True, **centre)


def verdicts(session: Session) -> dict[int, bool | None]:
    session.expire_all()
    rows = session.scalars(select(PredictionLog))
    return {row.attendance_event_id: row.actual_fraud_detected for row in rows}


def resolve(make: Make, ticket_id: int | None, resolution: str, **kwargs: object) -> None:
    assert ticket_id is not None
    transition(
        ticket_id, "RESOLVED", user_id=make.user().id, now=NOW, resolution=resolution, **kwargs
    )


@pytest.mark.parametrize(
    ("resolution", "verdict"),
    [
        ("CONFIRMED", True),
        ("FALSE_POSITIVE", False),
        ("INCONCLUSIVE", None),
        ("DUPLICATE", None),
    ],
)
def test_the_resolution_is_the_verdict_on_every_punch(
    make: Make, session: Session, resolution: str, verdict: bool | None
) -> None:
    first, second = two_on_one_ticket(make)

    resolve(make, first.ticket_id, resolution)

    assert verdicts(session) == {first.punch_id: verdict, second.punch_id: verdict}


def test_the_note_of_another_verdict_goes_with_it(make: Make, session: Session) -> None:
    first, _ = two_on_one_ticket(make)
    session.execute(
        update(PredictionLog).values(
            actual_fraud_detected=False, label_source="review", labelled_at=NOW, label_note="Fine."
        )
    )

    resolve(make, first.ticket_id, "CONFIRMED")

    note = session.scalar(
        select(PredictionLog.label_note).where(PredictionLog.attendance_event_id == first.punch_id)
    )
    assert note is None


def test_tickets_and_reviews_at_once_wait_for_each_other(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        guard = settled(make, days=3)
        times = [SHIFT_START + n * dt.timedelta(minutes=1) for n in range(40)]
        punches = [score(guard.punch(at)).punch_id for at in times]
        ids = {
            row.attendance_event_id: row.id
            for row in current_session().scalars(select(PredictionLog))
        }
        current_session().commit()

        def by_ticket(fraud: bool) -> int:
            return label_punches(
                dict.fromkeys(reversed(punches), fraud),
                tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOW,
            )  # fmt: skip

        def by_review(verdict: Verdict) -> int:
            said = [Said(ids[punch], verdict) for punch in reversed(punches)]
            outcome = label(said, tenant_id=make.tenant_id, site_ids=None, user_id=None, now=NOW)
            return len(outcome)

        works = [
            lambda: by_ticket(True), lambda: by_review("FALSE_POSITIVE"),
            lambda: by_ticket(False), lambda: by_review("CONFIRMED"),
        ]  # fmt: skip
        at_once(app, make.tenant_id, works * 3)

        said = current_session().execute(
            select(PredictionLog.actual_fraud_detected, PredictionLog.label_source)
            .where(PredictionLog.attendance_event_id.in_(punches)).distinct()
        ).all()  # fmt: skip
        assert len(said) == 1


def test_the_resolver_can_differ_punch_by_punch(make: Make, session: Session) -> None:
    first, second = two_on_one_ticket(make)

    resolve(make, first.ticket_id, "CONFIRMED", verdicts={second.punch_id: "FALSE_POSITIVE"})

    assert verdicts(session) == {first.punch_id: True, second.punch_id: False}


def test_a_label_says_who_when_and_from_where(make: Make, session: Session) -> None:
    first, _ = two_on_one_ticket(make)
    user = make.user()

    transition(first.ticket_id, "RESOLVED", user_id=user.id, now=NOW, resolution="CONFIRMED")  # type: ignore[arg-type]

    row = session.scalars(select(PredictionLog).filter_by(attendance_event_id=first.punch_id)).one()
    session.refresh(row)
    assert (row.label_source, row.labelled_at, row.labelled_by) == ("ticket", NOW, user.id)


def test_a_ticket_of_another_kind_labels_nothing(make: Make, session: Session) -> None:
    scored = score(settled(make).punch())
    draft = TicketDraft(
        "Radio broken", "", "LOW", "OTHER", "MANUAL", evidence=[("punch", str(scored.punch_id))]
    )
    ticket = open_once([draft], now=NOW)[0]

    resolve(make, ticket.ticket_id, "CONFIRMED")

    assert verdicts(session) == {scored.punch_id: None}


def test_the_same_verdict_again_keeps_the_moment_it_was_first_known(
    make: Make, session: Session
) -> None:
    punch_id = score(settled(make).punch()).punch_id

    def label(fraud: bool, hours: int) -> int:
        now = NOW + dt.timedelta(hours=hours)
        return label_punches(
            {punch_id: fraud}, tenant_id=make.tenant_id, source="review", labelled_by=None, now=now
        )

    assert [label(True, 0), label(True, 1), label(False, 2)] == [1, 0, 1]
    row = session.scalars(select(PredictionLog)).one()
    session.refresh(row)
    assert row.actual_fraud_detected is False
    assert row.labelled_at == NOW + dt.timedelta(hours=2)


def test_a_label_has_a_known_source(make: Make) -> None:
    with pytest.raises(ValueError, match="not 'gossip'"):
        label_punches(
            {1: True}, tenant_id=make.tenant_id, source="gossip", labelled_by=None, now=NOW
        )


def test_a_punch_that_was_never_scored_takes_no_label(make: Make) -> None:
    punch = settled(make).punch()

    changed = label_punches(
        {punch.id: True}, tenant_id=make.tenant_id, source="review", labelled_by=None, now=NOW
    )

    assert changed == 0
