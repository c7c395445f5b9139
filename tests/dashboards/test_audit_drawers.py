"""Findings and incidents in the drawer: what it shows, to whom, and what can be done there."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.audit.models import Finding
from noc.incidents.models import Incident
from noc.tickets.models import Ticket
from tests.audit.conftest import AT, Post, cycle, on_post
from tests.dashboards import audited
from tests.dashboards.conftest import Reader
from tests.factories import Make
from tests.signed_in import limit_to


@pytest.fixture
def post(make: Make, session: Session) -> Post:
    """A silent guard whose phone is reported gone: a finding, a ticket, an incident."""
    post = on_post(make)
    post.alert()
    cycle(make)
    session.commit()
    return post


def drawer(reader: Reader, key: str) -> Any:
    return reader.call(
        "detail.children", "drawer-target.data", values={"drawer-target.data": {"id": key}}
    )


def press(reader: Reader, step: str, key: int, **values: str) -> Any:
    chosen = {
        f"finding-{name}": [({"type": f"finding-{name}", "key": key}, value)]
        for name, value in values.items()
    }
    button = {"type": "finding-step", "step": step, "key": key}
    return reader.call(
        "detail.children", "finding-step", values={"finding-step": [(button, 1)], **chosen}
    )


def finding(session: Session) -> Finding:
    session.expire_all()
    return session.scalars(select(Finding)).one()


def test_a_finding_says_what_was_heard_and_leads_to_its_ticket(
    reader: Reader, post: Post, session: Session
) -> None:
    text = drawer(reader, f"finding:{finding(session).id}").text

    assert "Silent on duty" in text
    assert "Nothing has been heard of" in text
    assert "T-000001" in text
    assert "Heard in the window" in text
    assert "Acknowledge" in text


def test_it_is_acknowledged_and_resolved_there(
    reader: Reader, post: Post, session: Session
) -> None:
    key = finding(session).id

    assert "Acknowledged" in press(reader, "acknowledge", key).text
    assert finding(session).status == "ACKNOWLEDGED"
    assert "Choose the outcome first" in press(reader, "resolve", key).text
    answer = press(reader, "resolve", key, resolution="FIXED", note="New battery")
    assert "New battery" in answer.text
    assert finding(session).resolution == "FIXED"


def test_it_is_reopened_there_and_tells_what_was_taken_back(
    reader: Reader, post: Post, session: Session
) -> None:
    key = finding(session).id
    resolved = press(reader, "resolve", key, resolution="FALSE_POSITIVE", note="A drill").text
    assert '"step":"reopen"' in resolved
    assert "Its alert and its ticket are opened with it" in resolved
    answer = press(reader, "reopen", key, note="No drill was planned").text
    for words in ("Taken back", "No drill was planned", "Resolved as false positive", "A drill"):
        assert words in answer, words
    assert '"step":"acknowledge"' in answer
    assert finding(session).status == "NEW"
    assert session.scalars(select(Ticket.status)).one() == "IN_PROGRESS"


def test_what_closed_itself_has_no_way_back(reader: Reader, post: Post, session: Session) -> None:
    one = finding(session)
    one.status, one.resolution = "RESOLVED", "EXPIRED"
    session.commit()
    shown = drawer(reader, f"finding:{one.id}").text
    assert '"step":"reopen"' not in shown
    assert "It closed itself when what it said was over, so it cannot be reopened." in shown
    assert "the audit reports it as a new finding" in shown
    assert "what it said is no longer so" in press(reader, "reopen", one.id).text
    assert finding(session).status == "RESOLVED"


def test_what_closed_itself_leads_to_the_finding_that_says_it_now(
    reader: Reader, make: Make, session: Session
) -> None:
    site = make.site()
    guard = make.person(site)
    over = audited.finding(make, guard, site, self_closing=True)
    over.status, over.resolution = "RESOLVED", "EXPIRED"
    session.flush()
    now = audited.finding(make, guard, site, self_closing=True, at=AT)
    session.commit()
    shown = drawer(reader, f"finding:{over.id}").text
    assert "It is so again" in shown
    assert f'"data-open":"finding:{now.id}"' in shown


def test_a_viewer_has_no_buttons_and_cannot_press_them(
    viewer: Reader, post: Post, session: Session
) -> None:
    key = finding(session).id

    assert "finding-step" not in drawer(viewer, f"finding:{key}").text
    assert press(viewer, "acknowledge", key).status_code == 403
    assert finding(session).status == "NEW"


def test_an_incident_says_why_its_parts_belong_together(
    reader: Reader, post: Post, session: Session
) -> None:
    incident = session.scalars(select(Incident)).one()

    text = drawer(reader, f"incident:{incident.id}").text

    assert "closeness in time 0.40" in text
    assert "1 signal" in text
    assert "Phone offline" in text
    assert f"finding:{finding(session).id}" in text


def test_a_ticket_lists_its_findings(reader: Reader, post: Post, session: Session) -> None:
    ticket = session.scalars(select(Ticket)).one()

    text = drawer(reader, f"ticket:{ticket.id}").text

    assert "1 finding" in text
    assert f"Silent on duty: {post.site.name}" in text
    assert f"finding:{finding(session).id}" in text


def test_whoever_is_limited_to_another_site_finds_neither(
    app: APIFlask, make: Make, post: Post, session: Session
) -> None:
    user = limit_to(make, make.user("operator"), make.site().id)
    stranger = Reader(app, make, user)
    incident = session.scalars(select(Incident)).one()
    key = finding(session).id

    assert "No such finding" in drawer(stranger, f"finding:{key}").text
    assert "No such incident" in drawer(stranger, f"incident:{incident.id}").text
    press(stranger, "acknowledge", key)
    assert finding(session).status == "NEW"
