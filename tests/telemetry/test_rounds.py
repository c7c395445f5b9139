"""Rounds on the roster: planned once, walked, late, left open, missed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.telemetry.models import JobNeed
from noc.workforce.models import Person, Site
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

MINUTE = dt.timedelta(minutes=1)


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def tour(api: ApiClient, site: Site) -> dict[str, Any]:
    """A tour of three checkpoints."""
    checkpoints = [{"code": f"C{n}", "name": f"Gate {n}"} for n in range(3)]
    plan = {"name": "Perimeter", "site_id": site.id, "checkpoints": checkpoints}
    return data(api.put("tours/by-code/PERIMETER/", json=plan), 201)


def planned(name: str, person: Person, starts_in: float, minutes: float = 30) -> dict[str, Any]:
    starts = utcnow() + starts_in * MINUTE
    return {
        "external_id": name,
        "person_id": person.id,
        "starts_at": starts.isoformat(),
        "expires_at": (starts + minutes * MINUTE).isoformat(),
    }


def scan(api: ApiClient, tour: dict[str, Any], person: Person, *where: int, ago: float) -> Any:
    body = [
        {
            "external_id": f"scan-{person.id}-{n}-{ago}",
            "kind": "checkpoint_scan",
            "person_id": person.id,
            "checkpoint_id": tour["checkpoints"][n]["id"],
            "occurred_at": (utcnow() - ago * MINUTE).isoformat(),
        }
        for n in where
    ]
    return data(api.post("telemetry/events/", json=body), 201)["items"]


def test_a_round_is_planned_with_a_job_for_each_checkpoint(
    api: ApiClient, tour: dict[str, Any], guard: Person, session: Session
) -> None:
    made = data(api.post(f"tours/{tour['id']}/rounds/", json=planned("r1", guard, -10)), 201)

    round_id = made["items"][0]["id"]
    children = session.scalars(select(JobNeed).where(JobNeed.parent_id == round_id)).all()
    assert {child.checkpoint_id for child in children} == {
        checkpoint["id"] for checkpoint in tour["checkpoints"]
    }
    assert {child.person_id for child in children} == {guard.id}


def test_scans_complete_it_and_the_last_one_ends_it(
    api: ApiClient, tour: dict[str, Any], guard: Person
) -> None:
    made = data(api.post(f"tours/{tour['id']}/rounds/", json=planned("r1", guard, -20)), 201)
    round_id = made["items"][0]["id"]

    items = scan(api, tour, guard, 0, 1, ago=10)
    assert [item["round_id"] for item in items] == [round_id] * 2
    (row,) = data(api.get("tours/rounds/"))
    assert (row["state"], row["scanned"], row["due"], row["endtime"]) == ("open", 2, 3, None)
    scan(api, tour, guard, 2, ago=5)

    (row,) = data(api.get("tours/rounds/?state=done"))
    assert (row["state"], row["scanned"], row["late"]) == ("done", 3, 0)
    assert row["endtime"] == row["last_scan_at"] is not None
    assert (row["tour_name"], row["person_name"]) == ("Perimeter", guard.name)


def test_a_scan_nobody_asked_for_is_kept_and_says_so(
    api: ApiClient, make: Make, tour: dict[str, Any], guard: Person
) -> None:
    (item,) = scan(api, tour, guard, 0, ago=5)
    assert item["round_id"] is None
    stranger = make.person(make.site())
    data(api.post(f"tours/{tour['id']}/rounds/", json=planned("r1", guard, -20)), 201)

    (elsewhere,) = scan(api, tour, stranger, 0, ago=4)

    assert elsewhere["round_id"] is None
    assert data(api.get("tours/rounds/"))[0]["scanned"] == 0


def test_sent_twice_it_is_planned_once(
    api: ApiClient, tour: dict[str, Any], guard: Person, session: Session
) -> None:
    batch = [planned(f"r{n}", guard, n * 60) for n in range(3)]
    first = data(api.post(f"tours/{tour['id']}/rounds/", json=batch), 201)
    again = data(api.post(f"tours/{tour['id']}/rounds/", json=[*batch, batch[0]]))

    assert [item["status"] for item in again["items"]] == ["duplicate"] * 4
    assert [item["id"] for item in again["items"]][:3] == [item["id"] for item in first["items"]]
    assert session.scalar(select(func.count()).select_from(JobNeed)) == 12


def test_one_bad_round_does_not_lose_the_others(
    api: ApiClient, make: Make, tour: dict[str, Any], guard: Person
) -> None:
    good = planned("good", guard, 0)
    batch = [
        good,
        good | {"external_id": "a", "person_id": 10**12},
        good | {"external_id": "b", "expires_at": good["starts_at"]},
        good | {"external_id": "c", "expires_at": (utcnow() + 25 * 60 * MINUTE).isoformat()},
        good | {"external_id": " "},
        good | {"external_id": "d", "starts_at": "0001-01-01T00:00:00Z"},
        "nonsense",
    ]

    answer = data(api.post(f"tours/{tour['id']}/rounds/", json=batch))

    assert answer["accepted"] == 1
    assert [(one["index"], one["field"]) for one in answer["rejected"]] == [
        (1, "person_id"), (2, "expires_at"), (3, "expires_at"), (4, "external_id"),
        (5, "starts_at"), (6, "item"),
    ]  # fmt: skip
    assert_problem(api.post("tours/987654/rounds/", json=good), 404)
    other = data(
        api.put("tours/by-code/OTHER/", json={"name": "O", "site_id": tour["site_id"]}), 201
    )
    taken = api.post(f"tours/{other['id']}/rounds/", json=good)
    assert_problem(taken, 422, external_id="something else")


def test_completion_by_tour_person_and_site(
    api: ApiClient, make: Make, tour: dict[str, Any], site: Site, guard: Person
) -> None:
    lazy = make.person(site)
    rounds = [
        planned("done", guard, -100),
        planned("late", guard, -300),
        planned("missed", lazy, -100),
        planned("part", lazy, -300),
    ]
    data(api.post(f"tours/{tour['id']}/rounds/", json=rounds), 201)
    scan(api, tour, guard, 0, 1, 2, ago=90)
    scan(api, tour, guard, 0, 1, 2, ago=250)
    scan(api, tour, lazy, 0, ago=280)

    by_tour = data(api.get("tours/completion/"))["rows"]
    by_person = data(api.get("tours/completion/?by=person"))["rows"]
    by_site = data(api.get(f"tours/completion/?by=site&site_id={site.id}"))["rows"]

    (all_of_it,) = by_tour
    counts = {name: all_of_it[name] for name in ("rounds", "done", "late", "missed", "open")}
    assert counts == {"rounds": 4, "done": 1, "late": 1, "missed": 2, "open": 0}
    assert (all_of_it["completion_rate"], all_of_it["on_time_rate"]) == (0.5, 0.25)
    assert all_of_it["checkpoints_scanned"] == 7
    rates = {row["id"]: row["completion_rate"] for row in by_person}
    assert rates == {guard.id: 1.0, lazy.id: 0.0}
    assert [row["id"] for row in by_site] == [site.id]
    assert (
        data(api.get("tours/completion/?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z"))[
            "rows"
        ]
        == []
    )
    assert_problem(api.get("tours/completion/?by=colour"), 422, by="'tour'")


def test_pages_of_rounds_follow_each_other(
    api: ApiClient, tour: dict[str, Any], guard: Person
) -> None:
    batch = [planned(f"r{n}", guard, -n * 40) for n in range(7)]
    data(api.post(f"tours/{tour['id']}/rounds/", json=batch), 201)

    ids, cursor = [], ""
    for _ in range(4):
        page = api.get(f"tours/rounds/?limit=3{cursor}").get_json()
        ids += [row["id"] for row in page["data"]]
        if page["pagination"]["next_cursor"] is None:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"

    assert len(ids) == len(set(ids)) == 7


def test_who_is_limited_to_a_site_sees_its_rounds_alone(
    app: APIFlask, api: ApiClient, make: Make, tour: dict[str, Any], guard: Person, site: Site
) -> None:
    data(api.post(f"tours/{tour['id']}/rounds/", json=planned("r1", guard, -10)), 201)
    here = UserClient(app, make, limit_to(make, make.user("viewer"), site.id))
    there = UserClient(app, make, limit_to(make, make.user("viewer"), make.site().id))

    assert len(data(here.get("tours/rounds/"))) == 1
    assert data(there.get("tours/rounds/")) == []
    assert data(there.get("tours/completion/"))["rows"] == []


def test_the_last_two_scans_at_the_same_moment_end_the_round(
    app: APIFlask, services: Services
) -> None:
    from noc.extensions import session as current
    from noc.telemetry.ingest import store_signals
    from noc.telemetry.models import Checkpoint, Tour

    with committed_tenant(app, services) as make:
        site = make.site()
        person = make.person(site)
        now = utcnow()
        tour = make.row(Tour, {"code": "T", "name": "T", "site_id": site.id})
        span = {
            "person_id": person.id, "site_id": site.id, "starts_at": now - 10 * MINUTE,
            "expires_at": now + 10 * MINUTE,
        }  # fmt: skip
        job = make.row(JobNeed, {"kind": "tour", "tour_id": tour.id, **span})
        bodies = []
        for n in range(8):
            tag = make.row(Checkpoint, {"code": f"C{n}", "name": "C", "site_id": site.id})
            make.row(
                JobNeed,
                {"kind": "checkpoint", "parent_id": job.id, "checkpoint_id": tag.id, **span},
            )
            bodies.append(
                {
                    "kind": "checkpoint_scan",
                    "external_id": f"s{n}",
                    "person_id": person.id,
                    "checkpoint_id": tag.id,
                    "occurred_at": (now - n * MINUTE).isoformat(),
                }
            )
        current().commit()
        tenant_id, job_id = make.tenant_id, job.id

        at_once(
            app,
            tenant_id,
            [
                lambda body=body: store_signals([body], tenant_id=tenant_id, now=now)  # type: ignore[misc]
                for body in bodies
            ],
        )

        current().expire_all()
        assert current().get_one(JobNeed, (tenant_id, job_id)).endtime == now
