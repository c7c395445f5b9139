"""News in a sentence, from the frames as the domain makes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from noc.audit.findings import announce
from noc.audit.models import Finding
from noc.database.base import new_uuid
from noc.events.news import NEWS_KINDS
from noc.incidents.frames import announce_incident
from noc.incidents.models import Incident
from noc.notifications import messages
from noc.notifications.messages import Message
from noc.notifications.models import ESCALATION
from tests.factories import NOW, Make
from tests.notifications.conftest import Configure, Desk, Inbox

HOUR = dt.timedelta(hours=1)


def message(kind: str, payload: dict[str, Any] | None = None, **values: Any) -> Message:
    given: dict[str, Any] = {
        "delivery_id": new_uuid(), "route_name": "Night desk", "tenant_id": 1,
        "tenant_name": "Acme Guarding", "kind": kind, "severity": "HIGH", "site_id": 1,
        "site_name": "Harbour Gate", "timezone": "Asia/Kolkata", "event_id": new_uuid(), "seq": 1,
        "moment": NOW, "payload": payload or {},
    }  # fmt: skip
    return Message(**given | values)


@pytest.mark.parametrize(
    ("kind", "payload", "told"),
    [
        ("alert_escalated", {"message": "Door open"}, "Alert now HIGH at Harbour Gate: Door open"),
        ("alert_reopened", {"message": "x"}, "HIGH alert open again at Harbour Gate: x"),
        (
            "ticket_opened",
            {"ticket_number": "T-000001", "title": "Fence"},
            "Ticket T-000001 opened at Harbour Gate, priority HIGH: Fence",
        ),
        (
            "ticket_assigned",
            {"ticket_number": "T-000001", "title": "Fence", "assignee": "Asha"},
            "Ticket T-000001 at Harbour Gate given to Asha: Fence",
        ),
        ("alert_opened", {"message": "{at} {0} %s"}, "HIGH alert at Harbour Gate: {at} {0} %s"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_where_and_how_grave(
    kind: str, payload: dict[str, Any], told: str
) -> None:
    assert messages.sentence(message(kind, payload)) == told


@pytest.mark.parametrize(
    ("kind", "payload", "address"),
    [
        ("alert_opened", {"alert_id": 7}, "/app/alerts?open=alert:7"),
        ("alert_returned", {"alert_id": 7, "incident_id": 2}, "/app/alerts?open=alert:7"),
        (ESCALATION, {"alert_id": 7}, "/app/alerts?open=alert:7"),
        ("escalation_exhausted", {"alert_id": 7}, "/app/alerts?open=alert:7"),
        ("ticket_overdue", {"ticket_id": 3}, "/app/tickets?open=ticket:3"),
        ("finding_opened", {"finding_id": 9, "alert_id": 7}, "/app/?open=finding:9"),
        ("incident_identified", {"incident_id": "0-1"}, "/app/?open=incident:0-1"),
        ("alert_opened", {}, "/app/alerts"),
        ("test", {}, "/app/"),
    ],
)
def test_a_link_opens_the_one_it_is_about(kind: str, payload: dict[str, Any], address: str) -> None:
    told = messages.link(message(kind, payload), "https://noc.example/")
    assert told == f"https://noc.example{address}"


def test_every_kind_has_a_sentence_whatever_is_missing() -> None:
    for kind in (*NEWS_KINDS, "test"):
        told = messages.sentence(message(kind, {}, site_name=None))
        assert told
        assert "{" not in told
        assert "None" not in told


@pytest.mark.parametrize("zone", [None, "", "Nowhere/At_All", "../etc/passwd"])
def test_a_zone_that_is_none_is_utc(zone: str | None) -> None:
    body = messages.mail_body(message("alert_opened", {"message": "x"}, timezone=zone), "")
    assert "Time: 2026-11-16 09:00 (UTC)" in body
    assert "http" not in body


def test_a_long_message_has_a_subject_that_is_not() -> None:
    long = message("alert_opened", {"message": "x" * 4000})
    assert len(messages.subject(long)) == 200
    assert len(messages.sentence(long)) == 3000


def test_findings_and_incidents_are_told_in_their_own_words(
    desk: Desk, make: Make, session: Session, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    site = make.site(name="Harbour Gate")
    guard = make.person(site, name="Ravi")
    route = desk.route(channel="email", addresses=["chief@acme.example"], site_ids=[site.id])
    finding = make.row(
        Finding,
        {
            "finding_type": "TOUR_MISSED", "category": "OPERATIONAL", "severity": "HIGH",
            "title": "Round missed", "evidence_summary": "No scan since 02:00.",
            "site_id": site.id, "person_id": guard.id, "subject": f"person:{guard.id}",
            "window_start": NOW - HOUR, "window_end": NOW, "evidence": {}, "detected_at": NOW,
        },
    )  # fmt: skip
    announce("finding_created", finding)
    announce("finding_updated", finding)
    incident = make.row(
        Incident,
        {
            "slot": "x", "person_id": guard.id, "site_id": site.id, "signals": {},
            "combined_severity": "CRITICAL", "correlation_score": 0.9, "score_parts": {},
            "correlation_type": "x", "correlation_window_minutes": 15,
            "window_start": NOW - HOUR, "window_end": NOW,
        },
    )  # fmt: skip
    announce_incident("correlation_identified", incident)
    announce_incident("incident_updated", incident)
    session.commit()

    assert desk.send(route) == ["sent", "sent"]
    subjects = [" ".join(str(mail["Subject"]).split()) for _, mail in inbox.taken]
    assert subjects == [
        "[Acme Guarding] HIGH finding at Harbour Gate: Round missed. No scan since 02:00.",
        "[Acme Guarding] CRITICAL incident at Harbour Gate about Ravi: "
        "a signal and 0 alerts belong together",
    ]
