"""News becomes deliveries, with its transaction and not without, by the routes it concerns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import notifications as jobs
from noc.alerts import lapsing, lifecycle
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.alerts.suppression.unmuting import unmute
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.events.models import EventLog
from noc.events.news import EVENT_TYPE, NEWS_KINDS
from noc.extensions import queue, redis_client
from noc.identity import tenants
from noc.monitoring import metrics
from noc.notifications import outbox
from noc.notifications.models import NotificationDelivery
from noc.tickets import workflow
from noc.tickets.opening import TicketDraft, open_once
from tests.factories import Make
from tests.notifications.conftest import Desk

URL = "https://hooks.acme.example/x"


def kinds(desk: Desk, route: Any) -> list[tuple[str, str]]:
    return [(one.kind, one.severity) for one in desk.deliveries(route)]


def test_an_alert_reaches_whoever_asked_for_it_and_nobody_else(desk: Desk, make: Make) -> None:
    here, there = make.site(), make.site()
    everything = desk.route(URL)
    only_here = desk.route(URL, site_ids=[here.id])
    grave = desk.route(URL, min_severity="CRITICAL")
    tickets = desk.route(URL, kinds=["ticket_opened"])
    off = desk.route(URL, active=False)

    desk.alert("HIGH", site_id=here.id)
    desk.alert("CRITICAL", site_id=there.id)
    desk.alert("LOW")

    assert [severity for _, severity in kinds(desk, everything)] == ["HIGH", "CRITICAL", "LOW"]
    assert kinds(desk, only_here) == [("alert_opened", "HIGH")]
    assert kinds(desk, grave) == [("alert_opened", "CRITICAL")]
    assert kinds(desk, tickets) == kinds(desk, off) == []


def test_the_life_of_an_alert_is_told_in_its_turns_and_not_step_by_step(
    desk: Desk, session: Session
) -> None:
    route = desk.route(URL)
    alert = desk.alert("LOW", key="door")
    desk.alert("LOW", key="door")
    desk.alert("HIGH", key="door", message="Door broken")
    who: dict[str, Any] = {"user_id": None, "now": utcnow()}
    lifecycle.acknowledge(alert.id, **who)
    lifecycle.add_note(alert.id, "Going there", **who)
    lifecycle.resolve(alert.id, resolution="FIXED", **who)
    session.commit()
    lifecycle.reopen(alert.id, **who)
    session.commit()

    assert kinds(desk, route) == [
        ("alert_opened", "LOW"), ("alert_escalated", "HIGH"), ("alert_reopened", "HIGH"),
    ]  # fmt: skip
    assert desk.deliveries(route)[1].payload["message"] == "Door broken"


def test_a_muted_alert_is_told_when_its_window_is_over(desk: Desk, session: Session) -> None:
    route = desk.route(URL)
    now = utcnow()
    hour = dt.timedelta(hours=1)
    windows.create(
        SuppressionIn(name="Works", reason="Works", starts_at=now, ends_at=now + hour),
        user_id=None,
        now=now,
    )
    desk.alert("LOW", key="door")
    desk.alert("HIGH", key="gate")
    assert kinds(desk, route) == []

    unmute(now=now + 2 * hour)
    session.commit()

    assert sorted(kinds(desk, route)) == [("alert_unmuted", "HIGH"), ("alert_unmuted", "LOW")]


def test_what_comes_back_by_itself_is_told_since_it_waits_for_somebody_again(
    desk: Desk, session: Session
) -> None:
    route = desk.route(URL, kinds=["alert_returned"])
    now, hour = utcnow(), dt.timedelta(hours=1)
    seen, shelved = desk.alert("LOW"), desk.alert("HIGH")
    lifecycle.acknowledge(seen.id, user_id=None, now=now)
    lifecycle.shelve(shelved.id, until=now + hour, user_id=None, now=now)
    session.commit()
    lapsing.lapse_acknowledgements(now=now + 9 * hour)
    lifecycle.expire_shelved(now=now + 9 * hour)
    session.commit()

    assert kinds(desk, route) == [("alert_returned", "LOW"), ("alert_returned", "HIGH")]


def test_a_ticket_is_told_when_it_opens_and_when_somebody_is_given_it(
    desk: Desk, make: Make, session: Session
) -> None:
    route = desk.route(URL)
    draft = TicketDraft("Fence", "Cut", "MEDIUM", "SECURITY", "manual")
    (ticket,) = open_once([draft], now=utcnow())
    session.commit()
    user_id = make.user("operator").id
    workflow.assign(ticket.ticket_id, user_id, user_id=None, now=utcnow())
    session.commit()
    workflow.comment(ticket.ticket_id, "On my way", user_id=user_id, now=utcnow())
    session.commit()

    assert kinds(desk, route) == [("ticket_opened", "MEDIUM"), ("ticket_assigned", "MEDIUM")]


def test_every_kind_has_its_frame(desk: Desk, session: Session) -> None:
    assert set(EVENT_TYPE) == set(NEWS_KINDS)
    route = desk.route(URL)
    desk.alert()
    (delivery,) = desk.deliveries(route)
    logged = session.scalars(select(EventLog)).one()
    assert (logged.event_id, logged.payload) == (delivery.event_id, delivery.payload)
    assert logged.event_type == EVENT_TYPE[delivery.kind]


def test_what_is_rolled_back_is_told_to_nobody(desk: Desk, session: Session) -> None:
    route = desk.route(URL)
    desk.alert(commit=False)
    session.rollback()
    savepoint = session.begin_nested()
    desk.alert(commit=False)
    savepoint.rollback()
    session.commit()

    assert desk.deliveries(route) == []
    assert queue("reports").count == 0


def test_a_batch_costs_one_statement_for_all_routes_and_one_job(
    desk: Desk, session: Session, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    desk.route(URL)
    desk.route(URL)

    def commit_of(alerts: int) -> int:
        for _ in range(alerts):
            desk.alert(commit=False)
        return query_count(session.commit)

    # The deliveries, the escalations (none), the log.
    assert commit_of(1) == commit_of(50) == 3
    assert len(desk.deliveries()) == 102
    assert [job.func_name for job in queue("reports").jobs] == ["jobs.notifications.deliver"]


def test_the_same_event_is_stored_once_for_a_route(desk: Desk, session: Session) -> None:
    desk.route(URL)
    desk.alert(commit=False)
    pending = session.info["noc_events"]
    from noc.events.news import Told

    told = [Told(item.news, item.row) for item in pending]
    outbox.on_news("events", current=session, tenant_id=desk.make.tenant_id, told=told)
    session.commit()

    assert len(desk.deliveries()) == 1


def test_a_tenants_news_stays_with_it(desk: Desk, make: Make, session: Session) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        theirs = Desk(Make(session, rival.id), session).route(URL)
    desk.alert()

    with tenant_context(session, rival.id):
        assert desk.deliveries(theirs) == []
    assert desk.deliveries() == []


def test_without_redis_the_news_is_stored_and_the_sweep_has_it_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.route(URL)
    failures = metrics.FAILURES.labels("notification_enqueue")._value
    before = failures.get()

    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError("away")

    with monkeypatch.context() as without:
        without.setattr(redis_client(), "set", away)
        desk.alert()
    assert queue("reports").count == 0
    assert failures.get() == before + 1

    assert jobs.sweep() == 1
    (job,) = queue("reports").jobs
    assert job.args == [desk.make.tenant_id]


def test_the_sweep_asks_for_nothing_that_cannot_be_sent_now(desk: Desk, session: Session) -> None:
    route = desk.route(URL)
    desk.alert()
    redis_client().flushdb()
    route.active = False
    session.commit()
    assert jobs.sweep() == 0
    route.active, route.held_until = True, utcnow() + outbox.dt.timedelta(minutes=1)
    session.commit()
    assert jobs.sweep() == 0
    route.held_until = utcnow()
    session.commit()
    assert jobs.sweep() == 1


def test_an_event_without_news_stores_nothing(desk: Desk, session: Session) -> None:
    desk.route(URL)
    alert = desk.alert()
    lifecycle.acknowledge(alert.id, user_id=None, now=utcnow())
    session.commit()

    assert session.scalar(select(NotificationDelivery.kind)) == "alert_opened"
