"""What another threshold would have meant, worked out by hand on a few punches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.fraud.review.models import AuditDraw
from noc.fraud.watching.whatif import what_if
from noc.identity import tenants, tokens
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.watching.conftest import DAY, NOW, serve, spread
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

BUDDY = "BUDDY_PUNCHING"
FIRST = NOW - 10 * DAY


def ten_days(make: Make, **values: Any) -> list[int]:
    """Ten punches, one a day; scores .05, .15 ... .95; those from .65 on are anomalies."""
    times = [FIRST + n * DAY for n in range(10)]
    scores = [0.05 + n / 10 for n in range(10)]
    types = [BUDDY if n >= 6 else None for n in range(10)]
    return serve(make, times, scores, **{"types": types} | values)


def audit(make: Make, punch: int, chance: float) -> None:
    row = make.session.execute(
        text("SELECT site_id, occurred_at FROM fraud_prediction_log"
             " WHERE attendance_event_id = :id"), {"id": punch},
    ).one()  # fmt: skip
    make.row(AuditDraw, {
        "attendance_event_id": punch, "site_id": row.site_id, "occurred_at": row.occurred_at,
        "inclusion_probability": chance,
    })  # fmt: skip


def asked(make: Make, **values: Any) -> dict[str, Any]:
    answer: dict[str, Any] = what_if(tenant_id=make.tenant_id, now=NOW, **values)
    return answer


class TestByHand:
    def test_work_hits_and_false_alarms(self, make: Make) -> None:
        #          .05   .15   .25   .35   .45    .55    .65   .75   .85    .95
        frauds = [None, None, None, None, False, True, False, True, None, True]
        ten_days(make, frauds=frauds, labelled_at=NOW - DAY / 2)
        found = asked(make, threshold=0.65)
        assert (found["days_covered"], found["punches"], found["reviewed"]) == (10, 10, 5)
        assert found["scored_by"] == {"rules": 10}
        at = found["asked"]
        assert at["threshold"] == 0.65
        assert at["punches_per_day"] == 0.4
        assert at["tickets_per_day"] == 0.4
        assert at["reviewed"] == 3
        assert at["precision"]["value"] == pytest.approx(2 / 3, abs=1e-6)
        # Wilson, 2 of 3 at 90 %
        assert at["precision"]["low"] == pytest.approx(0.2535, abs=1e-4)
        assert at["false_alarms_per_day"] == pytest.approx(0.4 / 3, abs=1e-4)
        assert found["recall_basis"] == "reviewed punches"
        assert at["recall"]["value"] == pytest.approx(2 / 3, abs=1e-6)
        assert found["in_force"]["threshold"] == 0.8
        assert found["in_force"]["punches_per_day"] == 0.2
        assert found["in_force"]["recall"]["value"] == pytest.approx(1 / 3, abs=1e-6)

    def test_the_curve_goes_from_all_to_none(self, make: Make) -> None:
        ten_days(make)
        curve = asked(make, threshold=0.5)["curve"]
        assert [point["threshold"] for point in curve] == [round(n / 40, 6) for n in range(41)]
        by = {point["threshold"]: point for point in curve}
        assert by[0.0]["punches_per_day"] == 1
        assert by[0.5]["punches_per_day"] == 0.5
        assert by[0.5]["tickets_per_day"] == 0.4
        assert by[0.9]["tickets_per_day"] == 0.1
        assert by[1.0]["punches_per_day"] == by[1.0]["tickets_per_day"] == 0
        assert by[0.5]["precision"]["value"] is None
        assert by[0.5]["false_alarms_per_day"] is None
        assert by[0.5]["recall"]["value"] is None

    def test_a_score_on_the_threshold_is_over_it(self, make: Make) -> None:
        serve(make, [FIRST, FIRST + DAY], [0.7, 0.699999], types=[BUDDY] * 2)
        assert asked(make, threshold=0.7)["asked"]["punches_per_day"] == 0.1
        assert asked(make, threshold=0.7)["asked"]["tickets_per_day"] == 0.1

    def test_recall_of_audits_counts_each_for_those_it_stands_for(self, make: Make) -> None:
        frauds = [True, False, True, None, None, None, None, None, None, True]
        punches = ten_days(make, frauds=frauds, labelled_at=NOW - DAY / 2)
        # Drawn: .05 one in 2, .25 one in 10, .95 one in 4; the second draw found nothing.
        for n, chance in ((0, 0.5), (1, 0.5), (2, 0.1), (9, 0.25)):
            audit(make, punches[n], chance)
        found = asked(make, threshold=0.2)
        assert found["recall_basis"] == "random audits"
        assert (found["drawn"], found["audited"], found["coverage"]) == (4, 4, 1.0)
        assert found["asked"]["recall"]["value"] == pytest.approx(14 / 16)
        assert found["in_force"]["recall"]["value"] == pytest.approx(4 / 16)
        # Kish: 16^2 / (4 + 100 + 16) = 2.1333 observations
        low, high = found["in_force"]["recall"]["low"], found["in_force"]["recall"]["high"]
        assert (low, high) == pytest.approx((0.0371, 0.7425), abs=1e-4)

    @pytest.mark.parametrize(
        ("reviewed", "fraud", "basis"),
        [(8, True, "random audits"), (7, True, "reviewed punches"),
         (10, False, "reviewed punches"), (0, False, "reviewed punches")],
    )  # fmt: skip
    def test_audits_say_what_is_missed_once_most_of_them_are_reviewed(
        self, make: Make, reviewed: int, fraud: bool, basis: str
    ) -> None:
        # As tickets do it: the highest scores have their labels first, the lowest wait.
        frauds = [None] * (10 - reviewed) + [False] * reviewed
        punches = ten_days(make, frauds=[*frauds[:9], fraud] if reviewed else frauds,
                           labelled_at=NOW - DAY / 2)  # fmt: skip
        for punch in punches:
            audit(make, punch, 0.5)
        found = asked(make, threshold=0.5)
        assert found["recall_basis"] == basis
        assert (found["drawn"], found["audited"]) == (10, reviewed)
        assert found["coverage"] == reviewed / 10

    def test_nothing_drawn_has_no_coverage(self, make: Make) -> None:
        ten_days(make, frauds=[True] * 10, labelled_at=NOW - DAY / 2)
        found = asked(make, threshold=0.5)
        assert (found["drawn"], found["coverage"]) == (0, None)
        assert found["recall_basis"] == "reviewed punches"

    def test_voided_shadow_old_and_future_punches_do_not_count(
        self, make: Make, session: Session
    ) -> None:
        punches = ten_days(make)
        serve(make, [NOW - 31 * DAY, NOW + DAY], [0.9, 0.9], types=[BUDDY] * 2)
        session.execute(
            text("UPDATE attendance_event SET voided_at = now() WHERE id = :id"),
            {"id": punches[9]},
        )
        found = asked(make, threshold=0.6)
        assert found["punches"] == 9
        assert found["asked"]["tickets_per_day"] == 0.3

    def test_nothing_at_all_is_answered_with_nothing(self, make: Make) -> None:
        found = asked(make, budget=3)
        assert found["asked"]["threshold"] == found["in_force"]["threshold"] == 0.8
        assert found["asked"]["tickets_per_day"] == 0
        assert found["within_budget"] is True

    @pytest.mark.parametrize("values", [{}, {"threshold": 0.5, "budget": 1}])
    def test_exactly_one_of_threshold_and_budget(self, make: Make, values: Any) -> None:
        with pytest.raises(ValueError, match="either"):
            asked(make, **values)


class TestBudget:
    def test_the_lowest_threshold_that_keeps_it(self, make: Make) -> None:
        ten_days(make)
        found = asked(make, budget=0.2)
        assert found["asked"]["threshold"] == pytest.approx(0.85)
        assert (found["asked"]["tickets_per_day"], found["within_budget"]) == (0.2, True)
        # As much as there is time for: lower than the lowest anomaly nothing more would open.
        assert asked(make, budget=100)["asked"]["threshold"] == pytest.approx(0.65)

    def test_a_larger_budget_never_misses_more(self, make: Make) -> None:
        rng = np.random.default_rng(8)
        frauds = (rng.random(400) < 0.4).tolist()
        scores = np.round(np.clip(0.6 + 0.25 * np.array(frauds) + rng.normal(0, 0.1, 400), 0, 1), 3)
        people = [make.person(make.site()) for _ in range(40)]
        serve(
            make, spread(400, NOW - 20 * DAY, NOW - DAY), scores.tolist(), frauds=frauds,
            types=[BUDDY] * 400, people=people, labelled_at=NOW - DAY / 2,
        )  # fmt: skip
        found = [asked(make, budget=budget) for budget in (0.5, 1, 2, 4, 8, 16)]
        assert all(one["within_budget"] for one in found)
        tickets = [one["asked"]["tickets_per_day"] for one in found]
        recall = [one["asked"]["recall"]["value"] for one in found]
        thresholds = [one["asked"]["threshold"] for one in found]
        assert tickets == sorted(tickets)
        assert recall == sorted(recall)
        assert thresholds == sorted(thresholds, reverse=True)
        assert recall[0] < recall[-1]

    def test_what_no_threshold_keeps_is_said(self, make: Make) -> None:
        people = [make.person() for _ in range(30)]
        times = spread(30, NOW - 2 * DAY, NOW)
        serve(make, times, [1.0] * 30, types=[BUDDY] * 30, people=people)
        found = asked(make, budget=1)
        assert (found["asked"]["threshold"], found["within_budget"]) == (1.0, False)


def test_the_number_of_queries_is_constant(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    ten_days(make)
    assert query_count(lambda: asked(make, budget=1)) == 4


class TestRest:
    def test_it_is_answered_and_kept(self, api: ApiClient, make: Make) -> None:
        times = [dt.datetime.now(dt.UTC) - n * DAY for n in range(5)]
        serve(make, times, [0.9] * 5, types=[BUDDY] * 5)
        first = api.get("security/what-if/?threshold=0.7&days=10").get_json()
        assert first["data"]["asked"]["tickets_per_day"] > 0
        assert len(first["data"]["curve"]) == 41
        assert first["cached"] is False
        assert api.get("security/what-if/?threshold=0.7&days=10").get_json()["cached"] is True
        fresh = api.get("security/what-if/?threshold=0.7&days=10&fresh=1").get_json()
        assert fresh["cached"] is False
        assert api.get("security/what-if/?budget=2").status_code == 200

    @pytest.mark.parametrize(
        ("query", "field", "reason"),
        [
            ("", "threshold", "either"),
            ("threshold=0.5&budget=1", "budget", "either"),
            ("threshold=1.5", "threshold", "less than or equal"),
            ("threshold=nan", "threshold", ""),
            ("budget=0", "budget", "greater than 0"),
            ("budget=inf", "budget", ""),
            ("threshold=0.5&days=181", "days", "180"),
            ("threshold=0.5&site=1", "site", ""),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, api: ApiClient, query: str, field: str, reason: str
    ) -> None:
        assert_problem(api.get(f"security/what-if/?{query}"), 422, **{field: reason})

    def test_whoever_is_limited_to_some_sites_asks_about_those(
        self, app: APIFlask, make: Make, api: ApiClient
    ) -> None:
        here, there = make.site(), make.site()
        times = [dt.datetime.now(dt.UTC) - n * DAY for n in range(1, 5)]
        serve(make, times, [0.9] * 4, types=[BUDDY] * 4, site=here)
        serve(make, times[:2], [0.9] * 2, types=[BUDDY] * 2, site=there)
        user = UserClient(app, make, limit_to(make, make.user(), there.id))
        path = "security/what-if/?threshold=0.7"
        assert api.get(path).get_json()["data"]["punches"] == 6
        theirs = user.get(path).get_json()["data"]
        assert theirs["punches"] == 2
        assert theirs["asked"]["tickets_per_day"] < 1.01

    def test_another_tenant_counts_nothing_of_it(
        self, app: APIFlask, make: Make, session: Session, api: ApiClient
    ) -> None:
        serve(make, [dt.datetime.now(dt.UTC) - DAY], [0.9])
        session.commit()
        other = tenants.create_tenant("rival", "Rival Guarding")
        with tenant_context(session, other.id):
            _, secret = tokens.create(other.id, "theirs", ["security:fraud:review"])
        theirs = ApiClient(app.test_client(), secret)
        path = "security/what-if/?threshold=0.5"
        assert api.get(path).get_json()["data"]["punches"] == 1
        assert theirs.get(path).get_json()["data"]["punches"] == 0

    def test_it_needs_the_right_to_review(self, app: APIFlask, make: Make) -> None:
        user = UserClient(app, make, make.user("operator"))
        assert_problem(user.get("security/what-if/?threshold=0.5"), 403)
