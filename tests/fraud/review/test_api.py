"""REST of reviewing."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.fraud.combination import Combination
from noc.fraud.features import FEATURES
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog
from noc.fraud.registry.models import FraudModel
from noc.fraud.review.audits import draw
from noc.fraud.training import TrainedModel
from noc.identity import tenants, tokens
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.registry.conftest import _nothing_in_memory, register, trained
from tests.fraud.review.population import DAY, prediction, punches
from tests.problems import assert_problem
from tests.signed_in import CSRF, UserClient, limit_to

__all__ = ["_nothing_in_memory", "trained"]

QUEUE = "security/review-queue/"


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def delete(client: Any, path: str) -> Any:
    """DELETE below the API's prefix, as whichever client it is."""
    headers = getattr(client, "headers", {"X-CSRFToken": CSRF})
    return client._client.delete(f"/api/v2/noc/{path}", headers=headers)


def recent(make: Make, scores: list[float], **more: Any) -> list[int]:
    """Punches of yesterday, as the server's clock has it."""
    return punches(make, scores, day=(utcnow() - DAY).date(), **more)


def path_of(make: Make, punch: int, what: str = "") -> str:
    return f"security/predictions/{prediction(make, punch).id}/{what}"


class TestQueue:
    def test_the_queue_is_shown_and_worked_off(self, app: APIFlask, make: Make) -> None:
        recent(make, [0.9, 0.5, 0.2])
        manager = UserClient(app, make, make.user("security_manager", name="Mira"))
        told = data(manager.get(f"{QUEUE}?limit=2"))
        assert [item["why"] for item in told["items"]] == ["highest score", "most uncertain"]
        assert told["waiting"]["total"] == 3

        said = [
            {"prediction_id": item["prediction_id"], "verdict": "CONFIRMED", "note": "Seen."}
            for item in told["items"]
        ]
        answer = data(manager.post(QUEUE, json=said))

        assert (answer["labelled"], answer["rejected"]) == (2, [])
        assert [item["status"] for item in answer["items"]] == ["labelled"] * 2
        again = data(manager.get(QUEUE))
        assert (len(again["items"]), again["waiting"]["total"]) == (1, 1)

    def test_a_token_is_named_as_who_said_it(
        self, app: APIFlask, api: ApiClient, make: Make
    ) -> None:
        one, two = (str(prediction(make, p).id) for p in recent(make, [0.9, 0.8]))
        path = "security/predictions/{}/label/"
        single = data(api.post(path.format(one), json={"verdict": "CONFIRMED"}))
        assert (single["label"]["labelled_by"], single["label"]["labelled_by_name"]) == (
            None,
            "tests",
        )
        api.post(QUEUE, json=[{"prediction_id": two, "verdict": "FALSE_POSITIVE"}])
        found = data(api.get(f"security/predictions/{two}/"))
        assert found["label"]["labelled_by_name"] == "tests"
        # The next is a person's, and no token's any more.
        manager = UserClient(app, make, make.user("security_manager", name="Mira"))
        told = data(manager.post(path.format(one), json={"verdict": "FALSE_POSITIVE"}))
        assert told["label"]["labelled_by_name"] == "Mira"

    def test_one_bad_item_never_loses_the_good_ones(self, api: ApiClient, make: Make) -> None:
        good, stale = (str(prediction(make, punch).id) for punch in recent(make, [0.9, 0.8]))
        bad: list[tuple[Any, str, str]] = [
            ("x", "item", "object"),
            ({"prediction_id": "x", "verdict": "CONFIRMED"}, "prediction_id", "UUID"),
            ({"prediction_id": good, "verdict": "MAYBE"}, "verdict", "'CONFIRMED'"),
            ({"prediction_id": good}, "verdict", "required"),
            ({"prediction_id": good, "verdict": "CONFIRMED", "note": " "}, "note", "blank"),
            ({"prediction_id": good, "verdict": "CONFIRMED", "colour": 1}, "colour", "not perm"),
            ({"prediction_id": str(uuid.uuid4()), "verdict": "CONFIRMED"},
             "prediction_id", "no such"),
            ({"prediction_id": stale, "verdict": "CONFIRMED", "expected": "FALSE_POSITIVE"},
             "expected", "none now"),
        ]  # fmt: skip
        fine = {"prediction_id": good, "verdict": "FALSE_POSITIVE", "expected": None}
        sent = [item for item, _, _ in bad]
        sent.insert(3, fine)

        answer = data(api.post(QUEUE, json=sent))

        assert answer["labelled"] == 1
        assert answer["items"][3] == {"index": 3, "prediction_id": good, "status": "labelled"}
        places = [index for index in range(len(sent)) if index != 3]
        assert [one["index"] for one in answer["rejected"]] == places
        for told, (_, field, reason) in zip(answer["rejected"], bad, strict=True):
            assert told["field"] == field
            assert reason in told["reason"], told

    def test_more_than_two_hundred_are_too_many(self, api: ApiClient, make: Make) -> None:
        (punch,) = recent(make, [0.9])
        item = {"prediction_id": str(prediction(make, punch).id), "verdict": "CONFIRMED"}
        assert_problem(api.post(QUEUE, json=[item] * 201), 413, body="201 items")
        assert data(api.post(QUEUE, json=[item] * 200))["unchanged"] == 199
        assert data(api.post(QUEUE, json=[]))["items"] == []

    def test_odd_questions_are_refused(self, api: ApiClient, make: Make) -> None:
        for query in ("limit=0", "limit=201", "days=0", "days=91", "site_id=0", "colour=red"):
            assert_problem(api.get(f"{QUEUE}?{query}"), 422, **{query.partition("=")[0]: ""})
        assert_problem(api.get(f"{QUEUE}?site_id=987654321"), 404)


class TestLabel:
    def test_a_verdict_is_given_seen_changed_and_taken_back(
        self, app: APIFlask, make: Make
    ) -> None:
        (punch,) = recent(make, [0.9])
        mira = make.user("security_manager", name="Mira")
        manager = UserClient(app, make, mira)
        path = path_of(make, punch, "label/")

        first = data(manager.post(path, json={"verdict": "CONFIRMED", "note": "On camera."}))
        assert first["outcome"] == "labelled"
        label = data(manager.get(path_of(make, punch)))["label"]
        assert label.pop("labelled_at")
        assert label == {
            "verdict": "CONFIRMED", "source": "review", "labelled_by": mira.id,
            "labelled_by_name": "Mira", "note": "On camera.",
        }  # fmt: skip
        second = data(manager.post(path, json={"verdict": "FALSE_POSITIVE"}))
        assert (second["label"]["verdict"], second["label"]["note"]) == ("FALSE_POSITIVE", None)
        assert data(delete(manager, path))["label"] is None
        assert data(delete(manager, path))["label"] is None
        looked = data(manager.post(path, json={"verdict": "INCONCLUSIVE", "note": "Dark."}))
        assert (looked["outcome"], looked["label"]) == ("inconclusive", None)
        assert looked["looked_at"] == "Dark."

    def test_a_stale_verdict_is_told_what_holds(self, api: ApiClient, make: Make) -> None:
        (punch,) = recent(make, [0.9])
        path = path_of(make, punch, "label/")
        data(api.post(path, json={"verdict": "CONFIRMED", "expected": None}))
        late = api.post(path, json={"verdict": "FALSE_POSITIVE", "expected": None})
        assert assert_problem(late, 409)["verdict"] == "CONFIRMED"
        assert_problem(delete(api, f"{path}?expected=FALSE_POSITIVE"), 409)
        data(api.post(path, json={"verdict": "FALSE_POSITIVE"}))
        assert data(delete(api, f"{path}?expected=FALSE_POSITIVE"))["label"] is None

    def test_a_tickets_verdict_is_not_taken_back_here(self, api: ApiClient, make: Make) -> None:
        (punch,) = recent(make, [0.9])
        label_punches(
            {punch: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=None,
            now=utcnow(),
        )  # fmt: skip
        assert (
            "ticket" in assert_problem(delete(api, path_of(make, punch, "label/")), 409)["detail"]
        )
        label = data(api.get(path_of(make, punch)))["label"]
        assert (label["verdict"], label["source"]) == ("CONFIRMED", "ticket")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "verdict"),
            ({"verdict": "MAYBE"}, "verdict"),
            ({"verdict": None}, "verdict"),
            ({"verdict": "CONFIRMED", "note": "\x00"}, "note"),
            ({"verdict": "CONFIRMED", "note": "x" * 4001}, "note"),
            ({"verdict": "CONFIRMED", "expected": "INCONCLUSIVE"}, "expected"),
            ({"verdict": "CONFIRMED", "colour": "red"}, "colour"),
        ],
    )
    def test_what_is_no_verdict_is_refused(
        self, api: ApiClient, make: Make, body: dict[str, Any], field: str
    ) -> None:
        (punch,) = recent(make, [0.9])
        assert_problem(api.post(path_of(make, punch, "label/"), json=body), 422, **{field: ""})
        assert prediction(make, punch).actual_fraud_detected is None


class TestPrediction:
    def test_contributions_add_up_to_the_log_odds(
        self,
        api: ApiClient,
        make: Make,
        session: Session,
        trained: TrainedModel,
    ) -> None:
        version = register(make, trained).version
        (punch,) = recent(make, [0.4])
        vector = [0.25, None, *[round(0.3 * n, 6) for n in range(10)]]
        values = np.array([[np.nan if v is None else v for v in vector]], dtype=np.float64)
        probability = float(trained.predict(values)[0])
        session.execute(
            update(PredictionLog)
            .where(PredictionLog.attendance_event_id == punch)
            .values(model_version=version, model_type="x", features=vector, probability=probability)
        )

        told = data(api.get(path_of(make, punch)))

        assert told["features"] == dict(zip(FEATURES, vector, strict=True))
        assert list(told["contributions"]) == [*FEATURES, "base"]
        log_odds = math.log(probability / (1 - probability))
        assert sum(told["contributions"].values()) == pytest.approx(log_odds, abs=1e-9)
        assert told["probability"] == probability

        session.execute(update(FraudModel).values(artefact=None, status="retired"))
        assert data(api.get(path_of(make, punch)))["contributions"] is None

    @pytest.mark.parametrize(("rule_score", "held"), [(0.0, False), (0.55, False), (0.85, True)])
    def test_the_score_can_be_added_up(
        self,
        api: ApiClient,
        make: Make,
        session: Session,
        trained: TrainedModel,
        rule_score: float,
        held: bool,
    ) -> None:
        weights = Combination(0.7, 0.5, -0.3)
        version = register(make, trained, weights=weights).version
        vector = [None] * len(FEATURES)
        chance = trained.predict(np.full((1, len(FEATURES)), np.nan))
        score = float(weights.scores(chance, np.array([rule_score]))[0])
        (punch,) = recent(make, [0.4])
        session.execute(
            update(PredictionLog)
            .where(PredictionLog.attendance_event_id == punch)
            .values(
                model_version=version, model_type="x", features=vector, rule_score=rule_score,
                probability=float(chance[0]), fraud_score=round(score, 6),
            )
        )  # fmt: skip

        told = data(api.get(path_of(make, punch)))

        parts = told["score_parts"]
        assert parts["held_by_rules"] is held
        whole = parts["weights"]["model"] * sum(told["contributions"].values())
        whole += parts["rules"] + parts["intercept"]
        assert whole == pytest.approx(parts["log_odds"])
        if not held:
            score = told["fraud_score"]
            assert whole == pytest.approx(math.log(score / (1 - score)), abs=1e-4)

    def test_the_rules_have_none_and_an_old_vector_is_filled_up(
        self, api: ApiClient, make: Make
    ) -> None:
        (punch,) = recent(make, [0.4])
        told = data(api.get(path_of(make, punch)))
        assert told["contributions"] is told["score_parts"] is None
        assert told["features"] == dict.fromkeys(FEATURES)
        assert (told["fraud_score"], told["model_version"]) == (0.4, "rules")
        assert (told["label"], told["looked_at"]) == (None, None)
        assert told["inclusion_probability"] is None

    def test_a_note_goes_with_the_verdict_it_was_for(self, api: ApiClient, make: Make) -> None:
        (punch,) = recent(make, [0.4])
        data(api.post(path_of(make, punch, "label/"), json={"verdict": "CONFIRMED", "note": "Yes"}))
        label_punches(
            {punch: False}, tenant_id=make.tenant_id, source="ticket", labelled_by=None,
            now=utcnow(),
        )  # fmt: skip
        assert data(api.get(path_of(make, punch)))["label"]["note"] is None


class TestPrevalence:
    def test_it_is_told_kept_and_anew_after_a_verdict(self, api: ApiClient, make: Make) -> None:
        (punch,) = recent(make, [0.4])
        now = utcnow()
        draw((now - DAY).date(), tenant_id=make.tenant_id, now=now)
        first = api.get("security/prevalence/").get_json()
        assert (first["data"]["all"]["drawn"], first["data"]["all"]["estimate"]) == (1, None)
        assert api.get("security/prevalence/").get_json()["cached"]

        data(api.post(path_of(make, punch, "label/"), json={"verdict": "CONFIRMED"}))
        fresh = api.get("security/prevalence/?fresh=1").get_json()["data"]

        assert (fresh["all"]["fraud"], fresh["all"]["estimate"]) == (1, 1.0)
        assert data(api.get("security/prevalence/?days=1&fresh=1"))["days"] == 1
        assert_problem(api.get("security/prevalence/?days=0"), 422, days="")
        assert_problem(api.get("security/prevalence/?site_id=987654321"), 404)


@pytest.fixture
def rival(app: APIFlask, make: Make, session: Session) -> Iterator[ApiClient]:
    other = tenants.create_tenant("rival", "Rival Guarding")
    session.commit()
    with tenant_context(session, other.id):
        _, secret = tokens.create(other.id, "theirs", ["security:fraud:review"])
        session.commit()
    return ApiClient(app.test_client(), secret)


def test_another_tenants_are_not_there_nor_those_of_sites_out_of_sight(
    app: APIFlask, api: ApiClient, rival: ApiClient, make: Make
) -> None:
    here = make.site()
    (punch,) = recent(make, [0.9], site=here)
    one, label = path_of(make, punch), path_of(make, punch, "label/")
    item = {"prediction_id": str(prediction(make, punch).id), "verdict": "CONFIRMED"}
    elsewhere = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    for stranger in (rival, elsewhere):
        assert_problem(stranger.get(one), 404)
        assert_problem(stranger.post(label, json={"verdict": "CONFIRMED"}), 404)
        assert_problem(delete(stranger, label), 404)
        assert data(stranger.get(QUEUE))["items"] == []
        (refusal,) = data(stranger.post(QUEUE, json=[item]))["rejected"]
        assert "no such" in refusal["reason"]
        assert_problem(stranger.get(f"{QUEUE}?site_id={here.id}"), 404)
        assert_problem(stranger.get(f"security/prevalence/?site_id={here.id}"), 404)
        assert data(stranger.get("security/prevalence/"))["all"]["punches"] == 0
    assert prediction(make, punch).actual_fraud_detected is None
    assert data(api.get(one))["punch_id"] == punch
    assert data(api.get("security/prevalence/"))["all"]["punches"] == 1


def test_who_may_view_sees_and_only_who_may_review_judges(
    app: APIFlask, client: FlaskClient, make: Make
) -> None:
    (punch,) = recent(make, [0.9])
    operator = UserClient(app, make, make.user("operator"))
    _, secret = tokens.create(make.tenant_id, "viewing", ["security:fraud:view"])
    viewing = ApiClient(client, secret)
    label = path_of(make, punch, "label/")
    for path in (path_of(make, punch), "security/prevalence/"):
        assert viewing.get(path).status_code == 200
        assert_problem(operator.get(path), 403)
    for who in (viewing, operator):
        assert_problem(who.get(QUEUE), 403)
        assert_problem(who.post(QUEUE, json=[]), 403)
        assert_problem(who.post(label, json={"verdict": "CONFIRMED"}), 403)
        assert_problem(delete(who, label), 403)
    assert prediction(make, punch).actual_fraud_detected is None
