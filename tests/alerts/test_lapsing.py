"""Acknowledgements that nobody acted on lapse; what is not heard of again expires."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.alerts.lapsing import expire_stale, lapse_acknowledgements
from noc.alerts.models import Alert, AlertChange
from noc.alerts.process import process_alerts
from noc.alerts.signals import alert_resolved
from noc.domain import SEVERITIES
from noc.extensions import session as current_session
from noc.identity.tenant_settings import override
from noc.tickets.models import OPEN_STATUSES, STATUSES, Ticket
from noc.tickets.workflow import TicketDraft, open_once
from tests.alerts.conftest import Raise, Told, report
from tests.alerts.test_suppression import window
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("severity", "minutes"),
    [("CRITICAL", 30), ("HIGH", 120), ("MEDIUM", 480), ("LOW", 480), ("INFO", 480)],
)
def test_an_acknowledgement_lapses_by_severity(
    make: Make, session: Session, raised: Raise, told: Told, severity: str, minutes: int
) -> None:
    alert = raised(severity=severity)
    user = make.user()
    lifecycle.acknowledge(alert.id, user_id=user.id, now=NOW)
    before = len(told())
    assert lapse_acknowledgements(now=NOW + minutes * MINUTE - MINUTE) == 0
    assert lapse_acknowledgements(now=NOW + minutes * MINUTE) == 1
    assert lapse_acknowledgements(now=NOW + minutes * MINUTE) == 0

    session.expire_all()
    assert (alert.status, alert.acknowledged_at, alert.acknowledged_by) == ("NEW", None, None)
    change = session.scalars(select(AlertChange).order_by(AlertChange.id.desc())).first()
    assert change is not None
    assert (change.action, change.old_status, change.new_status, change.user_id) == (
        "lapse",
        "ACKNOWLEDGED",
        "NEW",
        None,
    )
    assert [(kind, frame["status"]) for kind, frame in told()[before:]] == [
        ("alert_updated", "NEW")
    ]


def test_what_somebody_works_on_does_not_lapse(make: Make, session: Session, raised: Raise) -> None:
    alert = raised(severity="CRITICAL")
    user = make.user()
    lifecycle.acknowledge(alert.id, user_id=user.id, now=NOW)
    lifecycle.assign(alert.id, assignee_id=user.id, user_id=user.id, now=NOW)
    assert lapse_acknowledgements(now=NOW + DAY) == 0
    assert alert.status == "ASSIGNED"


def test_an_alert_that_got_worse_is_asked_about_sooner(make: Make, raised: Raise) -> None:
    alert = raised()
    lifecycle.acknowledge(alert.id, user_id=None, now=NOW)
    assert lapse_acknowledgements(now=NOW + 31 * MINUTE) == 0
    raised(severity="CRITICAL")
    assert lapse_acknowledgements(now=NOW + 31 * MINUTE) == 1


def test_tenant_and_site_set_their_own_times(make: Make, session: Session) -> None:
    patient, hasty = make.site(), make.site()
    override("alert_acknowledged_minutes_other", 60, site_id=None, now=NOW)
    override("alert_acknowledged_minutes_other", 10, site_id=hasty.id, now=NOW)
    sites: dict[str, int | None] = {"patient": patient.id, "hasty": hasty.id, "none": None}
    reports = [report(dedup_key=name, site_id=key) for name, key in sites.items()]
    for alert in process_alerts(reports, now=NOW):
        lifecycle.acknowledge(alert.id, user_id=None, now=NOW)

    def acknowledged(minutes: int) -> set[str]:
        lapse_acknowledgements(now=NOW + minutes * MINUTE)
        rows = session.scalars(select(Alert.dedup_key).where(Alert.status == "ACKNOWLEDGED"))
        return set(rows)

    assert acknowledged(9) == {"patient", "hasty", "none"}
    assert acknowledged(10) == {"patient", "none"}
    assert acknowledged(60) == set()


def test_a_batch_is_limited(make: Make) -> None:
    for alert in process_alerts([report(dedup_key=f"{n}") for n in range(5)], now=NOW):
        lifecycle.acknowledge(alert.id, user_id=None, now=NOW)
    assert [lapse_acknowledgements(now=NOW + DAY, limit=2) for _ in range(4)] == [2, 2, 1, 0]


# -- expiry ----------------------------------------------------------------------------------


def test_an_alert_not_heard_of_again_expires_once(
    make: Make, session: Session, raised: Raise, told: Told
) -> None:
    sent: list[Any] = []
    alert_resolved.connect(listener := lambda _, **said: sent.append(said))
    alert = raised()
    assert expire_stale(now=NOW + 7 * DAY - MINUTE) == 0
    assert expire_stale(now=NOW + 7 * DAY) == 1
    assert expire_stale(now=NOW + 7 * DAY) == 0
    alert_resolved.disconnect(listener)

    session.expire_all()
    assert (alert.status, alert.resolution, alert.resolved_by) == ("RESOLVED", "EXPIRED", None)
    change = session.scalars(select(AlertChange).order_by(AlertChange.id.desc())).first()
    assert change is not None
    assert (change.action, change.detail) == ("resolve", {"resolution": "EXPIRED", "before": {}})
    assert told()[-1][1]["status"] == "RESOLVED"
    assert [said["resolution"] for said in sent] == ["EXPIRED"]


def test_a_repeat_a_note_and_a_return_put_it_off(make: Make, session: Session) -> None:
    keys = {
        name: alert.id
        for name, alert in zip(
            ("repeat", "note", "reopened", "plain"),
            process_alerts(
                [report(dedup_key=name) for name in ("repeat", "note", "reopened", "plain")],
                now=NOW,
            ),
            strict=True,
        )
    }
    later = NOW + 6 * DAY
    process_alerts([report(dedup_key="repeat", occurred_at=later)], now=later)
    lifecycle.add_note(keys["note"], "Asked the locksmith", user_id=None, now=later)
    lifecycle.resolve(keys["reopened"], resolution="FIXED", user_id=None, now=NOW)
    lifecycle.reopen(keys["reopened"], user_id=None, now=later)

    assert expire_stale(now=NOW + 7 * DAY) == 1
    rows = session.scalars(select(Alert.dedup_key).where(Alert.resolution == "EXPIRED"))
    assert rows.all() == ["plain"]
    assert expire_stale(now=later + 7 * DAY) == 3


def test_what_is_work_shelved_or_muted_stays(make: Make, session: Session, raised: Raise) -> None:
    user = make.user()
    assigned, shelved = (raised(dedup_key=name) for name in ("assigned", "shelved"))
    lifecycle.assign(assigned.id, assignee_id=user.id, user_id=user.id, now=NOW)
    lifecycle.shelve(shelved.id, until=NOW + 29 * DAY, user_id=user.id, now=NOW)
    window(ends_at=(NOW + 29 * DAY).isoformat())
    raised(dedup_key="muted")
    assert expire_stale(now=NOW + 20 * DAY) == 0


@pytest.mark.parametrize("status", STATUSES)
def test_the_evidence_of_an_open_ticket_stays(make: Make, raised: Raise, status: str) -> None:
    alert = raised()
    draft = TicketDraft(
        title="Doors",
        description="",
        priority="LOW",
        category="SECURITY",
        source="MANUAL",
        evidence=(("alert", str(alert.id)),),
    )
    (opened,) = open_once([draft], now=NOW)
    ticket = make.session.get_one(Ticket, (make.tenant_id, opened.ticket_id))
    ticket.status = status
    if status in ("RESOLVED", "CLOSED"):
        ticket.resolution = "FIXED"
    make.session.flush()
    assert expire_stale(now=NOW + 30 * DAY) == (0 if status in OPEN_STATUSES else 1)


def test_what_was_stored_late_has_its_time(make: Make, raised: Raise) -> None:
    raised(occurred_at=NOW - 30 * DAY)
    assert expire_stale(now=NOW + DAY) == 0
    assert expire_stale(now=NOW + 7 * DAY) == 1


def test_a_site_sets_its_own_expiry(make: Make, session: Session) -> None:
    quick = make.site()
    override("alert_expiry_days", 1, site_id=quick.id, now=NOW)
    process_alerts([report(site_id=quick.id), report(dedup_key="elsewhere")], now=NOW)
    assert expire_stale(now=NOW + 2 * DAY) == 1
    override("alert_expiry_days", 30, site_id=None, now=NOW)
    assert expire_stale(now=NOW + 20 * DAY) == 0
    assert expire_stale(now=NOW + 30 * DAY) == 1


def test_jobs_and_people_at_once_leave_each_alert_in_one_state(
    app: APIFlask, services: Services
) -> None:
    with committed_tenant(app, services) as make:
        user_id = make.user().id
        reports = [
            report(dedup_key=f"{n}", severity=SEVERITIES[n % 5], occurred_at=NOW) for n in range(20)
        ]
        ids = [alert.id for alert in process_alerts(reports, now=NOW)]
        for key in ids:
            lifecycle.acknowledge(key, user_id=user_id, now=NOW)
        current_session().commit()

        def person() -> int:
            for key in ids[::2]:
                lifecycle.assign(key, assignee_id=user_id, user_id=user_id, now=NOW + DAY)
                current_session().commit()
            return 0

        works = [lambda: lapse_acknowledgements(now=NOW + DAY)] * 6 + [person]
        at_once(app, make.tenant_id, works)
        lapse_acknowledgements(now=NOW + DAY)
        current_session().expire_all()
        found = {alert.id: alert.status for alert in current_session().scalars(select(Alert))}
        assert found == {key: "ASSIGNED" if key in ids[::2] else "NEW" for key in ids}
        lapses = current_session().scalars(
            select(AlertChange.alert_id).where(AlertChange.action == "lapse")
        )
        told = lapses.all()
        assert len(told) == len(set(told))
