"""A punch that is voided takes back what was said of it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.alerts.models import Alert, AlertChange
from noc.attendance.voiding import void_punch
from noc.fraud.scoring import PunchScore
from noc.tickets.models import Ticket, TicketEvent
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, score, settled

NOW = SHIFT_START + dt.timedelta(hours=2)


def spoofed(make: Make) -> PunchScore:
    guard = settled(make)
    centre = {"lat": guard.site.lat, "lon": guard.site.lon, "gps_accuracy": 2.0}
    scored = score(guard.punch(mock_location=True, **centre))
    assert scored.alert_id
    assert scored.ticket_id
    return scored


def void(scored: PunchScore, user_id: int | None = None) -> None:
    void_punch(scored.punch_id, reason="Wrong guard", user_id=user_id, now=NOW)


def alert_of(make: Make, scored: PunchScore) -> Alert:
    alert = make.session.get_one(Alert, (make.tenant_id, scored.alert_id))
    make.session.refresh(alert)
    return alert


def test_its_alert_is_over_and_says_on_whose_word(make: Make, session: Session) -> None:
    scored, user = spoofed(make), make.user()

    void(scored, user.id)

    alert = alert_of(make, scored)
    assert (alert.status, alert.resolution) == ("RESOLVED", "EXPIRED")
    assert alert.resolved_by == user.id
    notes = session.scalars(select(AlertChange.note).where(AlertChange.action == "resolve"))
    assert notes.one() == f"Punch {scored.punch_id} was voided: Wrong guard"


def test_its_ticket_stays_open_and_says_so(make: Make, session: Session) -> None:
    scored = spoofed(make)

    void(scored)

    ticket = session.get_one(Ticket, (make.tenant_id, scored.ticket_id))
    assert ticket.status in ("NEW", "ASSIGNED")
    comments = session.scalars(select(TicketEvent.comment).where(TicketEvent.action == "comment"))
    assert comments.all() == [f"Punch {scored.punch_id} was voided: Wrong guard"]


def test_what_people_decided_before_stays(make: Make) -> None:
    scored, user = spoofed(make), make.user()
    assert scored.alert_id
    lifecycle.resolve(scored.alert_id, resolution="CONFIRMED", user_id=user.id, now=NOW)

    void(scored)

    assert alert_of(make, scored).resolution == "CONFIRMED"


def test_a_punch_that_nothing_was_said_of_is_just_voided(make: Make, session: Session) -> None:
    scored = score(settled(make).punch())

    void(scored)

    assert session.scalars(select(Alert.id)).all() == []
