"""The weekly watch as a job: every tenant, and one that fails holds up no other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobs import watching
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.fraud.watching import drift
from noc.identity import tenants
from noc.monitoring import metrics
from tests.factories import Make
from tests.fraud.watching.conftest import serve


@pytest.fixture
def rival(make: Make, session: Session) -> Make:
    """Another tenant; both had a punch scored two days ago."""
    before = utcnow() - dt.timedelta(days=2)
    other = tenants.create_tenant("rival", "Rival Guarding")
    serve(make, [before], [0.1])
    session.commit()
    with tenant_context(session, other.id):
        theirs = Make(session, other.id)
        serve(theirs, [before], [0.1])
        session.commit()
    return theirs


@pytest.mark.usefixtures("rival")
def test_every_tenant_is_watched_once_a_week() -> None:
    assert watching.watch_models() == 2
    assert watching.watch_models() == 0


def test_a_tenant_that_fails_holds_up_no_other(
    rival: Make, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = drift.watch
    failures = metrics.FAILURES.labels("model_watch")
    before = failures._value.get()

    def failing(*, tenant_id: int, now: dt.datetime) -> Any:
        if tenant_id == min(rival.tenant_id, make.tenant_id):
            raise ValueError("numbers that are none")
        return original(tenant_id=tenant_id, now=now)

    monkeypatch.setattr(drift, "watch", failing)
    assert watching.watch_models() == 1
    assert failures._value.get() == before + 1
