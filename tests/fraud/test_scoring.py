"""What follows from a score, and that it follows once."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.attendance.models import AttendanceEvent
from noc.domain import RISK_LEVELS, risk_level
from noc.events.models import EventLog
from noc.extensions import session as current_session
from noc.fraud.features import FEATURES
from noc.fraud.judging import risk_ranks
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.scoring import score_pending, score_punches
from noc.identity.models import TenantSetting
from noc.tickets.models import Ticket, TicketEvidence
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, Guard, score, settled

HOUR = dt.timedelta(hours=1)
NOW = SHIFT_START + HOUR

EVERYTHING = (PredictionLog, AnomalyLog, Alert, Ticket)


def rows(session: Session) -> dict[str, int]:
    return {
        model.__tablename__: session.scalar(select(func.count()).select_from(model)) or 0
        for model in EVERYTHING
    }


def buddy_punch(guard: Guard, at: dt.datetime = SHIFT_START, **values: Any) -> AttendanceEvent:
    """Punched by somebody else on their own phone."""
    colleague = settled(guard.make, guard.site, days=3)
    colleague.punch(at - dt.timedelta(seconds=40), scored_at=at)
    return guard.punch(
        at, device_id=colleague.phone.id, **{"biometric_quality_score": 0.4} | values
    )


def test_a_punch_leaves_its_vector_and_who_scored_it(make: Make, session: Session) -> None:
    punch = settled(make).punch(battery_level=None)

    score(punch)

    prediction = session.scalars(select(PredictionLog)).one()
    assert prediction.model_version == prediction.model_type == "rules"
    assert len(prediction.features) == len(FEATURES)
    assert prediction.features[FEATURES.index("battery_level")] is None
    assert prediction.actual_fraud_detected is None
    session.refresh(punch)
    assert punch.scored_at == punch.occurred_at


def test_a_suspicious_punch_becomes_anomaly_alert_ticket_and_events(
    make: Make, session: Session
) -> None:
    manager = make.user()
    guard = settled(make, make.site(security_manager_id=manager.id))

    scored = score(buddy_punch(guard))

    anomaly = session.scalars(select(AnomalyLog)).one()
    alert = session.scalars(select(Alert)).one()
    ticket = session.scalars(select(Ticket)).one()
    assert (anomaly.alert_id, anomaly.ticket_id) == (alert.id, ticket.id)
    assert (scored.anomaly_id, scored.alert_id, scored.ticket_id) == (
        anomaly.id,
        alert.id,
        ticket.id,
    )
    assert anomaly.fraud_type == "BUDDY_PUNCHING"
    assert anomaly.severity == alert.severity == scored.risk_level == "CRITICAL"

    assert alert.alert_type == "ATTENDANCE_ANOMALY"
    assert (alert.entity_type, alert.entity_id) == ("punch", str(scored.punch_id))
    assert alert.detail["ml_prediction"] == scored.fraud_score
    assert alert.detail["model_version"] == "rules"
    assert set(alert.detail["features"]) == set(FEATURES)

    assert ticket.title == f"[FRAUD ALERT] {guard.person.name} - BUDDY_PUNCHING"
    assert (ticket.priority, ticket.category) == ("HIGH", "SECURITY_FRAUD")
    assert ticket.source == "AUTOMATED_FRAUD"
    assert ticket.assignee_id == manager.id
    assert ticket.detail == {
        "anomaly_log_id": str(anomaly.id),
        "fraud_score": scored.fraud_score,
        "fraud_type": "BUDDY_PUNCHING",
        "auto_created": True,
    }
    session.commit()
    told = session.scalars(select(EventLog.event_type).order_by(EventLog.seq)).all()
    assert sorted(told) == ["alert_created", "anomaly_detected", "ticket_updated"]


def test_the_feed_is_told_of_the_anomaly(make: Make, session: Session) -> None:
    guard = settled(make)
    scored = score(buddy_punch(guard))
    session.commit()

    event = session.scalars(select(EventLog).filter_by(event_type="anomaly_detected")).one()

    assert event.site_id == guard.site.id
    expected = {
        "anomaly_id": str(scored.anomaly_id),
        "person_id": guard.person.id,
        "person_name": guard.person.name,
        "anomaly_type": "BUDDY_PUNCHING",
        "anomaly_types": scored.anomaly_types,
        "fraud_score": scored.fraud_score,
        "severity": "CRITICAL",
        "evidence": [reason["sentence"] for reason in scored.reasons],
    }
    assert expected.items() <= event.payload.items()


def test_without_a_security_manager_the_site_manager_gets_the_ticket(
    make: Make, session: Session
) -> None:
    manager = make.user()
    score(buddy_punch(settled(make, make.site(site_manager_id=manager.id))))

    assert session.scalars(select(Ticket.assignee_id)).one() == manager.id


@pytest.mark.parametrize("include_critical", [True, False])
def test_what_a_suppression_window_mutes_opens_no_ticket(
    make: Make, session: Session, include_critical: bool
) -> None:
    body = SuppressionIn.model_validate(
        {
            "name": "Drill",
            "reason": "Everybody punches for everybody",
            "include_critical": include_critical,
            "starts_at": (SHIFT_START - 12 * HOUR).isoformat(),
            "ends_at": (SHIFT_START + 12 * HOUR).isoformat(),
        }
    )
    windows.create(body, user_id=None, now=SHIFT_START - 12 * HOUR)
    scored = score(buddy_punch(settled(make)))

    assert session.scalars(select(Alert)).one().id == scored.alert_id
    assert session.scalars(select(AnomalyLog)).one().alert_id == scored.alert_id
    assert (scored.ticket_id is None) is include_critical
    assert rows(session)["ticket"] == (0 if include_critical else 1)


def test_a_suspicion_below_the_threshold_opens_no_ticket(make: Make, session: Session) -> None:
    scored = score(settled(make).punch(mock_location=True))

    assert scored.risk_level == "HIGH"
    assert rows(session) == {
        "fraud_prediction_log": 1,
        "attendance_anomaly_log": 1,
        "noc_alert_event": 1,
        "ticket": 0,
    }


def test_the_threshold_is_the_tenants_and_the_sites_own(make: Make, session: Session) -> None:
    strict, lax = settled(make), settled(make)
    name = "fraud_score_ticket_threshold"
    make.row(TenantSetting, {"name": name, "value": 0.65})
    make.row(TenantSetting, {"name": name, "value": 0.99, "site_id": lax.site.id})

    assert score(strict.punch(mock_location=True)).ticket_id is not None
    assert score(lax.punch(mock_location=True)).ticket_id is None


def test_a_second_suspicious_punch_joins_the_open_ticket(make: Make, session: Session) -> None:
    guard = settled(make)
    first = score(buddy_punch(guard), NOW)
    second = score(buddy_punch(guard, SHIFT_START + 8 * HOUR), NOW + 8 * HOUR)

    assert first.ticket_id == second.ticket_id
    linked = session.scalars(select(TicketEvidence.ref).filter_by(kind="punch")).all()
    assert set(linked) == {str(first.punch_id), str(second.punch_id)}


def test_another_type_of_fraud_opens_a_ticket_of_its_own(make: Make) -> None:
    guard = settled(make)
    first = score(buddy_punch(guard))
    replay = guard.punch(SHIFT_START + HOUR, **replayed(guard))

    assert score(replay).fraud_type == "REPLAYED_PUNCH"
    assert score(replay).ticket_id not in (None, first.ticket_id)


def test_after_the_hours_of_deduplication_a_new_ticket_opens(make: Make) -> None:
    guard = settled(make)
    first = score(buddy_punch(guard), NOW)
    later = score(buddy_punch(guard, SHIFT_START + 25 * HOUR), NOW + 25 * HOUR)

    assert later.ticket_id not in (None, first.ticket_id)


def test_scoring_twice_changes_nothing(make: Make, session: Session) -> None:
    punch = buddy_punch(settled(make))
    first = score(punch)
    before = rows(session)

    again = score(punch, NOW + HOUR)

    assert again == first
    assert rows(session) == before


def test_a_punch_whose_mark_was_lost_is_not_recorded_twice(make: Make, session: Session) -> None:
    punch = buddy_punch(settled(make))
    first = score(punch)
    before = rows(session)
    punch.scored_at = None
    session.flush()

    assert score(punch) == first
    assert rows(session) == before


def test_a_voided_punch_is_never_scored(make: Make, session: Session) -> None:
    punch = buddy_punch(settled(make), voided_at=NOW)

    assert score_punches([punch.id], tenant_id=make.tenant_id, now=NOW) == []
    assert session.get_one(AttendanceEvent, (make.tenant_id, punch.id)).scored_at is None


def test_pending_punches_are_taken_in_the_order_of_their_arrival(
    make: Make, session: Session
) -> None:
    guard = settled(make, days=2)
    session.query(AttendanceEvent).update({"scored_at": NOW})
    ids = [guard.punch(SHIFT_START + minute * HOUR / 60).id for minute in (3, 1, 2)]

    assert score_pending(tenant_id=make.tenant_id, now=NOW, limit=2) == 2
    assert set(session.scalars(select(PredictionLog.attendance_event_id))) == set(ids[:2])
    assert score_pending(tenant_id=make.tenant_id, now=NOW, limit=2) == 1
    assert score_pending(tenant_id=make.tenant_id, now=NOW, limit=2) == 0


def test_the_number_of_queries_does_not_grow_with_the_batch(
    make: Make, session: Session, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    small, large = settled(make, days=3), [settled(make, days=3) for _ in range(7)]
    session.query(AttendanceEvent).update({"scored_at": NOW})

    def pending(guards: list[Guard]) -> int:
        for guard in guards:
            guard.punch(mock_location=True, biometric_quality_score=0.4)
        session.flush()
        return query_count(lambda: score_pending(tenant_id=make.tenant_id, now=NOW))

    assert pending([small]) == pending(large)


def test_four_workers_at_once_score_each_punch_once(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        site = make.site()
        guards = [settled(make, site, days=3) for _ in range(6)]
        ids = [buddy_punch(guard).id for guard in guards]
        current_session().commit()

        def work() -> int:
            return len(score_punches(ids, tenant_id=make.tenant_id, now=NOW))

        def sweep() -> int:
            return score_pending(tenant_id=make.tenant_id, now=NOW)

        assert at_once(app, make.tenant_id, [work, work, sweep, sweep])[:2] == [6, 6]

        session = current_session()
        assert score_pending(tenant_id=make.tenant_id, now=NOW) == 0
        counted = session.execute(
            select(AnomalyLog.attendance_event_id, func.count()).group_by(
                AnomalyLog.attendance_event_id
            )
        )
        assert dict(map(tuple, counted)) == dict.fromkeys(ids, 1)
        assert session.scalar(select(func.count()).select_from(Alert)) == 6
        assert session.scalar(select(func.count()).select_from(Ticket)) == 6
        told = session.scalars(select(EventLog.event_type)).all()
        assert told.count("anomaly_detected") == 6
        every = session.scalar(select(func.count()).select_from(AttendanceEvent)) or 0
        # Each colleague's own punch was marked as scored from the start.
        scored = session.scalar(select(func.count()).select_from(PredictionLog))
        assert scored == every - len(guards)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (0.0, "MINIMAL"),
        (math.nextafter(0.2, 0), "MINIMAL"),
        (0.2, "LOW"),
        (math.nextafter(0.4, 0), "LOW"),
        (0.4, "MEDIUM"),
        (math.nextafter(0.6, 0), "MEDIUM"),
        (0.6, "HIGH"),
        (math.nextafter(0.8, 0), "HIGH"),
        (0.8, "CRITICAL"),
        (1.0, "CRITICAL"),
    ],
)
def test_risk_levels_begin_at_their_bound(value: float, level: str) -> None:
    assert risk_level(value) == level
    assert RISK_LEVELS[risk_ranks(np.array([value]))[0]] == level


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_what_is_no_score_has_no_level(value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        risk_level(value)


def replayed(guard: Guard) -> dict[str, Any]:
    """The payload of a punch of the guard's, to send again."""
    old = guard.punch(SHIFT_START - 50 * HOUR)
    return {
        name: getattr(old, name)
        for name in (
            "lat",
            "lon",
            "gps_accuracy",
            "biometric_quality_score",
            "phone_signal_strength",
            "battery_level",
        )
    }
