"""REST of fraud."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import redis_client
from noc.fraud import freshness
from noc.fraud.scoring import score_punches
from noc.identity import tenants, tokens
from noc.identity.capabilities import FRAUD_VIEW, VIEW
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.stories import Guard, newcomer

MINUTE = dt.timedelta(minutes=1)

PATHS = (
    "security/fraud-scores/live/",
    "security/fraud-scores/history/{person}/",
    "security/fraud-scores/heatmap/",
    "security/ml-models/performance/",
)


def mocked(guard: Guard, minutes_ago: float = 5) -> int:
    """A suspicious punch of just now, scored."""
    now = utcnow()
    punch = guard.punch(now - minutes_ago * MINUTE, mock_location=True)
    score_punches([punch.id], tenant_id=punch.tenant_id, now=now)
    return punch.id


@pytest.mark.parametrize("path", PATHS)
def test_each_answer_comes_from_the_cache_the_second_time(
    api: ApiClient, make: Make, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    Clock(monkeypatch, 1_000_000_000)
    guard = newcomer(make)
    mocked(guard)
    address = path.format(person=guard.person.id)

    first, second = api.get(address), api.get(address)

    assert first.status_code == second.status_code == 200
    assert first.json["status"] == "success"
    assert (first.json["cached"], second.json["cached"]) == (False, True)
    assert first.json["data"] == second.json["data"]
    assert api.get(f"{address}?fresh=1").json["cached"] is False


def test_a_new_score_is_seen_once_the_span_of_the_last_one_is_over(
    api: ApiClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = newcomer(make)
    clock = Clock(monkeypatch, 1_000_000_000)
    mocked(guard, 9)
    assert len(api.get(PATHS[0]).json["data"]) == 1

    clock.now += 3
    mocked(guard, 4)
    make.session.commit()
    clock.now += 7

    assert len(api.get(PATHS[0]).json["data"]) == 2


def test_a_span_later_a_new_score_is_seen_at_once(
    api: ApiClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = newcomer(make)
    clock = Clock(monkeypatch, 1_000_000_000)
    mocked(guard, 9)
    api.get(PATHS[0])
    clock.now += 20
    assert len(api.get(PATHS[0]).json["data"]) == 1

    mocked(guard, 4)

    assert len(api.get(PATHS[0]).json["data"]) == 2


class Clock:
    """The clock of Redis, as freshness asks for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: int) -> None:
        self.now = now
        monkeypatch.setattr(freshness, "redis_now", lambda _: self.now)


def test_live_pages_lead_through_everything_once(api: ApiClient, make: Make) -> None:
    guard = newcomer(make)
    punches = [mocked(guard, minutes) for minutes in (1, 2, 3, 4, 5)]

    seen, address = [], "security/fraud-scores/live/?limit=2"
    while address:
        answer = api.get(address).json
        seen += [row["punch_id"] for row in answer["data"]]
        cursor = answer["pagination"]["next_cursor"]
        address = f"security/fraud-scores/live/?limit=2&cursor={cursor}" if cursor else ""

    assert seen == punches


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("live/?min_score=1.5", "min_score"),
        ("live/?min_score=high", "min_score"),
        ("live/?limit=0", "limit"),
        ("live/?cursor=nonsense", "cursor"),
        ("live/?colour=red", "colour"),
        ("heatmap/?days=0", "days"),
        ("heatmap/?days=4000", "days"),
        ("heatmap/?site_id=-1", "site_id"),
        ("history/1/?days=x", "days"),
    ],
)
def test_a_bad_parameter_is_named(api: ApiClient, make: Make, query: str, field: str) -> None:
    answer = api.get(f"security/fraud-scores/{query}")

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("path", ["history/{id}/", "heatmap/?site_id={id}"])
def test_what_is_another_tenants_is_not_there(api: ApiClient, make: Make, path: str) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(make.session, rival.id):
        theirs = newcomer(Make(make.session, rival.id))
    foreign = theirs.person.id if "history" in path else theirs.site.id

    assert api.get(f"security/fraud-scores/{path.format(id=foreign)}").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_it_takes_the_capability(client: FlaskClient, make: Make, path: str) -> None:
    address = path.format(person=newcomer(make).person.id)
    allowed = ApiClient(client, tokens.create(make.tenant_id, "may", [FRAUD_VIEW])[1])
    denied = ApiClient(client, tokens.create(make.tenant_id, "may not", [VIEW])[1])

    assert allowed.get(address).status_code == 200
    assert denied.get(address).status_code == 403
    assert client.get(f"/api/v2/noc/{address}").status_code == 401


def test_without_redis_the_answer_is_computed(
    app: APIFlask, api: ApiClient, make: Make, unreachable_redis: Any
) -> None:
    guard = newcomer(make)
    with unreachable_redis:
        mocked(guard)
        answer = api.get(PATHS[0])

    assert answer.status_code == 200
    assert len(answer.json["data"]) == 1
    assert answer.json["cached"] is False
    assert redis_client().ping()
