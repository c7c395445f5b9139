"""The daily draw as a job: tenant by tenant, and one that fails keeps no other waiting."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import review
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.fraud.review import audits
from noc.fraud.review.models import AuditDraw
from noc.identity import tenants
from noc.monitoring import metrics
from tests.factories import Make
from tests.fraud.review.population import DAY, punches


@pytest.fixture
def rival(make: Make, session: Session) -> Make:
    """Another tenant; both have punches of yesterday and of the day before."""
    other = tenants.create_tenant("rival", "Rival Guarding")
    days = [(utcnow() - ago * DAY).date() for ago in (1, 2)]
    for day in days:
        punches(make, [0.1] * 30, day=day)
    session.commit()
    with tenant_context(session, other.id):
        theirs = Make(session, other.id)
        for day in days:
            punches(theirs, [0.1] * 30, day=day)
        session.commit()
    return theirs


def test_every_tenants_days_are_drawn_once(rival: Make, session: Session) -> None:
    assert review.draw_audits() == 8
    assert review.draw_audits() == 0
    assert len(session.scalars(select(AuditDraw.attendance_event_id)).all()) == 4


@pytest.mark.parametrize("failing", ["mine", "theirs"])
def test_a_tenant_that_fails_keeps_no_other_waiting(
    rival: Make, make: Make, session: Session, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    original = audits.draw_missing
    failures = metrics.FAILURES.labels("audit_draw")
    before = failures._value.get()
    broken = make.tenant_id if failing == "mine" else rival.tenant_id

    def work(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        if kwargs["tenant_id"] == broken:
            raise ValueError("after the draw")
        return made

    monkeypatch.setattr(review, "draw_missing", work)

    assert review.draw_audits() == 4
    assert failures._value.get() == before + 1
    # What was half done is undone, and the next run does it.
    monkeypatch.setattr(review, "draw_missing", original)
    assert review.draw_audits() == 4
