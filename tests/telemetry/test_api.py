"""The REST interface of phone signals and tours."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.identity.models import TenantSetting
from noc.identity.principal import Principal
from noc.rest.problems import Problem
from noc.telemetry.answers import SignalsQuery, signals_answer
from noc.telemetry.models import Checkpoint, LocationUpdate
from noc.workforce.models import Person, Site
from tests.factories import Make

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def fix(guard: Person) -> Callable[..., dict[str, Any]]:
    person_id = guard.id
    now = utcnow()

    def build(name: str, minutes: float = 5, **values: Any) -> dict[str, Any]:
        return {
            "external_id": name,
            "kind": "location",
            "person_id": person_id,
            "occurred_at": (now - dt.timedelta(minutes=minutes)).isoformat(),
            "lat": 19.0,
            "lon": 72.0,
        } | values

    return build


def stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(LocationUpdate)) or 0


class TestTaking:
    def test_an_array_is_answered_item_by_item(self, api: Any, fix: Any, session: Session) -> None:
        answer = api.post("telemetry/events/", json=[fix("a"), fix("b", lat=95), fix("a")])
        assert answer.status_code == 200
        data = answer.json["data"]
        assert [item["status"] for item in data["items"]] == ["stored", "rejected", "duplicate"]
        assert [(one["index"], one["field"]) for one in data["rejected"]] == [(1, "lat")]
        assert (data["accepted"], data["duplicates"], stored(session)) == (1, 1, 1)

    def test_ndjson_loses_only_the_broken_line(self, api: Any, fix: Any, session: Session) -> None:
        lines = [json.dumps(fix("a")), '{"kind": "loc', "", json.dumps(fix("b")), "7"]
        answer = api.post("telemetry/events/", data="\n".join(lines), headers=NDJSON)
        data = answer.json["data"]
        assert [item["status"] for item in data["items"]] == [
            "stored",
            "rejected",
            "stored",
            "rejected",
        ]
        assert data["rejected"][0]["reason"].startswith("is not JSON")
        assert data["rejected"][1]["reason"] == "must be a JSON object"
        assert stored(session) == 2

    def test_ndjson_without_a_fault_is_201(self, api: Any, fix: Any) -> None:
        body = json.dumps(fix("a")) + "\r\n" + json.dumps(fix("b")) + "\n"
        assert api.post("telemetry/events/", data=body, headers=NDJSON).status_code == 201

    def test_a_single_bad_signal_is_a_problem_that_names_the_field(
        self, api: Any, fix: Any
    ) -> None:
        answer = api.post("telemetry/events/", json=fix("a", person_id=10**12))
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert answer.json["errors"][0]["field"] == "person_id"

    def test_a_malformed_array_stores_nothing(self, api: Any, fix: Any, session: Session) -> None:
        body = json.dumps([fix("a"), fix("b")])[:-1]
        answer = api.post("telemetry/events/", data=body)
        assert answer.status_code == 400
        assert stored(session) == 0

    @pytest.mark.parametrize("headers", [{}, NDJSON])
    def test_a_batch_over_the_limit_is_refused_whole(
        self, api: Any, fix: Any, session: Session, headers: dict[str, str]
    ) -> None:
        items = [fix(f"f{n}") for n in range(1001)]
        array = json.dumps(items)
        lines = "\n".join(json.dumps(item) for item in items)
        body = lines if headers else array
        answer = api.post("telemetry/events/", data=body, headers=headers)
        assert answer.status_code == 413
        assert answer.json["errors"][0]["field"] == "body"
        assert stored(session) == 0

    def test_only_a_token_for_ingest_brings_signals(
        self, client: Any, make: Make, fix: Any
    ) -> None:
        _, secret = tokens.create(make.tenant_id, "reader", ["noc:view"])
        path = "/api/v2/noc/telemetry/events/"
        header = {"Authorization": f"Bearer {secret}"}
        assert client.post(path, json=[fix("a")]).status_code == 401
        assert client.post(path, json=[fix("a")], headers=header).status_code == 403


class TestSignals:
    def test_the_answer_says_who_where_when_and_what(
        self, api: Any, fix: Any, guard: Person, site: Site
    ) -> None:
        api.post("telemetry/events/", json=[fix("a", 9), fix("b", 8, lat=19.001)])
        answer = api.get(f"telemetry/signals/{guard.id}/")
        assert answer.status_code == 200
        assert answer.json["cached"] is False
        data = answer.json["data"]
        assert (data["person_id"], data["person_name"]) == (guard.id, guard.name)
        assert (data["site_id"], data["site_name"]) == (site.id, site.name)
        assert data["window_minutes"] == 120
        assert data["signals"] == {
            "phone_events_count": 0,
            "location_updates_count": 2,
            "movement_distance_meters": 110.69,
            "tasks_completed_count": 0,
            "tour_checkpoints_scanned": 0,
        }

    def test_an_answer_is_kept_until_asked_for_afresh(
        self, api: Any, fix: Any, guard: Person
    ) -> None:
        path = f"telemetry/signals/{guard.id}/"
        first = api.get(path).json
        api.post("telemetry/events/", json=[fix("a")])
        kept = api.get(path).json
        assert kept["cached"] is True
        assert kept["data"] == first["data"]
        fresh = api.get(f"{path}?fresh=1").json
        assert fresh["cached"] is False
        assert fresh["data"]["signals"]["location_updates_count"] == 1
        assert fresh["data"]["collected_at"] > first["data"]["collected_at"]
        assert api.get(path).json["data"] == fresh["data"]

    def test_another_window_is_another_answer(self, api: Any, fix: Any, guard: Person) -> None:
        api.post("telemetry/events/", json=[fix("a", 5), fix("b", 90)])

        def seen(query: str) -> int:
            answer = api.get(f"telemetry/signals/{guard.id}/?{query}").json["data"]
            return int(answer["signals"]["location_updates_count"])

        hour_ago = (utcnow() - dt.timedelta(hours=1)).isoformat()
        assert seen("window_minutes=120") == 2
        assert seen("window_minutes=30") == 1
        assert seen(f"at={hour_ago.replace('+', '%2B')}") == 1
        assert seen(f"at={hour_ago}&window_minutes=10") == 0

    def test_a_tenant_may_keep_answers_for_no_time_at_all(
        self, api: Any, make: Make, guard: Person
    ) -> None:
        make.row(TenantSetting, {"name": "telemetry_cache_ttl", "value": 0})
        path = f"telemetry/signals/{guard.id}/"
        assert [api.get(path).json["cached"] for _ in range(2)] == [False, False]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("window_minutes=0", "window_minutes"),
            ("window_minutes=10081", "window_minutes"),
            ("window_minutes=two", "window_minutes"),
            ("at=2026-11-16T09:00:00", "at"),
            ("at=now", "at"),
            ("fresh=perhaps", "fresh"),
            ("minutes=5", "minutes"),
        ],
    )
    def test_a_window_that_cannot_be_is_named(
        self, api: Any, guard: Person, query: str, field: str
    ) -> None:
        answer = api.get(f"telemetry/signals/{guard.id}/?{query}")
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == field

    def test_a_stranger_is_not_there(
        self, api: Any, session: Session, make: Make, guard: Person
    ) -> None:
        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            theirs = Make(session, rival.id).person().id
        for person_id in (theirs, 10**12, 2**80, 0):
            answer = api.get(f"telemetry/signals/{person_id}/")
            assert answer.status_code == 404
            assert answer.content_type == "application/problem+json"

    def test_each_tenant_has_its_own_answers(
        self, api: Any, client: Any, session: Session, guard: Person
    ) -> None:
        assert api.get(f"telemetry/signals/{guard.id}/").status_code == 200
        person_id = guard.id
        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            _, secret = tokens.create(rival.id, "theirs", ["noc:view"])
        path = f"/api/v2/noc/telemetry/signals/{person_id}/"
        header = {"Authorization": f"Bearer {secret}"}
        assert client.get(path, headers=header).status_code == 404


class TestTours:
    def plan(self, site: Site, *codes: str, **values: Any) -> dict[str, Any]:
        checkpoints = [{"code": code, "name": f"At {code}"} for code in codes]
        return {"name": "Night round", "site_id": site.id, "checkpoints": checkpoints} | values

    def test_a_tour_is_made_then_changed_by_its_code(self, api: Any, site: Site) -> None:
        made = api.put("tours/by-code/N1/", json=self.plan(site, "GATE", "ROOF"))
        changed = api.put("tours/by-code/N1/", json=self.plan(site, "ROOF", "YARD", name="Late"))
        assert (made.status_code, changed.status_code) == (201, 200)
        first, second = made.json["data"], changed.json["data"]
        assert first["id"] == second["id"]
        assert [one["code"] for one in first["checkpoints"]] == ["GATE", "ROOF"]
        assert [(one["code"], one["position"]) for one in second["checkpoints"]] == [
            ("ROOF", 1),
            ("YARD", 2),
        ]
        assert first["checkpoints"][1]["id"] == second["checkpoints"][0]["id"]
        assert second["name"] == "Late"

    def test_a_checkpoint_that_is_not_listed_stays_known_without_a_tour(
        self, api: Any, site: Site, session: Session
    ) -> None:
        api.put("tours/by-code/N1/", json=self.plan(site, "GATE"))
        api.put("tours/by-code/N1/", json=self.plan(site))
        gate = session.scalars(select(Checkpoint)).one()
        assert (gate.code, gate.tour_id) == ("GATE", None)

    def test_tours_are_listed_with_their_checkpoints_a_page_at_a_time(
        self, api: Any, make: Make, site: Site
    ) -> None:
        for n in range(3):
            api.put(f"tours/by-code/N{n}/", json=self.plan(site, f"GATE{n}"))
        first = api.get("tours/?limit=2").json
        second = api.get(f"tours/?limit=2&cursor={first['pagination']['next_cursor']}").json
        codes = [tour["code"] for tour in first["data"] + second["data"]]
        assert codes == ["N0", "N1", "N2"]
        assert second["pagination"]["next_cursor"] is None
        assert first["data"][0]["checkpoints"][0]["code"] == "GATE0"
        assert first["data"][0]["site_name"] == site.name
        assert api.get(f"tours/?site_id={make.site().id}").json["data"] == []
        assert [t["code"] for t in api.get("tours/?code=N1&active=true").json["data"]] == ["N1"]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"site_id": 10**12}, "site_id"),
            ({"name": ""}, "name"),
            ({"checkpoints": [{"code": "A"}, {"code": "A"}]}, "checkpoints"),
            ({"checkpoints": [{"code": "A", "lat": 1.0}]}, "checkpoints.0.lon"),
            ({"checkpoints": [{"code": "A", "lat": 91, "lon": 0}]}, "checkpoints.0.lat"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_a_plan_that_cannot_be_is_named_and_changes_nothing(
        self, api: Any, site: Site, change: dict[str, Any], field: str
    ) -> None:
        answer = api.put("tours/by-code/N1/", json=self.plan(site, "GATE") | change)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == field
        assert api.get("tours/").json["data"] == []

    def test_another_tenants_site_and_tours_do_not_exist(
        self, api: Any, session: Session, site: Site
    ) -> None:
        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            theirs = Make(session, rival.id).site()
            site_id = theirs.id
        answer = api.put("tours/by-code/N1/", json=self.plan(site) | {"site_id": site_id})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "site_id")

    def test_who_may_only_look_cannot_plan(self, client: Any, make: Make, site: Site) -> None:
        _, secret = tokens.create(make.tenant_id, "reader", ["noc:view"])
        header = {"Authorization": f"Bearer {secret}"}
        path = "/api/v2/noc/tours/"
        assert client.get(path, headers=header).status_code == 200
        body = self.plan(site)
        assert client.put(f"{path}by-code/N1/", json=body, headers=header).status_code == 403
        assert client.put(f"{path}by-code/N1/", json={}).status_code == 401


def test_who_is_limited_to_some_sites_hears_of_their_guards_only(
    make: Make, guard: Person, site: Site
) -> None:
    elsewhere = make.site()
    reader = Principal(make.tenant_id, "Reader", frozenset({"noc:view"}))

    def ask(*site_ids: int) -> dict[str, Any]:
        limited = replace(reader, site_ids=frozenset(site_ids))
        return signals_answer(guard.id, SignalsQuery(), principal=limited, now=utcnow())[0]

    assert ask(site.id)["person_id"] == guard.id
    with pytest.raises(Problem, match="no such person"):
        ask(elsewhere.id)  # not even from what is kept for others
