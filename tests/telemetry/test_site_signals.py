"""A site's people, each and in total, in as many queries for many as for few."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.identity.principal import Principal
from noc.telemetry.ingest import store_signals
from noc.telemetry.site_answers import SiteSignalsQuery, site_signals_answer
from noc.workforce.models import Person, Site
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


def hear(make: Make, person: Person, *ago: float, **values: Any) -> None:
    now = utcnow()
    plain: dict[str, Any] = {"kind": "phone_event", "event_type": "call", "person_id": person.id}
    items = [
        plain | {"external_id": f"{person.id}-{n}-{values}", **values}
        | {"occurred_at": (now - minutes * MINUTE).isoformat()}
        for n, minutes in enumerate(ago)
    ]  # fmt: skip
    assert not store_signals(items, tenant_id=make.tenant_id, now=now).rejected


def answer(api: ApiClient, site: Site, query: str = "fresh=1") -> Any:
    response = api.get(f"telemetry/signals/site/{site.id}/?{query}")
    assert response.status_code == 200, response.text
    return response.get_json()


def test_everybody_of_the_site_is_there_each_and_in_total(
    api: ApiClient, make: Make, site: Site
) -> None:
    at_home, relief, gone = make.person(site), make.person(make.site()), make.person(site)
    gone.active = False
    make.person(make.site())
    make.shift(relief, site, utcnow() - HOUR)
    hear(make, at_home, 5, 10)
    hear(make, relief, 20)
    hear(make, relief, 200, kind="task_completed")

    told = answer(api, site)["data"]

    assert [one["person_id"] for one in told["people"]] == [at_home.id, relief.id]
    assert [one["on_duty"] for one in told["people"]] == [False, True]
    assert [one["signals"]["phone_events_count"] for one in told["people"]] == [2, 1]
    assert told["signals"]["phone_events_count"] == 3
    assert told["signals"]["tasks_completed_count"] == 0, "outside the window"
    counts = (told["active_people"], told["people_on_duty"], told["people_heard"])
    assert counts == (2, 1, 2)
    assert (told["site_name"], told["window_minutes"]) == (site.name, 120)


def test_it_is_kept_for_a_while_and_asked_anew_on_demand(
    api: ApiClient, make: Make, site: Site
) -> None:
    guard = make.person(site)
    first = answer(api, site, "")
    hear(make, guard, 5)
    kept, fresh = answer(api, site, ""), answer(api, site)

    assert (first["cached"], kept["cached"], fresh["cached"]) == (False, True, False)
    assert kept["data"]["collected_at"] == first["data"]["collected_at"]
    assert kept["data"]["signals"]["phone_events_count"] == 0
    assert fresh["data"]["signals"]["phone_events_count"] == 1


def test_filters_narrow_the_people_a_page_at_a_time_and_not_the_totals(
    api: ApiClient, make: Make, site: Site
) -> None:
    guards = [make.person(site) for _ in range(5)]
    for guard in guards[:3]:
        hear(make, guard, 5)
    make.shift(guards[4], site, utcnow() - HOUR)

    def ids(query: str) -> list[int]:
        return [one["person_id"] for one in answer(api, site, query)["data"]["people"]]

    assert ids("fresh=1&heard=true") == [guard.id for guard in guards[:3]]
    assert ids("on_duty=true") == [guards[4].id]
    first = answer(api, site, "limit=3")
    second = answer(api, site, f"limit=3&cursor={first['pagination']['next_cursor']}")
    listed = [one["person_id"] for page in (first, second) for one in page["data"]["people"]]
    assert listed == [guard.id for guard in guards]
    assert second["pagination"]["next_cursor"] is None
    assert second["data"]["signals"]["phone_events_count"] == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("window_minutes=0", "window_minutes"),
        ("window_minutes=525600", "window_minutes"),
        ("at=0001-01-01T00:00:00Z", "at"),
        ("limit=0", "limit"),
        ("cursor=junk", "cursor"),
        ("colour=red", "colour"),
    ],
)
def test_what_makes_no_sense_is_named(api: ApiClient, site: Site, query: str, field: str) -> None:
    assert_problem(api.get(f"telemetry/signals/site/{site.id}/?{query}"), 422, **{field: ""})


def test_strangers_find_no_such_site(
    app: APIFlask, api: ApiClient, make: Make, session: Session, site: Site
) -> None:
    path = f"telemetry/signals/site/{site.id}/"
    other = tenants.create_tenant("rival", "Rival Guarding")
    session.commit()
    with tenant_context(session, other.id):
        _, secret = tokens.create(other.id, "theirs", ["noc:view"])
        session.commit()
    assert_problem(ApiClient(app.test_client(), secret).get(path), 404)
    limited = UserClient(app, make, limit_to(make, make.user("viewer"), make.site().id))
    assert_problem(limited.get(path), 404)
    assert_problem(api.get("telemetry/signals/site/987654/"), 404)
    _, phones = tokens.create(make.tenant_id, "phones", ["noc:ingest"])
    assert_problem(ApiClient(app.test_client(), phones).get(path), 403)


def test_the_number_of_queries_does_not_grow_with_the_people(
    make: Make, site: Site, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    principal = Principal(make.tenant_id, "x", frozenset())
    query = SiteSignalsQuery(fresh=True)

    def ask() -> Any:
        return site_signals_answer(site.id, query, principal=principal, now=utcnow())

    make.person(site)
    few = query_count(ask)
    for _ in range(20):
        hear(make, make.person(site), 5, 10)
    assert query_count(ask) == few == 5
