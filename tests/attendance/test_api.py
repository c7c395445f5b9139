"""The REST interface of punches: statuses, problems, lists, voiding."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.attendance.signals import punch_voided, punches_stored
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    kept = [dict(signal.receivers) for signal in (punches_stored, punch_voided)]
    punches_stored.receivers.clear()
    punch_voided.receivers.clear()
    yield
    punches_stored.receivers.update(kept[0])
    punch_voided.receivers.update(kept[1])


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site)


@pytest.fixture
def punch(guard: Person, site: Site) -> Callable[..., dict[str, Any]]:
    known = {"person_id": guard.id, "site_id": site.id}
    moment = (utcnow() - dt.timedelta(minutes=3)).isoformat()

    def build(**values: Any) -> dict[str, Any]:
        return {"external_id": "p-1", "kind": "in", "occurred_at": moment} | known | values

    return build


def stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AttendanceEvent)) or 0


class TestTaking:
    def test_one_punch_alone_answers_201_then_200_on_a_retry(
        self, api: Any, punch: Any, session: Session
    ) -> None:
        first = api.post("attendance/events/", json=punch())
        again = api.post("attendance/events/", json=punch())
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json["data"]["accepted"] == again.json["data"]["duplicates"] == 1
        assert first.json["data"]["items"][0]["id"] == again.json["data"]["items"][0]["id"]
        assert stored(session) == 1

    @pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"events": x}])
    def test_a_batch_comes_as_an_array_or_below_events(
        self, api: Any, punch: Any, wrap: Callable[[Any], Any]
    ) -> None:
        batch = wrap([punch(), punch(external_id="p-2")])
        answer = api.post("attendance/events/", json=batch)
        assert answer.status_code == 201
        assert answer.json["data"]["accepted"] == 2

    def test_a_batch_with_a_bad_punch_is_answered_item_by_item(
        self, api: Any, punch: Any, session: Session
    ) -> None:
        answer = api.post("attendance/events/", json=[punch(), punch(lat=200, lon=0)])
        assert answer.status_code == 200
        data = answer.json["data"]
        assert (data["accepted"], data["duplicates"]) == (1, 0)
        assert data["rejected"] == [
            {
                "index": 1,
                "field": "lat",
                "reason": "Input should be less than or equal to 90",
            }
        ]
        assert [item["status"] for item in data["items"]] == ["stored", "rejected"]
        assert stored(session) == 1

    def test_a_single_bad_punch_is_a_problem_that_names_the_field(
        self, api: Any, punch: Any, session: Session
    ) -> None:
        answer = api.post("attendance/events/", json=punch(person_id=10**12))
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert answer.json["errors"] == [
            {"field": "person_id", "reason": "there is no such person"}
        ]
        assert stored(session) == 0

    @pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[1,]", b"[" * 5000])
    def test_a_malformed_body_is_a_400(self, api: Any, body: bytes) -> None:
        answer = api.post("attendance/events/", data=body)
        assert answer.status_code == 400
        assert answer.json["errors"][0]["field"] == "body"

    @pytest.mark.parametrize("body", ["7", '"punch"', "null", '{"events": {}}'])
    def test_json_of_another_shape_is_a_422(self, api: Any, body: str) -> None:
        answer = api.post("attendance/events/", data=body)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "body"

    def test_an_empty_batch_stores_nothing_and_says_so(self, api: Any) -> None:
        answer = api.post("attendance/events/", json=[])
        assert answer.status_code == 200
        assert answer.json["data"]["items"] == []

    def test_a_batch_over_the_limit_is_refused_whole(
        self, api: Any, punch: Any, session: Session
    ) -> None:
        batch = [punch(external_id=f"p-{n}") for n in range(1001)]
        answer = api.post("attendance/events/", json=batch)
        assert answer.status_code == 413
        assert answer.json["limit"] == 1000
        assert stored(session) == 0

    def test_not_a_number_is_refused_as_a_coordinate(self, api: Any, punch: Any) -> None:
        body = json.dumps([punch(lat=float("nan"), lon=0.0)])
        data = api.post("attendance/events/", data=body).json["data"]
        assert data["rejected"][0]["field"] == "lat"

    def test_scores_come_with_the_answer_when_asked_for(self, api: Any, punch: Any) -> None:
        def score(_: str, punch_ids: list[int], **__: Any) -> list[dict[str, Any]]:
            return [{"punch_id": key, "fraud_score": 0.1} for key in punch_ids]

        punches_stored.connect(score)
        data = api.post("attendance/events/?score=now", json=punch()).json["data"]
        assert data["scores"] == [{"punch_id": data["items"][0]["id"], "fraud_score": 0.1}]

    def test_scoring_at_another_time_cannot_be_asked_for(self, api: Any, punch: Any) -> None:
        answer = api.post("attendance/events/?score=later", json=punch())
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "score")

    def test_a_failing_listener_leaves_nothing_half_stored(
        self, api: Any, punch: Any, session: Session
    ) -> None:
        def fail(_: str, **__: Any) -> None:
            raise RuntimeError("scoring broke")

        punches_stored.connect(fail)
        assert api.post("attendance/events/", json=punch()).status_code == 500
        assert stored(session) == 0

    def test_only_a_token_for_ingest_brings_punches(
        self, client: Any, make: Make, punch: Any
    ) -> None:
        _, secret = tokens.create(make.tenant_id, "reader", ["noc:view"])
        path = "/api/v2/noc/attendance/events/"
        header = {"Authorization": f"Bearer {secret}"}
        assert client.post(path, json=punch()).status_code == 401
        assert client.post(path, json=punch(), headers=header).status_code == 403
        wrong = {"Authorization": "Bearer noc_wrong"}
        assert client.post(path, json=punch(), headers=wrong).status_code == 401


class TestListing:
    def test_punches_are_listed_newest_first_with_names(
        self, api: Any, make: Make, guard: Person, site: Site
    ) -> None:
        older = make.punch(guard, site, occurred_at=NOW - dt.timedelta(hours=1))
        newer = make.punch(guard, site, kind="out")
        data = api.get("attendance/events/").json["data"]
        assert [one["id"] for one in data] == [newer.id, older.id]
        assert data[0]["person_name"] == guard.name
        assert data[0]["site_name"] == site.name
        assert data[0]["occurred_at"] == NOW.isoformat()

    def test_a_cursor_goes_through_all_pages_without_a_repeat(
        self, api: Any, make: Make, guard: Person, site: Site
    ) -> None:
        made = {make.punch(guard, site).id for _ in range(5)}
        seen: list[int] = []
        cursor = ""
        for _ in range(3):
            page = api.get(f"attendance/events/?limit=2{cursor}").json
            seen += [one["id"] for one in page["data"]]
            cursor = f"&cursor={page['pagination']['next_cursor']}"
        assert seen == sorted(made, reverse=True)
        assert page["pagination"]["next_cursor"] is None

    def test_lists_filter_by_what_they_show(
        self, api: Any, make: Make, guard: Person, site: Site
    ) -> None:
        other = make.person(site)
        one = make.punch(guard, site, occurred_at=NOW)
        make.punch(other, site, kind="out", occurred_at=NOW + dt.timedelta(hours=1))
        later = "2026-11-16T10:00:00Z"
        for query in (
            f"person_id={guard.id}",
            "kind=in",
            f"until={later}",
            f"external_id={one.external_id}",
            f"site_id={site.id}&person_id={guard.id}&voided=false&scored=false",
        ):
            data = api.get(f"attendance/events/?{query}").json["data"]
            assert [item["id"] for item in data] == [one.id], query
        assert len(api.get(f"attendance/events/?since={later}").json["data"]) == 1
        assert api.get("attendance/events/?voided=true").json["data"] == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("person_id=x", "person_id"),
            ("kind=nap", "kind"),
            ("since=2026-11-16", "since"),
            ("colour=red", "colour"),
            ("limit=0", "limit"),
            ("cursor=zzz", "cursor"),
        ],
    )
    def test_a_filter_that_cannot_be_is_named(self, api: Any, query: str, field: str) -> None:
        answer = api.get(f"attendance/events/?{query}")
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == field

    def test_another_tenants_punch_is_not_there(
        self, api: Any, session: Session, make: Make
    ) -> None:
        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            theirs = Make(session, rival.id)
            place = theirs.site()
            punch = theirs.punch(theirs.person(place), place)
            key = punch.id
        assert api.get(f"attendance/events/{key}/").status_code == 404
        voiding = api.post(f"attendance/events/{key}/void/", json={"reason": "mistake"})
        assert voiding.status_code == 404
        assert api.get("attendance/events/").json["data"] == []
        assert api.get(f"attendance/events/{2**80}/").status_code == 404


class TestVoiding:
    def test_a_voided_punch_says_who_and_why_and_is_announced_once(
        self, api: Any, make: Make, guard: Person, site: Site
    ) -> None:
        heard: list[int] = []

        def listen(_: str, punch_id: int, **__: Any) -> None:
            heard.append(punch_id)

        punch_voided.connect(listen)
        user, punch = make.user(), make.punch(guard, site)
        path = f"attendance/events/{punch.id}/void/"
        first = api.post(path, json={"reason": "Wrong guard", "by": user.id}).json["data"]
        again = api.post(path, json={"reason": "Another reason"}).json["data"]
        assert first["voided_by"] == user.id
        assert first["void_reason"] == again["void_reason"] == "Wrong guard"
        assert first["voided_at"] == again["voided_at"]
        assert heard == [punch.id]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "reason"),
            ({"reason": ""}, "reason"),
            ({"reason": "x", "by": 10**12}, "by"),
            ({"reason": "x", "why": "y"}, "why"),
        ],
    )
    def test_voiding_needs_a_reason_and_a_known_user(
        self, api: Any, make: Make, guard: Person, site: Site, body: Any, field: str
    ) -> None:
        punch = make.punch(guard, site)
        answer = api.post(f"attendance/events/{punch.id}/void/", json=body)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == field
        assert api.get(f"attendance/events/{punch.id}/").json["data"]["voided_at"] is None

    def test_a_punch_that_never_was_cannot_be_voided(self, api: Any) -> None:
        for key in (10**12, 2**80):
            answer = api.post(f"attendance/events/{key}/void/", json={"reason": "x"})
            assert answer.status_code == 404
