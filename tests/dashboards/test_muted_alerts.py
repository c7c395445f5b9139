"""An alert that a suppression window mutes says so wherever it is shown."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from noc.alerts.process import AlertInput, process_alerts
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.database.base import utcnow
from tests.dashboards.conftest import Reader
from tests.dashboards.test_pages import alert_list, drawer
from tests.factories import Make

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def alert(make: Make, session: Session) -> int:
    """A door that is open during works on the doors."""
    now = utcnow()
    wanted = {
        "name": "Works on the doors",
        "reason": "New locks",
        "starts_at": now - HOUR,
        "ends_at": now + 2 * HOUR,
        "alert_types": ["DOOR_OPEN"],
    }
    windows.create(SuppressionIn.model_validate(wanted), user_id=None, now=now)
    reports = [
        AlertInput("DOOR_OPEN", "HIGH", "Door open", now),
        AlertInput("DOOR_BROKEN", "HIGH", "Door broken", now),
    ]
    muted, _ = process_alerts(reports, now=now)
    return muted.id


def test_the_drawer_names_the_window_and_its_end(reader: Reader, alert: int) -> None:
    text = drawer(reader, f"alert:{alert}").text
    assert "Muted" in text
    assert "“Works on the doors”, over " in text or "\\u201cWorks on the doors\\u201d" in text


def test_the_list_greys_it_and_narrows_to_it(reader: Reader, alert: int) -> None:
    everything = alert_list(reader, state="open").text
    assert '"muted":true' in everything.replace(" ", "")
    assert "Door broken" in everything
    muted = alert_list(reader, state="MUTED").text
    assert "Door open" in muted
    assert "Door broken" not in muted
