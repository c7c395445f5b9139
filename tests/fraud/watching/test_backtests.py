"""A version over punches of the past: what it says, against verdicts and what was served."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database import locks
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.fraud.models import PredictionLog
from noc.fraud.predictor import use_models
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.speaking import speakers
from noc.fraud.retraining.measuring import figures as all_figures
from noc.fraud.training import TrainedModel
from noc.fraud.watching import backtests, served
from noc.fraud.watching.measured import figures
from noc.identity import tenants, tokens
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.stories import score, settled
from tests.fraud.watching.conftest import DAY, NOW, register, serve, spread, vectors
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

PATH = "security/backtests/"


def past(make: Make, count: int = 200, *, until: dt.datetime = NOW, **values: Any) -> None:
    """Punches of the last 20 days, a third frauds that the model can tell; all reviewed."""
    frauds = np.arange(count) % 3 == 0
    features = vectors(count, 31, frauds)
    plain: dict[str, Any] = {"frauds": frauds.tolist(), "labelled_at": until - DAY / 2}
    times = spread(count, until - 20 * DAY, until - DAY)
    serve(make, times, [0.1] * count, features=features, **plain | values)


def test_the_rules_over_the_past_by_hand(make: Make, session: Session) -> None:
    #        hit   miss   alarm  right  unreviewed
    rules = [0.9, 0.3, 0.85, 0.1, 0.95]
    frauds = [True, True, False, False, None]
    times = [NOW - (10 - n) * DAY for n in range(5)]
    serve(
        make, times, rules, frauds=frauds, labelled_at=NOW - DAY,
        types=["BUDDY_PUNCHING", None, "BUDDY_PUNCHING", None, None],
    )  # fmt: skip
    row = backtests.run(tenant_id=make.tenant_id, now=NOW)
    assert (row.kind, row.model_version, row.model_id) == ("backtest", "rules", None)
    assert (row.samples, row.positives, row.threshold) == (5, 2, 0.8)
    assert (row.precision, row.recall, row.f1) == (0.5, 0.5, 0.5)
    # by rank: fraud, genuine, fraud, genuine -> 1/2 * 1 + 1/2 * 2/3
    assert row.pr_auc == pytest.approx(5 / 6, abs=1e-6)
    assert row.brier == pytest.approx((0.01 + 0.49 + 0.7225 + 0.01) / 4)
    assert row.psi == 0
    assert (row.window_start, row.window_end) == (NOW - 30 * DAY, NOW)
    detail = row.detail
    assert detail["alert_rate"] == 0.6
    assert detail["alerts_per_day"] == pytest.approx(0.3)
    # Two buddy punches two days apart, and one that only the score calls HIGH.
    assert detail["tickets_per_day"] == pytest.approx(0.3)
    assert detail["agreement"] == {
        "same": 1, "both": 3, "only_served": 0, "only_tested": 0, "mean_difference": 0,
    }  # fmt: skip
    assert detail["reproduced"] == {"punches": 5, "identical": 5}
    assert detail["warnings"] == []
    precision = detail["figures"]["precision"]
    assert precision["low"] <= 0.5 <= precision["high"]


def test_a_model_tells_frauds_and_is_compared_with_what_was_served(
    make: Make, trained: TrainedModel
) -> None:
    register(make, trained, window=(NOW - 90 * DAY, NOW - 40 * DAY), active=False)
    past(make)
    row = backtests.run(tenant_id=make.tenant_id, now=NOW, version="v1")
    assert row.model_version == "v1"
    assert (row.samples, row.positives, row.threshold) == (200, 67, 0.5)
    assert row.pr_auc is not None
    assert row.pr_auc > 0.7
    assert row.psi is not None
    assert row.psi > 0.25
    agreement = row.detail["agreement"]
    assert agreement["both"] == agreement["only_served"] == 0
    assert agreement["only_tested"] == round(row.detail["alert_rate"] * 200)
    assert row.detail["warnings"] == []
    lower = backtests.run(tenant_id=make.tenant_id, now=NOW, version="v1", threshold=0.01)
    assert lower.threshold == 0.01
    assert lower.recall is not None
    assert row.recall is not None
    assert lower.recall >= row.recall


@pytest.fixture
def _models_speak() -> Iterator[None]:
    use_models(speakers)
    yield
    use_models(speakers)


@pytest.mark.usefixtures("_models_speak")
def test_what_the_model_served_comes_out_bit_for_bit(
    make: Make, trained: TrainedModel, session: Session
) -> None:
    """Punches really scored, by the path that scores in production."""
    model = register(make, trained, window=(NOW - 90 * DAY, NOW - 40 * DAY))
    guard = settled(make, days=20)
    moments = [dt.datetime(2026, 11, 16, 2, 30, tzinfo=dt.UTC) + n * DAY / 4 for n in range(12)]
    for n, at in enumerate(moments):
        score(guard.punch(at, biometric_quality_score=0.9 - n / 40))
    stored = session.query(PredictionLog).filter_by(model_version="v1", is_shadow=False).all()
    assert len(stored) == 12
    now = moments[-1] + DAY
    row = backtests.run(tenant_id=make.tenant_id, now=now, model_id=model.id)
    assert row.detail["reproduced"] == {"punches": 12, "identical": 12}
    assert row.psi == 0
    assert row.detail["agreement"]["mean_difference"] == 0
    stored[0].probability = np.nextafter(stored[0].probability, 1)
    session.flush()
    again = backtests.run(tenant_id=make.tenant_id, now=now, model_id=model.id)
    assert again.detail["reproduced"] == {"punches": 12, "identical": 11}


def test_a_period_that_the_model_learned_from_is_warned_of(
    make: Make, trained: TrainedModel
) -> None:
    register(make, trained, window=(NOW - 60 * DAY, NOW - 11 * DAY), active=False)
    past(make)
    row = backtests.run(tenant_id=make.tenant_id, now=NOW, version="v1")
    (warning,) = row.detail["warnings"]
    assert "overlaps what v1 learned from" in warning
    # 200 punches over 19 days; those before the eleventh day from the end.
    assert "95 of the 200 verdicts" in warning
    recent = backtests.run(tenant_id=make.tenant_id, now=NOW, version="v1", days=10)
    assert recent.detail["warnings"] == []


def test_of_too_many_the_newest_count_and_it_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    past(make)
    monkeypatch.setattr(served, "BATCH", 17)
    row = backtests.run(tenant_id=make.tenant_id, now=NOW, most=50)
    assert row.samples == 50
    assert row.detail["punches_in_period"] == 200
    assert "newest 50 of 200" in row.detail["warnings"][0]
    assert row.window_start > NOW - 8 * DAY
    assert row.window_start.tzinfo is not None
    whole = backtests.run(tenant_id=make.tenant_id, now=NOW)
    assert whole.samples == 200, "every batch, and nothing twice"


def test_verdicts_that_came_later_do_not_count_and_none_at_all_is_said(
    make: Make,
) -> None:
    past(make, labelled_at=NOW + DAY)
    row = backtests.run(tenant_id=make.tenant_id, now=NOW)
    assert (row.positives, row.precision, row.pr_auc) == (0, None, None)
    assert "Nobody has reviewed" in row.detail["warnings"][0]


def test_figures_are_those_of_the_gate_and_bounded_for_many() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(400) < 0.2).astype(float)
    scores = np.clip(0.3 * labels + rng.random(400) * 0.6, 0, 1)
    people = np.arange(400) % 40
    ours = figures(labels, scores, people, 0.5)
    theirs = all_figures(labels, {"together": scores}, 0.5, groups=people)[0]["together"]
    for name, figure in ours.items():
        assert figure == {key: pytest.approx(theirs[name][key], abs=1e-6) for key in figure}
    many = np.tile(labels, 150), np.tile(scores, 150), np.arange(60_000)
    for name, figure in figures(*many, 0.5).items():
        assert figure["value"] == pytest.approx(ours[name]["value"], abs=1e-6)
        assert figure["low"] < figure["value"] < figure["high"]
    assert figures(labels[:0], scores[:0], people[:0], 0.5)["ap"]["value"] is None
    assert figures(np.ones(5), scores[:5], people[:5], 0.5)["recall"]["value"] is None


class TestRest:
    def test_it_is_kept_listed_and_shown(
        self, api: ApiClient, make: Make, trained: TrainedModel
    ) -> None:
        now = utcnow()
        model = register(make, trained, window=(now - 90 * DAY, now - 40 * DAY), active=False)
        past(make, until=now)
        made = api.post(PATH, json={"model_id": str(model.id), "days": 30, "threshold": 0.4})
        assert made.status_code == 201, made.text
        data = made.get_json()["data"]
        assert (data["model_version"], data["threshold"], data["samples"]) == ("v1", 0.4, 200)
        assert data["detail"]["figures"]["ap"]["value"] == data["pr_auc"]
        assert api.get(f"{PATH}{data['id']}/").get_json()["data"] == data
        for body in ({"version": "rules"}, {"version": "v1"}, {}):
            assert api.post(PATH, json=body).status_code == 201
        assert api.post(PATH).status_code == 201
        first = api.get(f"{PATH}?limit=3").get_json()
        cursor = first["pagination"]["next_cursor"]
        second = api.get(f"{PATH}?limit=3&cursor={cursor}").get_json()
        rows = first["data"] + second["data"]
        assert [row["model_version"] for row in rows] == ["rules", "rules", "v1", "rules", "v1"]
        assert second["pagination"]["next_cursor"] is None
        assert len({row["id"] for row in rows}) == 5
        assert len(api.get(f"{PATH}?version=v1").get_json()["data"]) == 2

    def test_what_cannot_be_tested_is_refused_with_the_reason(
        self, api: ApiClient, make: Make, trained: TrainedModel, session: Session
    ) -> None:
        assert_problem(api.post(PATH, json={}), 409)
        past(make, until=utcnow())
        model = register(make, trained, active=False)
        both = {"version": "v1", "model_id": str(model.id)}
        assert_problem(api.post(PATH, json=both), 422, version="either", model_id="either")
        assert_problem(api.post(PATH, json={"version": "v7"}), 404)
        assert_problem(api.post(PATH, json={"model_id": str(uuid.uuid4())}), 404)
        assert_problem(api.post(PATH, json={"days": 181}), 422, days="180")
        assert_problem(api.post(PATH, json={"threshold": "0.5"}), 422, threshold="")
        assert_problem(api.post(PATH, json={"model_id": "x"}), 422, model_id="")
        assert_problem(api.get(f"{PATH}{uuid.uuid4()}/"), 404)
        session.execute(
            text("UPDATE fraud_detection_model SET artefact = NULL, status = 'retired'")
        )
        problem = assert_problem(api.post(PATH, json={"version": "v1"}), 409)
        assert "no longer kept" in problem["detail"]
        assert api.get(PATH).get_json()["data"] == []

    def test_only_one_runs_at_a_time_in_a_tenant(
        self, api: ApiClient, make: Make, session: Session
    ) -> None:
        past(make, until=utcnow())
        with session.connection().engine.connect() as elsewhere:
            # As the request of another process that is at it.
            assert locks.try_hold(elsewhere, f"backtest:{make.tenant_id}")
            refused = api.post(PATH, json={})
            problem = assert_problem(refused, 429)
            assert "under way" in problem["detail"]
            assert refused.headers["Retry-After"] == "5"
            assert api.get(PATH).get_json()["data"] == []
            elsewhere.rollback()
            assert locks.try_hold(elsewhere, f"backtest:{make.tenant_id + 1}")
            assert api.post(PATH, json={}).status_code == 201

    def test_an_artefact_that_is_not_what_was_registered_is_refused(
        self, api: ApiClient, make: Make, trained: TrainedModel, session: Session
    ) -> None:
        past(make, until=utcnow())
        register(make, trained, active=False)
        session.execute(text("UPDATE fraud_detection_model SET artefact = 'x', "
                             "artefact_sha256 = repeat('0', 64)"))  # fmt: skip
        problem = assert_problem(api.post(PATH, json={"version": "v1"}), 409)
        assert "digest" in problem["detail"]

    def test_another_tenants_model_and_backtest_are_not_there(
        self, app: APIFlask, api: ApiClient, make: Make, trained: TrainedModel, session: Session
    ) -> None:
        past(make, until=utcnow())
        model: FraudModel = register(make, trained, active=False)
        made = api.post(PATH, json={"model_id": str(model.id)}).get_json()["data"]
        other = tenants.create_tenant("rival", "Rival Guarding")
        with tenant_context(session, other.id):
            _, secret = tokens.create(other.id, "theirs", ["security:fraud:review"])
            past(Make(session, other.id), until=utcnow())
            session.commit()
        theirs = ApiClient(app.test_client(), secret)
        assert_problem(theirs.post(PATH, json={"model_id": made["model_id"]}), 404)
        assert_problem(theirs.post(PATH, json={"version": "v1"}), 404)
        assert_problem(theirs.get(f"{PATH}{made['id']}/"), 404)
        assert theirs.get(PATH).get_json()["data"] == []
        assert theirs.post(PATH, json={}).get_json()["data"]["samples"] == 200

    def test_it_concerns_the_whole_tenant_and_needs_the_right_to_review(
        self, app: APIFlask, make: Make
    ) -> None:
        limited = UserClient(app, make, limit_to(make, make.user(), make.site().id))
        operator = UserClient(app, make, make.user("operator"))
        for user in (limited, operator):
            assert_problem(user.get(PATH), 403)
            assert_problem(user.post(PATH, json={}), 403)
            assert_problem(user.get(f"{PATH}{uuid.uuid4()}/"), 403)
