"""What time brings on: off the shelf, out of a window, past an acknowledgement, expired."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jobs import alerts
from noc.alerts import lifecycle
from noc.alerts.lifecycle import acknowledge, shelve
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alerts
from noc.alerts.suppression import windows
from noc.alerts.suppression.models import SuppressionSpan
from noc.alerts.suppression.schemas import SuppressionIn
from noc.database.base import utcnow
from noc.database.tenancy import required_tenant, tenant_context
from noc.identity import tenants
from tests.factories import Make

HOUR = dt.timedelta(hours=1)


def shelved(make: Make, count: int = 1, *, until: dt.datetime) -> None:
    before = until - 2 * HOUR
    reports = [
        AlertInput("DEVICE_OFFLINE", "HIGH", "Gone", before, dedup_key=f"d{number}")
        for number in range(count)
    ]
    user = make.user()
    for alert in process_alerts(reports, now=before):
        shelve(alert.id, until=until, user_id=user.id, now=before)


def statuses(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Alert.status).order_by(Alert.id)))


def test_those_whose_time_is_over_come_back_in_every_tenant(make: Make, session: Session) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    shelved(make, until=utcnow() - HOUR)
    session.commit()
    with tenant_context(session, rival.id):
        shelved(Make(session, rival.id), until=utcnow() - HOUR)
    session.commit()

    assert alerts.unshelve() == 2
    assert statuses(session) == ["NEW"]


def test_those_whose_time_is_to_come_stay(make: Make, session: Session) -> None:
    shelved(make, until=utcnow() + HOUR)
    session.commit()

    assert alerts.unshelve() == 0
    assert statuses(session) == ["SHELVED"]


def test_a_full_shelf_is_cleared_batch_by_batch(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "BATCH", 2)
    shelved(make, 5, until=utcnow() - HOUR)
    session.commit()

    assert alerts.unshelve() == 5
    assert statuses(session) == ["NEW"] * 5


def test_muted_alerts_are_heard_of_in_every_tenant_and_windows_prepared(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "BATCH", 2)
    before = utcnow() - 10 * HOUR
    once = {"starts_at": before - HOUR, "ends_at": before + HOUR}
    nightly = {"rrule": "FREQ=DAILY", "start_time": "02:00", "duration_minutes": 60}
    rival = tenants.create_tenant("rival", "Rival Guarding")
    for tenant_id in (make.tenant_id, rival.id):
        with tenant_context(session, tenant_id):
            for more in ({name: at.isoformat() for name, at in once.items()},
                         {"recurrence": nightly, "timezone": "UTC"}):  # fmt: skip
                body = SuppressionIn.model_validate({"name": "x", "reason": "x", **more})
                windows.create(body, user_id=None, now=before - 20 * 24 * HOUR)
            reports = [AlertInput("X", "LOW", "x", before, dedup_key=f"{n}") for n in range(3)]
            assert all(alert.muted for alert in process_alerts(reports, now=before))
            session.commit()

    assert alerts.unmute() == 6
    assert alerts.unmute() == 0
    ready = session.scalars(select(SuppressionSpan.ends_at)).all()
    assert max(ready) > utcnow() + windows.REFILL
    assert min(ready) > utcnow() - 24 * HOUR


def test_acknowledgements_lapse_and_what_is_not_heard_of_expires(
    make: Make, session: Session
) -> None:
    before = utcnow() - 8 * 24 * HOUR
    reports = [AlertInput("X", "LOW", "x", before, dedup_key=f"{n}") for n in range(2)]
    seen, _ = process_alerts(reports, now=before)
    acknowledge(seen.id, user_id=None, now=utcnow() - 9 * HOUR)
    session.commit()

    assert alerts.lapse() == 1
    assert statuses(session) == ["NEW", "NEW"]
    assert alerts.expire() == 1
    assert statuses(session) == ["NEW", "RESOLVED"]


def test_what_fails_with_one_tenant_keeps_no_other_waiting(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        shelved(Make(session, rival.id), until=utcnow() - HOUR)
    session.commit()
    real = lifecycle.expire_shelved

    def work(*, now: dt.datetime, limit: int) -> int:
        if required_tenant() == make.tenant_id:
            session.execute(text("SELECT 1/0"))
        return real(now=now, limit=limit)

    monkeypatch.setattr(alerts, "expire_shelved", work)
    assert alerts.unshelve() == 1


def test_a_rule_that_cannot_be_read_any_more_keeps_no_other_waiting(
    make: Make, session: Session
) -> None:
    weekly = {"rrule": "FREQ=WEEKLY", "start_time": "10:00", "duration_minutes": 60}
    keys = [
        windows.create(
            SuppressionIn.model_validate(
                {"name": name, "reason": "Works", "recurrence": weekly, "timezone": "UTC"}
            ),
            user_id=None,
            now=utcnow() - 20 * 24 * HOUR,
        )
        for name in ("broken", "sound")
    ]
    session.execute(
        text("UPDATE alert_suppression SET timezone = 'Mars/Olympus' WHERE name = 'broken'")
    )
    session.commit()
    assert windows.prepare(now=utcnow()) == 1
    latest = dict(
        session.execute(
            select(SuppressionSpan.suppression_id, func.max(SuppressionSpan.starts_at)).group_by(
                SuppressionSpan.suppression_id
            )
        ).all()
    )
    assert latest[keys[1]] > utcnow() + 24 * 24 * HOUR > latest[keys[0]]
