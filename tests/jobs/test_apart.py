"""A job that goes over all tenants goes on where it fails with one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from jobs import maintenance, notifications, on_call, tickets
from noc.database.tenancy import required_tenant, tenant_context
from noc.identity import tenants
from noc.identity.models import Tenant
from tests.factories import Make


@pytest.mark.parametrize(
    ("job", "where", "work", "answer"),
    [
        (tickets.mark_overdue, tickets.lateness, "mark_overdue", 0),
        (on_call.escalate, on_call.escalation, "take_next", None),
        (notifications.sweep, notifications.outbox, "due_routes", []),
        (notifications.tidy, notifications.retention, "forget_old", 0),
        (maintenance.refresh_profiles, maintenance.profiles, "refresh_profiles", 0),
        (maintenance.forget_events, maintenance, "forget_batch", 0),
    ],
)
def test_what_the_database_refuses_of_one_tenant_keeps_no_other_waiting(
    make: Make,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    job: Callable[[], int],
    where: Any,
    work: str,
    answer: Any,
) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    session.commit()
    served = []

    def refused(*_: Any, **__: Any) -> Any:
        served.append(required_tenant())
        if required_tenant() == make.tenant_id:
            session.execute(text("SELECT 1/0"))
        return answer

    monkeypatch.setattr(where, work, refused)
    assert job() == 0
    assert served == [make.tenant_id, rival.id]


@pytest.mark.parametrize(
    ("job", "where", "work", "both"),
    [
        (notifications.tidy, notifications.retention, "forget_old", True),
        (maintenance.forget_events, maintenance, "forget_batch", True),
        (tickets.mark_overdue, tickets.lateness, "mark_overdue", False),
    ],
)
def test_what_only_removes_is_done_for_inactive_tenants_too(
    make: Make,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    job: Callable[[], int],
    where: Any,
    work: str,
    both: bool,
) -> None:
    """In batches until nothing is left."""
    gone = tenants.create_tenant("gone", "Gone Guarding")
    with tenant_context(session, gone.id):
        session.execute(update(Tenant).where(Tenant.id == gone.id).values(active=False))
    session.commit()
    monkeypatch.setattr("jobs.batches.PAUSE_SECONDS", 0)
    served: list[int] = []

    def noted(*_: Any, **__: Any) -> int:
        served.append(required_tenant())
        return 1 if both and served.count(required_tenant()) < 3 else 0

    monkeypatch.setattr(where, work, noted)
    assert job() == (4 if both else 0)
    assert served == ([make.tenant_id] * 3 + [gone.id] * 3 if both else [make.tenant_id])
