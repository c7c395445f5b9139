"""What happened around an incident, when it became known, and to whom it is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.audit import findings, reopening, story
from noc.audit.models import Finding
from noc.incidents import facets, investigation, queries
from noc.incidents.models import Incident
from noc.incidents.schemas import IncidentFilters
from tests.audit.conftest import AT, HOUR, MINUTE, Post, cycle, on_post
from tests.factories import Make

NOW = AT + HOUR


@pytest.fixture
def post(make: Make) -> Post:
    """A guard who was heard at 08:30 and not since, and whose phone is reported gone."""
    post = on_post(make)
    post.hear(150, kind="phone_event", event_type="screen_on")
    post.fixes(40, north=300)
    post.alert()
    cycle(make)
    return post


def the_incident(session: Session, **sight: Any) -> dict[str, Any]:
    incident = queries.find_incident(session.scalars(select(Incident.id)).one(), **sight)
    assert incident is not None
    return incident


def told(session: Session, **sight: Any) -> story.Story:
    return story.tell(the_incident(session), now=NOW, **sight)


def test_it_tells_of_the_guard_in_metres_and_in_order(
    post: Post, make: Make, session: Session
) -> None:
    make.punch(post.person, post.site, occurred_at=AT - 30 * MINUTE)
    other = make.person(post.site)
    make.punch(other, post.site, occurred_at=AT - 30 * MINUTE)
    found = told(session)

    assert [row["linked"] for row in found.alerts] == [True]
    assert [row["finding_type"] for row in found.findings] == ["DEVICE_SILENT"]
    assert found.findings[0]["linked"]
    assert [row["person_name"] for row in found.punches] == [post.person.name]
    assert [row["number"] for row in found.tickets] == ["T-000001"]
    (fix,) = found.fixes
    assert (fix["x"], fix["y"]) == (pytest.approx(0), pytest.approx(300, abs=1))
    assert found.fixes_of == 1
    assert sum(row["n"] for row in found.signals) == 1, "the phone event lies before the period"


def test_what_came_late_is_known_late(post: Post, session: Session) -> None:
    late = post.signal(20, "heartbeat")
    post.send([late], AT + 10 * MINUTE)
    found = told(session)

    known = [row["known_at"] for row in found.signals]
    assert len(known) == 2
    assert known[-1] >= AT + 10 * MINUTE
    assert found.signals[-1]["slot"] < (AT - found.start) / (found.bin_minutes * MINUTE)


def test_what_people_did_is_told_with_their_names(post: Post, make: Make, session: Session) -> None:
    olga = make.user("operator", name="Olga Petrova")
    incident = the_incident(session)
    alert = incident["alerts"][0]["id"]
    lifecycle.acknowledge(alert, user_id=olga.id, now=AT + MINUTE)
    investigation.investigate(
        incident["id"], "Called the guard.", user_id=olga.id, now=AT + 2 * MINUTE
    )
    steps = told(session).steps

    assert [(step["about"], step["action"], step["user_name"]) for step in steps] == [
        ("alert", "acknowledge", "Olga Petrova"),
        ("incident", "note", "Olga Petrova"),
    ]


def test_what_was_taken_back_stays_in_the_story(post: Post, make: Make, session: Session) -> None:
    user = make.user("operator", name="Olga")
    (finding,) = session.scalars(select(Finding)).all()
    who: dict[str, Any] = {"user_id": user.id, "note": "Wrong row."}
    findings.resolve(finding.id, "FIXED", now=AT + MINUTE, **who)
    reopening.reopen(finding.id, now=AT + 2 * MINUTE, **who)

    steps = [step for step in told(session).steps if step["about"] == "finding"]

    assert [(step["action"], step["at"], step["user_name"]) for step in steps] == [
        ("resolve", AT + MINUTE, "Olga"),
        ("reopen", AT + 2 * MINUTE, "Olga"),
    ]


def test_an_alert_about_somebody_else_is_not_told(post: Post, make: Make, session: Session) -> None:
    other = on_post(make)
    other.alert()
    here, there = post.site.id, other.site.id

    assert len(told(session).alerts) == 1
    assert told(session, site_ids={here}).punches == []
    make.punch(post.person, other.site, occurred_at=AT)
    assert len(told(session).punches) == 1
    assert told(session, site_ids={here}).punches == []
    assert queries.find_incident(the_incident(session)["id"], site_ids={there}) is None


def test_statements_are_as_many_for_more_rows(
    post: Post, make: Make, session: Session, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    incident = the_incident(session)

    def ask() -> story.Story:
        return story.tell(incident, now=NOW)

    before = query_count(ask)
    post.busy()
    for minute in range(20):
        make.punch(post.person, post.site, occurred_at=AT - minute * MINUTE)

    assert query_count(ask) == before <= 10
    assert len(ask().punches) == 20


def test_of_many_fixes_some_are_shown_and_always_the_last(
    post: Post, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "FIXES", 5)
    post.fixes(*range(1, 22))
    found = told(session)

    assert found.fixes_of == 22
    assert 5 <= len(found.fixes) <= 6
    assert found.fixes[-1]["at"] == AT - MINUTE


def test_the_period_is_padded_and_never_lies_ahead() -> None:
    first, last = AT, AT + 10 * MINUTE
    assert story.period(first, last, NOW) == (AT - 30 * MINUTE, AT + 40 * MINUTE)
    assert story.period(first, last, last)[1] == last
    long = story.period(AT, AT + 30 * HOUR, AT + 90 * HOUR)
    assert long == (AT - 2 * HOUR, AT + 32 * HOUR)


def test_metres_go_the_short_way_over_the_date_line() -> None:
    site = {"lat": 0.0, "lon": 179.999}
    east, north = story.metres(0.001, -179.999, site)
    assert east == pytest.approx(222.4, abs=0.5)
    assert north == pytest.approx(111.2, abs=0.5)


def test_counts_leave_their_own_filter_out(post: Post, make: Make, session: Session) -> None:
    incident = the_incident(session)
    open_ones = IncidentFilters(unresolved=True)

    counts = facets.incident_facets(open_ones, now=NOW)
    assert counts["total"] == 1
    assert counts["site"] == {str(post.site.id): 1}
    investigation.close(incident["id"], note=None, user_id=None, now=NOW)
    counts = facets.incident_facets(open_ones, now=NOW)
    assert counts["total"] == 0
    assert counts["status"] == {"CLOSED": 1}
    assert facets.incident_facets(open_ones, now=NOW, site_ids=[])["status"] == {}
    severe = IncidentFilters(min_severity="CRITICAL")
    assert facets.incident_facets(severe, now=NOW)["total"] == 0
    assert sum(facets.incident_facets(severe, now=NOW)["severity"].values()) == 1


def test_a_finding_of_the_site_alone_is_told_in_its_incident(post: Post, session: Session) -> None:
    finding = session.scalars(select(Finding)).one()
    finding.person_id = None
    session.flush()
    assert [row["id"] for row in told(session).findings] == [finding.id]


def test_of_a_site_alone_those_on_its_roster_are_told(
    post: Post, make: Make, session: Session
) -> None:
    incident = the_incident(session) | {"person_id": None}
    make.punch(post.person, post.site, occurred_at=AT - dt.timedelta(minutes=5))
    found = story.tell(incident, now=NOW)
    assert [row["person_name"] for row in found.punches] == [post.person.name]
    assert len(found.fixes) == 1
