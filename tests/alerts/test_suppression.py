"""What is raised inside a window is kept, says that it is muted, and is heard of afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.alerts.models import Alert, AlertChange
from noc.alerts.process import process_alert, process_alerts
from noc.alerts.suppression import windows
from noc.alerts.suppression.models import Suppression, SuppressionSpan
from noc.alerts.suppression.schemas import SuppressionIn
from noc.alerts.suppression.unmuting import unmute
from noc.database.tenancy import tenant_context
from noc.extensions import session as current_session
from noc.identity import tenants
from noc.workforce.models import Site
from tests.alerts.conftest import Raise, Told, report
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make

HOUR = dt.timedelta(hours=1)


def window(now: dt.datetime = NOW, **values: Any) -> int:
    """A window of the hour around ``now`` and whatever else is said."""
    once = {} if "recurrence" in values else {"starts_at": now - HOUR, "ends_at": now + HOUR}
    for name, moment in once.items():
        values.setdefault(name, moment.isoformat())
    body = SuppressionIn.model_validate({"name": "Works", "reason": "Doors"} | values)
    return windows.create(body, user_id=None, now=now - HOUR)


def history(session: Session, alert: Alert) -> list[tuple[str, dict[str, Any] | None]]:
    rows = session.scalars(
        select(AlertChange).where(AlertChange.alert_id == alert.id).order_by(AlertChange.id)
    )
    return [(row.action, row.detail) for row in rows]


def test_an_alert_inside_a_window_is_kept_muted_and_says_so(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    site = make.site()
    key = window(site_id=site.id)
    alert = raised(site_id=site.id)

    assert (alert.status, alert.muted_by, alert.muted_until) == ("NEW", key, NOW + HOUR)
    ((action, detail),) = history(session, alert)
    assert action == "created"
    assert detail is not None
    assert detail["muted_by"] == key
    assert dt.datetime.fromisoformat(detail["muted_until"]) == NOW + HOUR
    assert [(kind, frame["muted"]) for kind, frame in told()] == [("alert_created", True)]


def test_whoever_reports_is_told_that_it_is_muted(make: Make) -> None:
    window()
    assert process_alert(report(), now=NOW).muted
    assert not process_alert(report(dedup_key="later"), now=NOW + HOUR).muted


@pytest.mark.parametrize(
    ("what", "alert", "muted"),
    [
        ({}, {}, True),
        ({"site_id": "here"}, {"site_id": "here"}, True),
        ({"site_id": "here"}, {"site_id": "there"}, False),
        ({"site_id": "here"}, {}, False),
        ({}, {"site_id": "there"}, True),
        ({"alert_types": ["DOOR_OPEN", "SMOKE"]}, {}, True),
        ({"alert_types": ["SMOKE"]}, {}, False),
        ({"least_severity": "MEDIUM"}, {}, True),
        ({"least_severity": "HIGH"}, {}, False),
        ({"most_severity": "MEDIUM"}, {}, True),
        ({"most_severity": "LOW"}, {}, False),
        ({}, {"severity": "CRITICAL"}, False),
        ({"include_critical": True}, {"severity": "CRITICAL"}, True),
        ({"include_critical": True, "most_severity": "HIGH"}, {"severity": "CRITICAL"}, False),
        ({}, {"alert_type": "SOS"}, False),
        ({"include_critical": True}, {"alert_type": "SOS", "severity": "CRITICAL"}, False),
        ({"include_critical": True}, {"alert_type": "sos", "severity": "LOW"}, False),
        ({"include_sos": True}, {"alert_type": "SOS", "severity": "CRITICAL"}, True),
        ({"include_sos": True}, {"severity": "CRITICAL"}, False),
    ],
)
def test_a_window_mutes_what_it_is_about(
    make: Make, raised: Raise, what: dict[str, Any], alert: dict[str, Any], muted: bool
) -> None:
    sites = {"here": make.site().id, "there": make.site().id}

    def placed(values: dict[str, Any]) -> dict[str, Any]:
        return {name: sites.get(str(value), value) for name, value in values.items()}

    window(**placed(what))
    assert (raised(**placed(alert)).muted_until is not None) is muted


@pytest.mark.parametrize(("shift", "muted"), [(-1, True), (0, True), (59, True), (60, False)])
def test_the_beginning_belongs_to_a_window_and_the_end_does_not(
    make: Make, shift: int, muted: bool
) -> None:
    begin, end = NOW.isoformat(), (NOW + HOUR).isoformat()
    window(starts_at=begin, ends_at=end)
    at = NOW + dt.timedelta(minutes=shift)
    assert process_alert(report(), now=at).muted is (muted and shift >= 0)


def test_a_cancelled_window_mutes_nothing(make: Make, raised: Raise) -> None:
    windows.cancel(window(), user_id=None, now=NOW)
    assert raised().muted_until is None


def test_another_tenants_window_mutes_nothing(make: Make, session: Session, raised: Raise) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        window()
    assert raised().muted_until is None


def test_the_window_that_ends_last_mutes(make: Make, raised: Raise) -> None:
    window()
    longer = window(ends_at=(NOW + 3 * HOUR).isoformat())
    window()
    assert raised().muted_by == longer


def test_of_a_batch_each_is_muted_for_itself(make: Make) -> None:
    window(alert_types=["SMOKE"])
    reports = [report(dedup_key=f"{n}", alert_type=kind) for n, kind in enumerate(["SMOKE", "X"])]
    assert [one.muted for one in process_alerts(reports, now=NOW)] == [True, False]


def test_what_is_heard_of_already_stays_so(make: Make, session: Session, raised: Raise) -> None:
    raised()
    window()
    alert = raised(severity="HIGH")
    assert alert.muted_until is None
    assert [action for action, _ in history(session, alert)] == ["created", "worsened"]


def test_a_muted_repeat_is_not_told_until_it_gets_worse(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    window()
    raised()
    raised(occurred_at=NOW + dt.timedelta(minutes=5))
    assert len(told()) == 1
    alert = raised(severity="HIGH")
    assert alert.muted_until is not None
    assert [frame["muted"] for _, frame in told()] == [True, True]


def test_what_becomes_critical_is_heard_of_at_once(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    key = window()
    raised()
    alert = raised(severity="CRITICAL")
    assert (alert.muted_by, alert.muted_until) == (None, None)
    assert history(session, alert)[1:] == [
        ("worsened", {"from": "MEDIUM", "to": "CRITICAL"}),
        ("unmuted", {"muted_by": key, "worsened": True}),
    ]
    assert told()[-1][1]["muted"] is False


def test_what_gets_worse_goes_over_to_the_window_that_mutes_the_worse(
    make: Make, raised: Raise
) -> None:
    window(most_severity="MEDIUM", ends_at=(NOW + 3 * HOUR).isoformat())
    worse = window(least_severity="HIGH")
    raised()
    assert raised(severity="HIGH").muted_by == worse


# -- afterwards ------------------------------------------------------------------------------


def test_when_the_window_ends_the_alert_is_heard_of_once(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    key = window()
    alert = raised()
    assert unmute(now=NOW + HOUR - dt.timedelta(seconds=1)) == 0
    assert unmute(now=NOW + HOUR) == 1
    assert unmute(now=NOW + HOUR) == 0

    session.expire_all()
    assert (alert.muted_by, alert.muted_until, alert.status) == (None, None, "NEW")
    assert history(session, alert)[1:] == [("unmuted", {"muted_by": key})]
    kind, frame = told()[-1]
    assert (kind, frame["muted"], frame["alert_id"]) == ("alert_updated", False, alert.id)
    assert len(told()) == 2


def test_when_the_window_is_cancelled_the_alert_is_heard_of(make: Make, raised: Raise) -> None:
    key = window()
    raised()
    windows.cancel(key, user_id=None, now=NOW)
    assert unmute(now=NOW) == 1


def test_an_alert_whose_window_went_with_its_site_is_heard_of(
    make: Make, session: Session, raised: Raise
) -> None:
    site = make.site()
    window(site_id=site.id)
    window(ends_at=(NOW + 2 * HOUR).isoformat(), site_id=site.id, name="Longer")
    alert = raised(site_id=site.id)
    alert.site_id = None
    session.flush()
    session.delete(session.get_one(Site, (make.tenant_id, site.id)))
    session.flush()
    assert unmute(now=NOW) == 1
    session.expire_all()
    assert alert.muted_until is None


def test_windows_that_follow_each_other_are_like_one(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    window()
    alert = raised()
    second = window(starts_at=(NOW + HOUR).isoformat(), ends_at=(NOW + 2 * HOUR).isoformat())
    assert unmute(now=NOW + HOUR) == 1
    session.expire_all()
    assert (alert.muted_by, alert.muted_until) == (second, NOW + 2 * HOUR)
    assert history(session, alert)[-1][0] == "muted"
    assert len(told()) == 1
    assert unmute(now=NOW + HOUR) == 0
    assert unmute(now=NOW + 2 * HOUR) == 1
    assert [frame["muted"] for _, frame in told()] == [True, False]


def test_what_was_resolved_meanwhile_is_left_alone(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    window()
    alert = raised()
    lifecycle.resolve(alert.id, resolution="FIXED", user_id=None, now=NOW)
    assert unmute(now=NOW + HOUR) == 0


# -- recurring -------------------------------------------------------------------------------

NIGHTLY = {"rrule": "FREQ=DAILY", "start_time": "02:00", "duration_minutes": 120}


def test_a_recurring_window_mutes_by_the_clocks_of_the_site(make: Make) -> None:
    site = make.site(timezone="Asia/Kolkata")
    window(site_id=site.id, recurrence=NIGHTLY)
    # 02:00 to 04:00 in Kolkata is 20:30 to 22:30 UTC.
    for clock, muted in (("20:29", False), ("20:30", True), ("22:29", True), ("22:30", False)):
        at = dt.datetime.fromisoformat(f"2026-11-18T{clock}+00:00")
        assert process_alert(report(site_id=site.id, dedup_key=clock), now=at).muted is muted


def test_times_are_made_ready_before_they_run_out_and_dropped_when_over(
    make: Make, session: Session
) -> None:
    key = window(recurrence=NIGHTLY, timezone="UTC")

    def spans(now: dt.datetime) -> tuple[dt.datetime, dt.datetime, int]:
        row = session.execute(
            select(
                func.min(SuppressionSpan.starts_at),
                func.max(SuppressionSpan.starts_at),
                func.count(),
            ).where(SuppressionSpan.suppression_id == key)
        ).one()
        return row[0], row[1], row[2]

    first, last, count = spans(NOW)
    assert count == (last - first).days + 1
    assert last > NOW + windows.AHEAD - 2 * dt.timedelta(days=1)
    assert windows.prepare(now=NOW) == 0
    later = NOW + dt.timedelta(days=10)
    assert windows.prepare(now=later) == 1
    assert windows.prepare(now=later) == 0
    first, last, count = spans(later)
    assert count == (last - first).days + 1
    assert later - dt.timedelta(days=1) < first < later + dt.timedelta(days=1)
    assert last > later + windows.AHEAD - 2 * dt.timedelta(days=1)
    # After an outage longer than what was ready, it goes on from then.
    much_later = NOW + dt.timedelta(days=200)
    assert windows.prepare(now=much_later) == 1
    first, last, count = spans(much_later)
    assert first > much_later - dt.timedelta(days=1)
    assert count == (last - first).days + 1


def test_a_window_that_is_cancelled_is_not_prepared(make: Make) -> None:
    windows.cancel(window(recurrence=NIGHTLY, timezone="UTC"), user_id=None, now=NOW)
    assert windows.prepare(now=NOW + dt.timedelta(days=30)) == 0


# -- many at once ----------------------------------------------------------------------------


def test_alerts_are_never_lost_while_windows_come_and_go(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        current_session().commit()

        def report_one(n: int) -> Any:
            return lambda: [
                process_alert(report(dedup_key=f"{n % 5}-{i}"), now=NOW) for i in (1, 2)
            ]

        def come_and_go() -> Any:
            key = window()
            windows.cancel(key, user_id=None, now=NOW)
            return []

        works = [report_one(n) for n in range(10)] + [come_and_go] * 3
        works += [lambda: [unmute(now=NOW)]] * 3  # type: ignore[list-item]
        at_once(app, make.tenant_id, works)
        unmute(now=NOW)
        alerts = current_session().scalars(select(Alert)).all()
        assert len(alerts) == 10
        assert {alert.suppressed_count for alert in alerts} == {1}
        assert all(alert.muted_until is None for alert in alerts)
        assert current_session().scalar(select(func.count()).select_from(Suppression)) == 3


def test_two_jobs_at_once_unmute_each_alert_once(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        window()
        process_alerts([report(dedup_key=f"{n}") for n in range(50)], now=NOW)
        current_session().commit()
        works = [lambda: unmute(now=NOW + HOUR, limit=10)] * 8
        at_once(app, make.tenant_id, works)
        while unmute(now=NOW + HOUR, limit=10):
            pass
        changes = current_session().scalars(
            select(AlertChange.alert_id).where(AlertChange.action == "unmuted")
        )
        told = list(changes)
        assert len(told) == len(set(told)) == 50
