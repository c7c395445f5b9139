"""Stories 2, 4 and 5: a silent guard, a tour, and what belongs together. Everything is real."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.feed_client import FeedClient
from tests.instance import Instance, running
from tests.stories.test_fraud import ALL, add_guard

MINUTE = dt.timedelta(minutes=1)
TENANT = "acme"


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """One instance with a tenant and its supervisor for the stories of this module."""
    with running() as instance:
        instance.add_tenant(TENANT, *ALL)
        words = ("--email", "boss@acme.example", "--name", "Sol Supervisor", "--role", "operator")
        instance.noc(
            "users", "create", "--tenant", TENANT, *words, "--password-stdin",
            input="a good long password\n",
        )  # fmt: skip
        yield instance


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def add_post(instance: Instance, code: str) -> tuple[int, int]:
    """A site with its supervisor, and a guard who has been on duty there for three hours."""
    site = instance.put(
        f"sites/by-code/{code}/",
        {
            "name": f"Site {code}", "timezone": "Europe/London", "lat": 51.5, "lon": -0.12,
            "noc_supervisor_email": "boss@acme.example",
        },
        token=TENANT,
    )  # fmt: skip
    guard = add_guard(instance, TENANT, f"G-{code}", site.data["id"])
    shift = {
        "person_id": guard,
        "site_id": site.data["id"],
        "starts_at": (now() - 180 * MINUTE).isoformat(),
        "ends_at": (now() + 300 * MINUTE).isoformat(),
    }
    assert instance.put(f"shifts/by-code/{code}/", shift, token=TENANT).status == 201
    return site.data["id"], guard


def send(instance: Instance, *signals: dict[str, Any]) -> list[dict[str, Any]]:
    answer = instance.post("telemetry/events/", list(signals), token=TENANT)
    assert answer.status in (200, 201), answer.body
    assert not answer.data["rejected"]
    items: list[dict[str, Any]] = answer.data["items"]
    return items


def signal(person: int, kind: str, minutes_ago: float, **values: Any) -> dict[str, Any]:
    at = (now() - minutes_ago * MINUTE).isoformat()
    name = f"{kind}-{person}-{minutes_ago}-{sorted(values.items())}"[:200]
    return {"external_id": name, "kind": kind, "person_id": person, "occurred_at": at, **values}


def audit(instance: Instance, *words: str) -> str:
    return instance.noc("audit", "run", "--tenant", TENANT, *words)


def test_a_silent_guard_is_found_told_and_on_the_supervisors_desk_once(
    instance: Instance,
) -> None:
    site, guard = add_post(instance, "NORTH")
    send(instance, signal(guard, "heartbeat", 40))
    feed = FeedClient(instance.feed_url, instance.tokens[TENANT])
    try:
        feed.wait_for_type("hello")
        assert "1 of them new" in audit(instance, "--site", "NORTH", "--heartbeat")
        found = feed.wait_for_type("finding_created", 15)
        ticket = feed.wait_for_type("ticket_updated", 15)
    finally:
        feed.close()
    assert (found["finding_type"], found["site_id"]) == ("DEVICE_SILENT", site)
    assert "40 minutes" in found["evidence_summary"]
    assert (ticket["old_status"], ticket["assignee"]) == (None, "Sol Supervisor")

    assert "0 of them new" in audit(instance, "--site", "NORTH", "--heartbeat")
    (listed,) = instance.get(f"tickets/?site_id={site}", token=TENANT).data
    assert listed["title"] == "[AUTO] DEVICE_SILENT: Site NORTH"
    shown = instance.get(f"tickets/{listed['id']}/", token=TENANT).data
    assert shown["evidence"][0]["kind"] == "finding"
    (finding,) = instance.get(f"findings/?site_id={site}", token=TENANT).data
    assert finding["escalation_ticket_id"] == listed["id"]

    send(instance, signal(guard, "heartbeat", 0))
    assert "Heard of again" in audit(instance, "--site", "NORTH", "--heartbeat")
    (finding,) = instance.get(f"findings/?site_id={site}", token=TENANT).data
    assert (finding["status"], finding["resolution"]) == ("RESOLVED", "EXPIRED")


def test_a_tour_counts_what_was_scanned_in_time_late_and_offline(instance: Instance) -> None:
    site, guard = add_post(instance, "DOCK")
    plan = {
        "name": "Dock round",
        "site_id": site,
        "checkpoints": [{"code": f"DOCK-{n}"} for n in range(4)],
    }
    tour = instance.put("tours/by-code/DOCK/", plan, token=TENANT).data
    tags = [checkpoint["id"] for checkpoint in tour["checkpoints"]]
    planned = {
        "external_id": "round-1",
        "person_id": guard,
        "starts_at": (now() - 110 * MINUTE).isoformat(),
        "expires_at": (now() - 70 * MINUTE).isoformat(),
    }
    assert instance.post(f"tours/{tour['id']}/rounds/", planned, token=TENANT).status == 201
    path = f"telemetry/signals/{guard}/?window_minutes=120"

    def scan(n: int, minutes_ago: float) -> dict[str, Any]:
        return signal(guard, "checkpoint_scan", minutes_ago, checkpoint_id=tags[n])

    send(instance, scan(0, 100), scan(1, 95), scan(2, 60))
    first = instance.get(path, token=TENANT).body
    assert first["data"]["signals"]["tour_checkpoints_scanned"] == 3
    (item,) = send(instance, scan(3, 90))  # Scanned offline, sent an hour after.
    assert item["round_id"] is not None

    kept = instance.get(path, token=TENANT).body
    fresh = instance.get(f"{path}&fresh=1", token=TENANT).body
    assert (kept["cached"], fresh["cached"]) == (True, False)
    assert kept["data"]["signals"]["tour_checkpoints_scanned"] == 3
    assert fresh["data"]["signals"]["tour_checkpoints_scanned"] == 4

    (row,) = instance.get(f"tours/rounds/?person_id={guard}", token=TENANT).data
    assert (row["state"], row["scanned"], row["late"]) == ("late", 4, 1)
    (told,) = instance.get("tours/completion/?by=tour", token=TENANT).data["rows"]
    assert (told["completion_rate"], told["on_time_rate"]) == (1.0, 0.0)


def test_low_activity_and_a_phone_offline_are_one_incident_until_it_is_closed(
    instance: Instance,
) -> None:
    site, guard = add_post(instance, "GATE")
    send(instance, *[signal(guard, "heartbeat", n * 10) for n in range(12)])

    def offline(key: str) -> int:
        report = {
            "alert_type": "DEVICE_OFFLINE",
            "severity": "HIGH",
            "message": "The phone is gone.",
            "site_id": site,
            "person_id": guard,
            "dedup_key": key,
        }
        answer = instance.post("alerts/", report, token=TENANT)
        assert answer.status == 201, answer.body
        return int(answer.data["items"][0]["id"])

    first = offline("gate-1")
    audit(instance, "--site", "GATE")

    (incident,) = instance.get(f"incidents/?site_id={site}", token=TENANT).data
    assert incident["alert_ids"] == [first]
    assert [one["kind"] for one in incident["signals"].values()] == ["LOW_ACTIVITY"]
    path = f"incidents/{incident['id']}"
    for action, body in (
        ("investigate", {"note": "Called the guard: asleep."}),
        ("root-cause", {"description": "Double shift."}),
        ("close", {}),
    ):
        assert instance.post(f"{path}/{action}/", body, token=TENANT).status == 200
    closed = instance.get(f"{path}/", token=TENANT).data
    assert (closed["status"], closed["root_cause_description"]) == ("CLOSED", "Double shift.")

    later = offline("gate-2")
    audit(instance, "--site", "GATE")
    listed = instance.get(f"incidents/?site_id={site}&unresolved=true", token=TENANT).data
    assert [one["alert_ids"] for one in listed] == [[later]]
    told = instance.get(f"telemetry/correlations/?site_id={site}&fresh=1", token=TENANT).data
    assert len(told["correlations"]) == 2
