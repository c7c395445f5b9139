"""A call for help from a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.sos import raise_sos_alerts
from noc.telemetry.announcements import sos_received
from noc.workforce.models import Person, Shift
from tests.alerts.conftest import Told
from tests.factories import NOW, Make

HOUR = dt.timedelta(hours=1)


def call(person: Person, external_id: str = "s1", **values: Any) -> dict[str, Any]:
    """What telemetry announces of one signal."""
    event = {"person_id": person.id, "occurred_at": NOW, "external_id": external_id}
    return event | {"lat": 19.08, "lon": 72.88} | values


def announce(make: Make, *events: dict[str, Any]) -> None:
    sos_received.send("telemetry", tenant_id=make.tenant_id, events=list(events), now=NOW)


def alerts(session: Session) -> list[Alert]:
    return list(session.scalars(select(Alert).order_by(Alert.id)))


def test_a_call_for_help_is_a_critical_alert_at_once(
    session: Session, make: Make, told: Told
) -> None:
    site = make.site()
    guard = make.person(site, name="Ravi")
    announce(make, call(guard))
    (alert,) = alerts(session)
    assert (alert.alert_type, alert.severity, alert.status) == ("SOS", "CRITICAL", "NEW")
    assert alert.message == "Ravi called for help"
    assert (alert.person_id, alert.site_id) == (guard.id, site.id)
    assert alert.detail == {"external_id": "s1", "lat": 19.08, "lon": 72.88}
    assert told()[0][1]["person_name"] == "Ravi"


def test_each_call_is_an_alert_and_a_call_told_twice_is_one(session: Session, make: Make) -> None:
    first, second = make.person(), make.person()
    announce(make, call(first), call(second), call(first, "s2"))
    announce(make, call(first))
    raised = alerts(session)
    assert sorted(alert.person_id or 0 for alert in raised) == [first.id, first.id, second.id]
    assert {alert.severity for alert in raised} == {"CRITICAL"}


def test_the_alert_is_of_the_site_where_the_guard_is_on_duty(session: Session, make: Make) -> None:
    home, post = make.site(), make.site()
    guard = make.person(home)
    make.shift(guard, home, NOW - 20 * HOUR)
    make.shift(guard, post, NOW - HOUR)
    announce(make, call(guard, lat=None, lon=None))
    assert alerts(session)[0].site_id == post.id


def test_a_swapped_shift_counts_for_who_works_it(session: Session, make: Make) -> None:
    home, post = make.site(), make.site()
    rostered, stand_in = make.person(home), make.person(home)
    shift: Shift = make.shift(rostered, post, NOW - HOUR)
    shift.swapped_with_id = stand_in.id
    session.flush()
    announce(make, call(stand_in), call(rostered))
    sites = {alert.person_id: alert.site_id for alert in alerts(session)}
    assert sites == {stand_in.id: post.id, rostered.id: home.id}


def test_a_guard_of_no_site_is_heard_too(session: Session, make: Make) -> None:
    announce(make, call(make.person()))
    assert alerts(session)[0].site_id is None


def test_the_number_of_statements_does_not_grow_with_the_calls(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    guards = [make.person() for _ in range(10)]

    def raise_for(count: int) -> None:
        events = [call(guard, f"{count}-{guard.id}") for guard in guards[:count]]
        raise_sos_alerts("telemetry", tenant_id=make.tenant_id, events=events, now=NOW)

    assert query_count(lambda: raise_for(10)) == query_count(lambda: raise_for(1))
