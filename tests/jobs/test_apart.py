"""A job that goes over all tenants goes on where it fails with one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobs import maintenance, notifications, on_call, tickets
from noc.database.tenancy import required_tenant
from noc.identity import tenants
from tests.factories import Make


@pytest.mark.parametrize(
    ("job", "where", "work", "answer"),
    [
        (tickets.mark_overdue, tickets.lateness, "mark_overdue", 0),
        (on_call.escalate, on_call.escalation, "take_next", None),
        (notifications.sweep, notifications.outbox, "due_routes", []),
        (notifications.tidy, notifications.deliveries, "forget_old", 0),
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
