"""A resolved finding is taken up again, with what was resolved because of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.audit import bulk, findings, queries, reopening
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.events.models import EventLog
from noc.rest.problems import Problem
from noc.tickets.models import Ticket
from tests.audit.conftest import cycle, on_post
from tests.dashboards import audited
from tests.factories import Make

NOW = utcnow()
LATER = NOW + dt.timedelta(minutes=5)


def one(make: Make, **values: Any) -> Finding:
    site = make.site()
    return audited.finding(make, make.person(site), site, **values)


def resolve(finding: Finding, resolution: str = "FIXED", **values: Any) -> None:
    who: dict[str, Any] = {"note": None, "user_id": None, "now": NOW} | values
    findings.resolve(finding.id, resolution, **who)


def reopen(finding: Finding, **values: Any) -> None:
    who: dict[str, Any] = {"note": None, "user_id": None, "now": LATER} | values
    reopening.reopen(finding.id, **who)


def test_it_is_as_before_and_keeps_what_was_taken_back(make: Make, session: Session) -> None:
    new, seen = one(make), one(make)
    olga, maya = make.user("operator", name="Olga"), make.user("operator", name="Maya")
    findings.acknowledge(seen.id, user_id=olga.id, now=NOW)
    for finding in (new, seen):
        resolve(finding, note="New battery.", user_id=olga.id)
        reopen(finding, note="It is silent again.", user_id=maya.id)

    assert (new.status, seen.status) == ("NEW", "ACKNOWLEDGED")
    assert seen.acknowledged_by == olga.id
    assert (new.resolution, new.resolution_note) == (None, None)
    assert (new.resolved_at, new.resolved_by) == (None, None)
    told = queries.find_finding(new.id)
    assert told is not None
    (kept,) = told["reopened"]
    assert (kept["user_name"], kept["note"]) == ("Maya", "It is silent again.")
    assert (kept["resolved_by_name"], kept["resolution"]) == ("Olga", "FIXED")
    assert kept["resolution_note"] == "New battery."
    assert dt.datetime.fromisoformat(kept["at"]) == LATER
    assert "reopened" not in told["evidence"]
    session.commit()
    events = session.scalars(
        select(EventLog)
        .where(EventLog.event_type == "finding_updated", EventLog.finding_id == new.id)
        .order_by(EventLog.seq)
    ).all()
    assert [event.payload["status"] for event in events] == ["RESOLVED", "NEW"]


def test_it_can_be_resolved_and_reopened_again(make: Make) -> None:
    finding = one(make)
    for resolution in ("FIXED", "CONFIRMED"):
        resolve(finding, resolution)
        reopen(finding)
    told = queries.find_finding(finding.id)
    assert told is not None
    assert [kept["resolution"] for kept in told["reopened"]] == ["FIXED", "CONFIRMED"]


def test_what_is_open_stays_as_it_is(make: Make, session: Session) -> None:
    finding = one(make)
    reopen(finding)
    session.commit()
    assert finding.status == "NEW"
    assert finding.evidence == {}
    assert session.scalars(select(EventLog.seq)).all() == []


def test_what_closed_itself_is_over(make: Make) -> None:
    finding = one(make)
    resolve(finding, "EXPIRED")
    with pytest.raises(Problem) as refused:
        reopen(finding)
    assert refused.value.status == 409
    assert finding.status == "RESOLVED"


def test_where_it_is_so_again_what_closed_itself_names_the_new_one(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    over = audited.finding(make, guard, site, self_closing=True)
    resolve(over, "EXPIRED")
    audited.finding(make, guard, site, self_closing=True, finding_type="POST_ABANDONED")
    audited.finding(make, make.person(site), site, self_closing=True)

    def named(**values: Any) -> object:
        with pytest.raises(Problem) as refused:
            reopen(over, **values)
        return refused.value.members["open_finding_id"]

    assert named() is None
    earlier = NOW - dt.timedelta(minutes=10)
    again = audited.finding(make, guard, site, self_closing=True, at=earlier)
    assert named() == again.id
    assert reopening.open_of_the_same(over.id, site_ids={make.site().id}) is None


def test_of_another_site_it_is_not_there(make: Make) -> None:
    finding = one(make)
    resolve(finding)
    with pytest.raises(Problem) as refused:
        reopen(finding, site_ids={make.site().id})
    assert refused.value.status == 404
    assert finding.status == "RESOLVED"


def test_a_false_positive_takes_its_alert_and_its_ticket_along(
    make: Make, session: Session
) -> None:
    on_post(make)
    cycle(make)
    finding = session.scalars(select(Finding)).one()
    finding.alert_id = process_alert(
        AlertInput("BASELINE_ANOMALY", "HIGH", "Odd", NOW, site_id=finding.site_id), now=NOW
    ).id
    session.flush()
    user = make.user("operator")
    alert = session.get_one(Alert, (make.tenant_id, finding.alert_id))
    ticket = session.scalars(select(Ticket)).one()

    resolve(finding, "FALSE_POSITIVE", user_id=user.id)
    session.refresh(ticket)
    session.refresh(alert)
    assert (ticket.status, alert.status) == ("RESOLVED", "RESOLVED")
    reopen(finding, user_id=user.id)
    session.refresh(ticket)
    session.refresh(alert)
    assert (ticket.status, ticket.resolution) == ("IN_PROGRESS", None)
    assert (alert.status, alert.resolution) == ("NEW", None)


def test_what_was_resolved_for_another_reason_stays_resolved(make: Make, session: Session) -> None:
    finding = one(make)
    alert = process_alert(
        AlertInput("DOOR_OPEN", "HIGH", "Open", NOW, site_id=finding.site_id), now=NOW
    )
    finding.alert_id = alert.id
    session.flush()
    resolve(finding, "FALSE_POSITIVE")
    alert = session.get_one(Alert, (make.tenant_id, alert.id), populate_existing=True)
    alert.resolution = "DUPLICATE"
    session.flush()
    reopen(finding)
    session.refresh(alert)
    assert finding.status == "NEW"
    assert (alert.status, alert.resolution) == ("RESOLVED", "DUPLICATE")


def test_where_another_of_the_same_is_open_that_one_goes_on(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    first = audited.finding(make, guard, site, self_closing=True)
    resolve(first)
    earlier = NOW - dt.timedelta(minutes=10)
    second = audited.finding(make, guard, site, self_closing=True, at=earlier)
    with pytest.raises(Problem, match="Another finding") as refused:
        reopen(first)
    assert refused.value.status == 409

    other = one(make)
    resolve(other)
    outcome = reopening.reopen_many(
        [first.id, other.id, second.id, 10**9], note=None, user_id=None, now=LATER
    )
    assert outcome.changed == [other.id]
    assert outcome.states == {first.id: "RESOLVED", second.id: "NEW", other.id: "NEW"}
    assert set(outcome.left) == {first.id, 10**9}


def test_many_are_reopened_with_as_many_statements_as_few(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    found = [one(make) for _ in range(12)]
    bulk.resolve_many([each.id for each in found], "FIXED", note=None, user_id=None, now=NOW)

    def taken_up(some: list[Finding]) -> int:
        ids = [each.id for each in some]
        return query_count(lambda: reopening.reopen_many(ids, note=None, user_id=None, now=LATER))

    few, many = taken_up(found[:1]), taken_up(found[1:])
    assert {each.status for each in found} == {"NEW"}
    assert many == few
