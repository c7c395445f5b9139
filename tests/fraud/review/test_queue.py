"""The review queue: which punches, in which order, and why."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, text, update
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.base import new_uuid
from noc.database.tenancy import tenant_context
from noc.fraud.labels import label_punches
from noc.fraud.registry.models import FraudModel
from noc.fraud.review import queue
from noc.fraud.review.audits import draw
from noc.fraud.review.labelling import Said, label
from noc.fraud.review.queue import AUDIT, HIGHEST, UNCERTAIN, mix, review_queue
from noc.identity import tenants
from noc.identity.tenant_settings import override
from noc.rest.problems import Problem
from tests.conftest import Services
from tests.crowd import committed_tenant
from tests.factories import NOW, Make
from tests.fraud.review.population import DAY, YESTERDAY, prediction, punches, shadow
from tests.fraud.stories import SHIFT_START, score, settled


def look(make: Make, **asked: Any) -> dict[str, Any]:
    return review_queue(tenant_id=make.tenant_id, now=NOW, **asked)


def listed(make: Make, **asked: Any) -> list[int]:
    return [item["punch_id"] for item in look(make, **asked)["items"]]


def draw_all(make: Make, day: dt.date = YESTERDAY, reviews: int = 40) -> None:
    override("fraud_reviews_per_day", reviews, site_id=None, now=NOW)
    draw(day, tenant_id=make.tenant_id, now=NOW)


def active_model(make: Make, threshold: float) -> None:
    values: dict[str, Any] = {
        "version": "v1",
        "model_type": "logistic",
        "status": "active",
        "is_active": True,
        "artefact": b"x",
        "artefact_sha256": "x",
        "features": [],
        "thresholds": {"operating": threshold},
        "calibration": {},
        "train_samples": 1,
    }
    make.row(FraudModel, values)


def ids(count: int) -> list[uuid.UUID]:
    return [new_uuid() for _ in range(count)]


class TestMixing:
    def test_a_page_has_its_shares(self) -> None:
        pool = ids(200)
        picked = mix(ids(50), pool, pool[::-1], 60)
        assert Counter(why for _, why in picked) == {AUDIT: 3, HIGHEST: 38, UNCERTAIN: 19}
        assert len({one for one, _ in picked}) == 60

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 200])
    def test_at_least_one_is_an_audit_while_any_wait(self, limit: int) -> None:
        pool = ids(300)
        picked = mix(ids(1), pool, pool, limit)
        assert len(picked) == limit
        assert Counter(why for _, why in picked)[AUDIT] == 1

    def test_whoever_stops_early_has_done_some_of_each(self) -> None:
        pool = ids(300)
        picked = mix(ids(20), pool, pool[::-1], 60)
        assert {why for _, why in picked[:3]} == {AUDIT, HIGHEST, UNCERTAIN}
        for stop in (20, 40):
            done = Counter(why for _, why in picked[:stop])
            assert done[AUDIT] == pytest.approx(stop / 20, abs=1)
            assert done[HIGHEST] == pytest.approx(2 * done[UNCERTAIN], abs=2)

    def test_where_one_kind_runs_out_the_others_fill_the_page(self) -> None:
        few, audits = ids(3), ids(30)
        assert Counter(why for _, why in mix(audits, few, few, 10)) == {
            AUDIT: 7, HIGHEST: 2, UNCERTAIN: 1,
        }  # fmt: skip
        assert Counter(why for _, why in mix([], few, few, 10)) == {HIGHEST: 2, UNCERTAIN: 1}
        assert len(mix(audits, [], [], 10)) == 10
        assert mix([], [], [], 10) == []

    def test_the_best_come_first_and_none_twice_however_many_there_are(self) -> None:
        for audits, pool, limit in itertools.product((0, 1, 5, 40), (0, 1, 2, 9, 100), (1, 8, 50)):
            drawn, others = ids(audits), ids(pool)
            picked = mix(drawn[:limit], others[:limit], others[::-1][:limit], limit)
            of = {kind: [one for one, why in picked if why == kind] for kind in queue.KINDS}
            assert len({one for one, _ in picked}) == len(picked) == min(limit, audits + pool)
            assert of[AUDIT] == drawn[: len(of[AUDIT])]
            assert of[HIGHEST] == others[: len(of[HIGHEST])]
            rest = [one for one in others[::-1] if one not in of[HIGHEST]]
            assert of[UNCERTAIN] == rest[: len(of[UNCERTAIN])]


def test_the_highest_and_the_most_uncertain_come_in_turn(make: Make) -> None:
    by_score = {value: punch for value in (0.95, 0.9, 0.52, 0.45, 0.1)
                for punch in punches(make, [value])}  # fmt: skip

    items = look(make, limit=3)["items"]

    assert [(item["punch_id"], item["why"]) for item in items] == [
        (by_score[0.95], HIGHEST), (by_score[0.52], UNCERTAIN), (by_score[0.9], HIGHEST),
    ]  # fmt: skip


def test_uncertain_is_what_lies_at_the_threshold_of_the_active_model(make: Make) -> None:
    punches(make, [0.95, 0.5])
    (near,) = punches(make, [0.31])
    active_model(make, 0.3)

    told = look(make, limit=2)

    assert told["threshold"] == 0.3
    assert [item["punch_id"] for item in told["items"] if item["why"] == UNCERTAIN] == [near]


def test_drawn_punches_come_as_audits_alone_the_oldest_draw_first(make: Make) -> None:
    """However high the score: those done must stay like those that were drawn."""
    old = punches(make, [0.99], day=YESTERDAY - 2 * DAY)
    new = punches(make, [0.01])
    rest = punches(make, [0.8, 0.7, 0.6], day=NOW.date() - 5 * DAY)
    override("fraud_reviews_per_day", 40, site_id=None, now=NOW)
    draw(YESTERDAY - 2 * DAY, tenant_id=make.tenant_id, now=NOW - DAY)
    draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    told = look(make, limit=3)

    assert [i["punch_id"] for i in told["items"] if i["why"] == AUDIT] == old
    whole = look(make, limit=50)["items"]
    assert [i["punch_id"] for i in whole if i["why"] == AUDIT] == old + new
    assert {i["punch_id"] for i in whole if i["why"] != AUDIT} == set(rest)
    assert told["audits"] == {"drawn": 2, "labelled": 0}


def test_what_is_labelled_voided_old_or_a_shadows_is_not_there(
    make: Make, session: Session
) -> None:
    open_one, labelled, voided = punches(make, [0.6, 0.7, 0.8])
    punches(make, [0.9], day=(NOW - 15 * DAY).date())
    shadow(make, open_one, 0.99)
    label_punches(
        {labelled: False}, tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOW
    )
    session.execute(
        update(AttendanceEvent).where(AttendanceEvent.id == voided).values(voided_at=NOW)
    )
    other = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, other.id):
        punches(Make(session, other.id), [0.9])

    told = look(make)

    assert [item["punch_id"] for item in told["items"]] == [open_one]
    assert told["waiting"]["total"] == 1
    assert len(listed(make, days=20)) == 2


def test_a_punch_without_an_answer_goes_behind_the_others(make: Make) -> None:
    first, second, third = punches(make, [0.95, 0.9, 0.85])
    said = Said(prediction(make, first).id, "INCONCLUSIVE", "No camera.")
    label([said], tenant_id=make.tenant_id, user_id=None, site_ids=None, now=NOW)

    items = look(make, limit=2)["items"]

    assert {item["punch_id"] for item in items} == {second, third}
    last = next(item for item in look(make)["items"] if item["punch_id"] == first)
    assert last["looked_at"] == "No camera."


def test_what_waits_is_counted_by_kind(make: Make) -> None:
    punches(make, [0.9, 0.6, 0.45, 0.41, 0.3, 0.1])
    punches(make, [0.9, 0.2], day=YESTERDAY - DAY)
    draw_all(make, YESTERDAY - DAY)
    (done,) = punches(make, [0.9], day=YESTERDAY - 2 * DAY)
    draw_all(make, YESTERDAY - 2 * DAY)
    said = Said(prediction(make, done).id, "CONFIRMED")
    label([said], tenant_id=make.tenant_id, user_id=None, site_ids=None, now=NOW)

    told = look(make, limit=1)

    assert told["waiting"] == {AUDIT: 2, HIGHEST: 2, UNCERTAIN: 2, "total": 8}
    assert told["audits"] == {"drawn": 3, "labelled": 1}


def test_a_limited_user_sees_their_sites_and_one_site_is_a_filter(make: Make) -> None:
    here, there = make.site(), make.site()
    (mine,) = punches(make, [0.7], site=here)
    punches(make, [0.9, 0.8], site=there)
    draw_all(make, reviews=1000)

    limited = look(make, site_ids=frozenset({here.id}))
    assert [item["punch_id"] for item in limited["items"]] == [mine]
    assert (limited["waiting"]["total"], limited["audits"]["drawn"]) == (1, 1)
    assert listed(make, site_id=here.id) == [mine]
    for site_id, sites in ((there.id, frozenset({here.id})), (10**9, None)):
        with pytest.raises(Problem) as caught:
            look(make, site_ids=sites, site_id=site_id)
        assert caught.value.status == 404


def test_an_item_says_what_a_reviewer_needs(make: Make) -> None:
    guard = settled(make)
    scored = score(
        guard.punch(SHIFT_START, mock_location=True, lat=guard.site.lat, lon=guard.site.lon,
                    gps_accuracy=2.0)
    )  # fmt: skip

    item = next(i for i in look(make)["items"] if i["punch_id"] == scored.punch_id)

    assert item["prediction_id"] == str(prediction(make, scored.punch_id).id)
    assert (item["person_name"], item["site_name"]) == (guard.person.name, guard.site.name)
    assert (item["kind"], item["model_version"]) == ("in", "rules")
    assert item["ticket_id"] == scored.ticket_id
    assert item["alert_id"] == scored.alert_id
    assert item["anomaly_types"] == ["GPS_SPOOFING"]
    assert item["reasons"][0]["rule"] == "GPS_SPOOFING"
    assert (item["why"], item["probability"], item["looked_at"]) == (HIGHEST, None, None)


def test_the_same_state_gives_the_same_page(make: Make) -> None:
    punches(make, [0.5] * 30)
    draw_all(make, reviews=100)
    assert listed(make, limit=10) == listed(make, limit=10)


def test_an_empty_queue_is_empty(make: Make) -> None:
    told = look(make)
    assert (told["items"], told["waiting"]["total"]) == ([], 0)


def test_it_takes_a_constant_number_of_queries(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    punches(make, [0.5])
    few = query_count(lambda: look(make, site_id=None))
    punches(make, [n / 300 for n in range(300)])
    draw_all(make, reviews=200)
    assert query_count(lambda: look(make, limit=200)) == few <= 5


@pytest.fixture
def crowd(app: APIFlask, services: Services) -> Iterator[Make]:
    with committed_tenant(app, services) as make:
        yield make


def test_it_reads_the_index_of_scores_by_time(crowd: Make, services: Services) -> None:
    """Beside a year of punches the fortnight is found by index, as the application's role."""
    site = crowd.site()
    person = crowd.person(site)
    for ago in range(0, 350, 2):
        day = (NOW - (ago + 1) * DAY).date()
        punches(crowd, [n / 100 for n in range(40)], site=site, person=person, day=day)
    crowd.session.commit()
    owner = create_engine(services.admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("ANALYZE fraud_prediction_log, attendance_event"))
    parameters = {
        "tenant": crowd.tenant_id, "since": NOW - 14 * DAY, "now": NOW, "sites": None,
        "threshold": 0.5, "near": 0.1, "limit": 50,
    }  # fmt: skip

    plan = crowd.session.scalars(text(f"EXPLAIN {queue._OPEN.text}"), parameters).all()

    assert any("ix_fraud_prediction_log_recent" in line for line in plan), "\n".join(plan)
    assert not [line for line in plan if "Seq Scan on fraud_prediction_log" in line]
