"""REST of events: the log for whoever polls, and what it says about itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from noc.events import log
from noc.events.models import EventLog
from noc.events.stats import event_stats
from tests.conftest import ApiClient
from tests.factories import Make


def emit(make: Make, count: int, event_type: Any = "alert_created", **ids: Any) -> None:
    for n in range(count):
        log.emit(event_type, {"n": n}, tenant_id=make.tenant_id, **ids)
    make.session.commit()


def seqs(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.json
    return [event["seq"] for event in answer.json["data"]]


def test_events_are_listed_in_order_from_the_beginning(make: Make, api: ApiClient) -> None:
    site = make.site(name="Dock")
    emit(make, 2, site_id=site.id)
    answer = api.get("events/")
    assert seqs(answer) == [1, 2]
    first = answer.json["data"][0]
    assert (first["type"], first["site_name"], first["n"]) == ("alert_created", "Dock", 0)
    assert {"event_id", "timestamp", "tenant_id", "site_id"} <= first.keys()
    assert answer.json["pagination"] == {
        "next_cursor": None,
        "limit": 50,
        "cursor": 2,
        "last_seq": 2,
    }


def test_a_poller_goes_on_from_the_cursor(make: Make, api: ApiClient) -> None:
    emit(make, 5)
    page = api.get("events/?after=1&limit=2")
    assert seqs(page) == [2, 3]
    assert page.json["pagination"]["next_cursor"] == 3
    page = api.get("events/?after=3&limit=2")
    assert seqs(page) == [4, 5]
    assert page.json["pagination"]["next_cursor"] is None
    assert page.json["pagination"]["cursor"] == 5
    assert seqs(api.get("events/?after=5")) == []


def test_the_cursor_passes_events_that_the_filters_leave_out(make: Make, api: ApiClient) -> None:
    here, there = make.site(), make.site()
    emit(make, 1, site_id=here.id)
    emit(make, 1, "ticket_updated", site_id=here.id)
    emit(make, 3, site_id=there.id)
    answer = api.get(f"events/?site_id={here.id}&types=alert_created,job_updated")
    assert seqs(answer) == [1]
    assert answer.json["pagination"]["cursor"] == 5


def test_what_is_older_than_the_log_is_gone_and_the_answer_says_where_it_begins(
    session: Session, make: Make, api: ApiClient
) -> None:
    emit(make, 6)
    session.execute(text("DELETE FROM noc_event_log WHERE seq <= 3"))
    gone = api.get("events/?after=2")
    assert gone.status_code == 410
    assert gone.content_type == "application/problem+json"
    assert gone.json["oldest_seq"] == 4
    assert seqs(api.get("events/?after=3")) == [4, 5, 6]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("types=nonsense", "types.0"),
        ("site_id=1,x", "site_id.1"),
        ("sites=1", "sites"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(api: ApiClient, query: str, field: str) -> None:
    answer = api.get(f"events/?{query}")
    assert answer.status_code == 422
    assert [error["field"].removeprefix("query.") for error in answer.json["errors"]] == [field]


def test_a_site_of_nobody_is_not_found(api: ApiClient) -> None:
    assert api.get("events/?site_id=987654321").status_code == 404


def test_stats_count_events_and_what_the_feed_made_of_them(
    session: Session, make: Make, api: ApiClient
) -> None:
    emit(make, 3)
    emit(make, 1, "ticket_updated")
    now = dt.datetime.now(dt.UTC)
    session.execute(
        update(EventLog)
        .where(EventLog.seq <= 2)
        .values(
            broadcast_at=now, broadcast_latency_ms=4.0, broadcast_success=True, recipient_count=3
        )
    )
    session.execute(update(EventLog).where(EventLog.seq == 3).values(broadcast_success=False))
    stats = api.get("events/stats/?hours=1").json["data"]
    assert stats["total"] == 4
    assert stats["by_type"] == {"alert_created": 3, "ticket_updated": 1}
    assert stats["broadcasts"] == {
        "pushed": 2,
        "failed": 1,
        "recipients": 6,
        "latency_p50_ms": 4.0,
        "latency_p99_ms": 4.0,
    }
    assert (stats["oldest_seq"], stats["last_seq"], stats["hours"]) == (1, 4, 1)


def test_stats_of_an_empty_log_are_zero(api: ApiClient) -> None:
    stats = api.get("events/stats/").json["data"]
    assert (stats["total"], stats["by_type"]) == (0, {})
    assert stats["broadcasts"]["pushed"] == 0
    assert stats["broadcasts"]["latency_p50_ms"] is None
    assert api.get("events/stats/?hours=0").status_code == 422


def test_stats_keep_to_the_hours_and_the_sites(session: Session, make: Make) -> None:
    here, there = make.site(), make.site()
    emit(make, 2, site_id=here.id)
    emit(make, 1, site_id=there.id)
    now = dt.datetime.now(dt.UTC)
    old = now - dt.timedelta(hours=2)
    session.execute(update(EventLog).where(EventLog.seq == 1).values(created_at=old))

    def total(hours: int, site_ids: list[int] | None = None) -> Any:
        return event_stats(make.tenant_id, now=now, hours=hours, site_ids=site_ids)["total"]

    assert total(1) == 2
    assert total(3) == 3
    assert total(3, [here.id]) == 2
    assert total(1, []) == 0
