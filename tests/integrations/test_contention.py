"""A webhook's group, and people who act on the same alerts."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.database.base import utcnow
from noc.extensions import session
from noc.integrations import alertmanager
from noc.integrations.schemas import AlertmanagerIn
from tests.conftest import Services
from tests.crowd import PATIENCE_SECONDS, at_once, committed_tenant, until_somebody_waits
from tests.integrations.test_alertmanager import alert, group


def test_a_group_and_whoever_acts_on_its_alerts_do_not_deadlock(
    app: APIFlask, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, half_done = alertmanager._raise, threading.Event()

    def raise_later(*arguments: Any) -> Any:
        half_done.set()
        until_somebody_waits()
        return real(*arguments)

    with committed_tenant(app, services) as make:
        body = AlertmanagerIn.model_validate(group(alert("a"), alert("b")))
        alertmanager.take_group(body, now=utcnow())
        session().commit()
        keys = list(session().scalars(select(Alert.id).order_by(Alert.dedup_key)))
        session().rollback()
        monkeypatch.setattr(alertmanager, "_raise", raise_later)
        more = AlertmanagerIn.model_validate(group(alert("b", status="resolved"), alert("a")))

        def receive() -> list[str]:
            items = alertmanager.take_group(more, now=utcnow())["items"]
            return [item["status"] for item in items]

        def acknowledge() -> list[str]:
            assert half_done.wait(PATIENCE_SECONDS)
            outcomes = take(Step("acknowledge", utcnow()), keys)
            return [one.alert.status if one.alert else "" for one in outcomes]

        answers = at_once(app, make.tenant_id, [receive, acknowledge])
        assert answers == [["resolved", "duplicate"], ["ACKNOWLEDGED", ""]]
