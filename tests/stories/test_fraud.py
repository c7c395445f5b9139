"""Story 1: a punch is checked, scored with reasons, alerted, ticketed and told on the feed.

Everything is real: ``noc up`` with its PostgreSQL, Redis, web, workers and scheduler.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.feed_client import FeedClient
from tests.instance import Instance, running

ALL = (
    "noc:view",
    "noc:operate",
    "noc:ingest",
    "security:fraud:view",
    "security:fraud:review",
    "ml:train",
    "admin",
)


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """One instance with two tenants for the stories of this module."""
    with running() as instance:
        for slug in ("acme", "rival"):
            instance.add_tenant(slug, *ALL)
        yield instance


def add_site(instance: Instance, tenant: str, code: str, lat: float = 51.5074) -> int:
    site = instance.put(
        f"sites/by-code/{code}/",
        {"name": f"Site {code}", "timezone": "Europe/London", "lat": lat, "lon": -0.1278},
        token=tenant,
    )
    assert site.status in (200, 201), site.body
    return int(site.data["id"])


def add_guard(instance: Instance, tenant: str, code: str, site_id: int) -> int:
    person = instance.put(
        f"people/by-code/{code}/",
        {"name": f"Guard {code}", "home_site_id": site_id},
        token=tenant,
    )
    assert person.status in (200, 201), person.body
    return int(person.data["id"])


def fraudulent_punch(person_id: int, site_id: int, external_id: str) -> dict[str, Any]:
    """Mock location 40 km away, with a face that hardly matches."""
    now = dt.datetime.now(dt.UTC)
    return {
        "external_id": external_id,
        "person_id": person_id,
        "site_id": site_id,
        "kind": "in",
        "occurred_at": now.isoformat(),
        "lat": 51.87,
        "lon": -0.1278,
        "gps_accuracy": 1.0,
        "biometric_quality_score": 0.21,
        "mock_location": True,
    }


def test_a_fraudulent_punch_reaches_the_feed_of_its_tenant_alone(instance: Instance) -> None:
    site_id = add_site(instance, "acme", "HQ")
    guard_id = add_guard(instance, "acme", "G-1", site_id)
    ours = FeedClient(instance.feed_url, instance.tokens["acme"])
    theirs = FeedClient(instance.feed_url, instance.tokens["rival"])
    try:
        ours.wait_for_type("hello")
        theirs.wait_for_type("hello")
        stored = instance.post(
            "attendance/events/", fraudulent_punch(guard_id, site_id, "story-1"), token="acme"
        )
        assert stored.status in (200, 201), stored.body

        anomaly = ours.wait_for_type("anomaly_detected", 15)
        alert = ours.wait_for_type("alert_created", 15)
        ticket = ours.wait_for_type("ticket_updated", 15)
        assert anomaly["person_id"] == guard_id
        assert "GPS_SPOOFING" in anomaly["anomaly_types"]
        assert alert["alert_type"] == "ATTENDANCE_ANOMALY"
        assert alert["site_id"] == site_id
        assert ticket["old_status"] is None
        assert ticket["new_status"] in ("NEW", "ASSIGNED")
        assert [frame["seq"] for frame in ours.frames if "event_id" in frame] == sorted(
            frame["seq"] for frame in ours.frames if "event_id" in frame
        )

        add_site(instance, "rival", "HQ")
        assert theirs.next(1) is None, "another tenant's feed stays silent"
    finally:
        ours.close()
        theirs.close()

    history = instance.get(f"security/fraud-scores/history/{guard_id}/", token="acme")
    assert history.status == 200
    assert instance.get(f"security/fraud-scores/history/{guard_id}/", token="rival").status == 404

    listed = instance.get(f"tickets/?person_id={guard_id}", token="acme")
    assert [item["priority"] for item in listed.data] == ["HIGH"]
    assert listed.data[0]["title"].startswith("[FRAUD ALERT] Guard G-1 - ")


def test_a_punch_sent_twice_is_alerted_once(instance: Instance) -> None:
    site_id = add_site(instance, "acme", "DOCK", lat=51.60)
    guard_id = add_guard(instance, "acme", "G-2", site_id)
    punch = fraudulent_punch(guard_id, site_id, "story-2")
    first = instance.post("attendance/events/?score=now", [punch], token="acme")
    again = instance.post("attendance/events/?score=now", [punch], token="acme")
    assert first.data["accepted"] == 1
    assert again.data["duplicates"] == 1
    assert again.data["items"][0]["id"] == first.data["items"][0]["id"]
    alerts = instance.get(f"alerts/?person_id={guard_id}", token="acme")
    assert len(alerts.data) == 1


def test_the_events_of_a_story_can_be_read_again(instance: Instance) -> None:
    listed = instance.get("events/?after=0", token="acme")
    assert listed.status == 200
    numbers = [event["seq"] for event in listed.data]
    assert numbers == list(range(1, len(numbers) + 1)), "seq has no gap"
