"""Shelved alerts come back by themselves."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import alerts
from noc.alerts.lifecycle import shelve
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alerts
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
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
