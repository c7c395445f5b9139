"""REST of events: the log for whoever polls, and what it says about itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from noc.events import log, pages
from noc.events.models import EventLog
from noc.events.stats import event_stats
from noc.extensions import session as current_session
from tests.conftest import ApiClient
from tests.factories import Make
from tests.signed_in import UserClient, limit_to


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
        "oldest_seq": 1,
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
    assert seqs(api.get("events/")) == [4, 5, 6], "without after it begins with what is kept"
    assert api.get("events/?after=0").status_code == 410


def test_what_retention_removes_while_a_page_is_read_is_not_passed_over_in_silence(
    session: Session, make: Make, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(make, 6)

    def read_late(*args: Any, **kwargs: Any) -> Any:
        current_session().execute(text("DELETE FROM noc_event_log WHERE seq <= 3"))
        return log.read_after(*args, **kwargs)

    monkeypatch.setattr(pages, "read_after", read_late)
    gone = api.get("events/?after=1")
    assert gone.status_code == 410
    assert gone.json["oldest_seq"] == 4


def test_the_newest_come_in_order_and_the_feed_goes_on_after_them(
    make: Make, api: ApiClient
) -> None:
    emit(make, 4)
    emit(make, 2, "ticket_updated")
    answer = api.get("events/?last=3")
    assert seqs(answer) == [4, 5, 6]
    assert answer.json["pagination"]["cursor"] == 6
    assert answer.json["pagination"]["next_cursor"] is None
    assert seqs(api.get("events/?last=3&types=alert_created")) == [2, 3, 4]
    assert seqs(api.get("events/?last=500")) == [1, 2, 3, 4, 5, 6]


def test_a_period_is_from_its_begin_on_and_before_its_end(
    session: Session, make: Make, api: ApiClient
) -> None:
    emit(make, 4)
    nine = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
    for hours in range(4):
        moment = nine + dt.timedelta(hours=hours)
        session.execute(update(EventLog).where(EventLog.seq == hours + 1).values(created_at=moment))
    since, until = "2026-11-16T10:00:00Z", "2026-11-16T12:00:00Z"
    assert seqs(api.get(f"events/?since={since}")) == [2, 3, 4]
    assert seqs(api.get(f"events/?until={until}")) == [1, 2, 3]
    both = api.get(f"events/?since={since}&until={until}&limit=1")
    assert seqs(both) == [2]
    after = both.json["pagination"]["next_cursor"]
    assert seqs(api.get(f"events/?since={since}&until={until}&after={after}")) == [3]
    assert seqs(api.get(f"events/?last=1&until={until}")) == [3]


def test_whoever_is_limited_to_a_site_reads_and_counts_that_site_alone(
    app: APIFlask, make: Make, client: FlaskClient
) -> None:
    here, there = make.site(), make.site()
    emit(make, 2, site_id=here.id)
    emit(make, 3, site_id=there.id)
    emit(make, 1)
    user = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    assert seqs(user.get("events/")) == [1, 2]
    assert seqs(user.get("events/?last=5")) == [1, 2]
    assert user.get(f"events/?site_id={there.id}").status_code == 404
    assert user.get("events/stats/").json["data"]["by_type"] == {"alert_created": 2}


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
        ("last=0", "last"),
        ("last=501", "last"),
        ("last=5&after=3", "last"),
        ("since=2026-11-16", "since"),
        ("since=2026-11-16T10:00:00Z&until=2026-11-16T10:00:00Z", "until"),
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
            broadcast_at=now,
            broadcast_latency_ms=EventLog.seq * 4.0,
            broadcast_success=True,
            recipient_count=3,
        )
    )
    session.execute(update(EventLog).where(EventLog.seq == 3).values(broadcast_success=False))
    stats = api.get("events/stats/?hours=1").json["data"]
    assert stats["total"] == 4
    assert stats["by_type"] == {"alert_created": 3, "ticket_updated": 1}
    by_type = stats["broadcasts"].pop("by_type")
    latencies = {"mean": 6.0, "p50": 6.0, "p95": 7.8, "p99": 7.96}
    assert stats["broadcasts"] == {
        "pushed": 2,
        "failed": 1,
        "recipients": 6,
        **{f"latency_{name}_ms": pytest.approx(value) for name, value in latencies.items()},
    }
    assert by_type["alert_created"] == stats["broadcasts"]
    assert by_type["ticket_updated"] == {
        "pushed": 0,
        "failed": 0,
        "recipients": 0,
        **{f"latency_{name}_ms": None for name in latencies},
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
