"""The first simulated company has somebody on call, and tells nobody outside of the machine."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from sqlalchemy import func, select

from noc.alerts.dedup import AlertInput
from noc.alerts.models import AlertChange
from noc.alerts.process import process_alert
from noc.database.tenancy import tenant_context
from noc.demo import marks
from noc.events.log import _before_commit
from noc.extensions import session
from noc.identity.models import User
from noc.notifications.models import NotificationDelivery
from noc.oncall import duty, escalation
from noc.oncall.models import AlertEscalation, EscalationPolicy, OnCallSchedule
from tests.demo.conftest import NOW

Small = list[marks.Simulated]


def test_one_company_has_a_schedule_and_a_policy_and_nothing_of_the_past_escalates(
    small_world: Small,
) -> None:
    found = {}
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            found[one.tenant.slug] = tuple(
                session().scalar(select(func.count()).select_from(model)) or 0
                for model in (OnCallSchedule, EscalationPolicy, AlertEscalation)
            )
        session().rollback()
    assert found == {"sentinel": (1, 1, 0), "northwatch": (0, 0, 0), "harbor": (0, 0, 0)}


def test_what_nobody_answers_is_told_in_the_history_and_makes_no_noise(
    small_world: Small, caplog: pytest.LogCaptureFixture
) -> None:
    sentinel = next(one for one in small_world if one.tenant.slug == "sentinel")
    minute = dt.timedelta(minutes=1)
    with tenant_context(session(), sentinel.tenant.id), caplog.at_level(logging.WARNING):
        (on_call,) = duty.on_call_now(NOW + 5 * minute)
        alert = process_alert(AlertInput("SOS", "CRITICAL", "Help", NOW, dedup_key="x"), now=NOW)
        session().flush()
        # Committed nowhere: what a commit would hand out is handed out here.
        _before_commit(session())
        outcomes = {}
        for after in range(30):
            while done := escalation.take_next(now=NOW + after * minute):
                outcomes[after] = done.outcome
        told = session().scalars(
            select(AlertChange.note)
            .where(AlertChange.alert_id == alert.id, AlertChange.note.is_not(None))
            .order_by(AlertChange.id)
        )
        manager = session().scalar(select(User.name).where(User.email == "manager@sentinel.demo"))
        assert outcomes == {5: "told", 15: "told", 20: "exhausted"}
        assert list(told) == [
            f"Critical alerts, step 1: told {on_call['user_name']}.",
            f"Critical alerts, step 2: told {manager}.",
            "Critical alerts has come to its end, and nobody answered.",
        ]
        assert session().scalar(select(func.count()).select_from(NotificationDelivery)) == 0
        session().rollback()
    assert caplog.records == []
