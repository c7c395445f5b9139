"""Upkeep finds what was missed and prepares what is coming."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobs import maintenance
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import queue
from noc.fraud.models import BehavioralProfile
from noc.identity import tenants
from tests.factories import Make
from tests.fraud.stories import newcomer

MINUTE = dt.timedelta(minutes=1)


def test_the_sweep_asks_for_tenants_whose_punches_wait_too_long(make: Make) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(make.session, rival.id):
        newcomer(Make(make.session, rival.id)).punch(received_at=utcnow())
    newcomer(make).punch(received_at=utcnow() - MINUTE)
    make.session.commit()

    assert maintenance.sweep() == 1
    assert [job.args for job in queue("scoring").jobs] == [[make.tenant_id]]


def test_the_sweep_leaves_scored_and_voided_punches_alone(make: Make) -> None:
    guard, old = newcomer(make), utcnow() - MINUTE
    guard.punch(received_at=old, scored_at=old)
    guard.punch(received_at=old, voided_at=old)
    make.session.commit()

    assert maintenance.sweep() == 0


def test_profiles_of_every_tenant_are_refreshed(make: Make, session: Session) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    newcomer(make).punch(utcnow() - MINUTE)
    with tenant_context(session, rival.id):
        newcomer(Make(session, rival.id)).punch(utcnow() - MINUTE)
    session.commit()

    assert maintenance.refresh_profiles() == 2
    assert len(session.scalars(select(BehavioralProfile)).all()) == 1


def test_a_tenant_whose_refresh_fails_does_not_keep_the_others_waiting(
    make: Make, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    broken = newcomer(make, make.site(timezone="Nowhere/Town"))
    broken.punch(utcnow() - MINUTE)
    with tenant_context(session, rival.id):
        newcomer(Make(session, rival.id)).punch(utcnow() - MINUTE)
    session.commit()

    assert maintenance.refresh_profiles() == 1
    assert "profiles_not_refreshed" in caplog.text


def test_the_coming_months_have_their_partitions(make: Make, session: Session) -> None:
    maintenance.prepare_partitions()

    coming = {f"{utcnow() + dt.timedelta(days=days):%Y%m}" for days in (0, 31, 62)}
    tables = session.scalars(
        text("SELECT right(relname, 6) FROM pg_class WHERE relname LIKE 'location\\_update\\_p%'")
    )
    assert coming <= set(tables)
