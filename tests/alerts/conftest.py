"""Alerts to work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.database.tenancy import tenant_context
from noc.events.models import EventLog
from noc.identity import tenants
from tests.factories import NOW, Make

Raise = Callable[..., Alert]
Told = Callable[[], list[tuple[str, dict[str, Any]]]]


def report(**values: Any) -> AlertInput:
    """A monitor's report that a door stands open."""
    defaults: dict[str, Any] = {
        "alert_type": "DOOR_OPEN",
        "severity": "MEDIUM",
        "message": "The back door stands open",
        "occurred_at": NOW,
    }
    return AlertInput(**(defaults | values))


@pytest.fixture
def raised(session: Session, make: Make) -> Raise:
    """Raises an alert and returns it."""

    def raise_alert(**values: Any) -> Alert:
        processed = process_alert(report(**values), now=NOW)
        return session.get_one(Alert, (make.tenant_id, processed.id))

    return raise_alert


@pytest.fixture
def rivals_alert(session: Session, make: Make) -> int:
    """The id of another tenant's alert."""
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        alert_id = process_alert(report(), now=NOW).id
        session.commit()
    return alert_id


@pytest.fixture
def told(session: Session, make: Make) -> Told:
    """What the feed was told so far, once what is open is committed."""

    def events() -> list[tuple[str, dict[str, Any]]]:
        session.commit()
        rows = session.query(EventLog).order_by(EventLog.seq)
        return [(row.event_type, row.payload) for row in rows]

    return events
