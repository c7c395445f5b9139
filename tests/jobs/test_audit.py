"""The audit as jobs: tenant by tenant, and one that fails keeps no other waiting."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import audit
from noc.audit import cycle
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants
from noc.monitoring import metrics
from tests.audit.conftest import HOUR, on_post
from tests.factories import Make


@pytest.fixture
def rival(make: Make, session: Session) -> Make:
    """Another tenant, with a silent guard like the first one's."""
    other = tenants.create_tenant("rival", "Rival Guarding")
    on_post(make, since=utcnow() - 3 * HOUR)
    session.commit()
    with tenant_context(session, other.id):
        theirs = Make(session, other.id)
        on_post(theirs, since=utcnow() - 3 * HOUR)
        session.commit()
    return theirs


@pytest.mark.parametrize("work", [audit.heartbeat, audit.comprehensive])
def test_every_tenant_is_audited_once(rival: Make, session: Session, work: Any) -> None:
    assert work() == 2
    assert work() == 0
    assert len(session.scalars(select(Finding.id)).all()) == 1


def test_a_tenant_that_fails_keeps_no_other_waiting(
    rival: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = cycle.run
    failures = metrics.FAILURES.labels("audit_heartbeat")
    before = failures._value.get()

    def failing(*args: Any, **kwargs: Any) -> Any:
        if kwargs["tenant_id"] == rival.tenant_id:
            raise ValueError("a site in no zone")
        return original(*args, **kwargs)

    monkeypatch.setattr(cycle, "run", failing)

    assert audit.heartbeat() == 1
    assert failures._value.get() == before + 1


def test_tuning_goes_over_every_tenant(rival: Make) -> None:
    assert audit.tune_baselines() == 0
