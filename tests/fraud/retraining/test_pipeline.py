"""From verdicts to a version, or to a reason; the old model stays whatever happens."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from noc.fraud.features import FEATURES
from noc.fraud.models import PredictionLog
from noc.fraud.registry import activation, serving
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.retraining import dataset, pipeline
from noc.fraud.retraining.pipeline import NotTrained, Trained
from tests.factories import NOW, Make
from tests.fraud.labelled import labelled

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


def train(make: Make, **values: Any) -> Trained:
    trained = pipeline.train(tenant_id=make.tenant_id, **{"now": NOW} | values)
    make.session.commit()
    return trained


def test_a_first_model_that_passes_scores_at_once(make: Make, session: Session) -> None:
    labelled(make, 600)

    trained = train(make)

    model = session.scalars(select(FraudModel)).one()
    assert (trained.activated, model.status, model.version) == (True, "active", "v1")
    assert (model.train_samples, model.gate["may_score"]) == (600, True)
    assert model.features == list(FEATURES)
    assert model.pr_auc == pytest.approx(1.0)
    assert model.class_imbalance_ratio == pytest.approx((600 - model.positives) / model.positives)
    measured = session.scalars(select(ModelMetrics)).one()
    assert (measured.kind, measured.model_version) == ("holdout", "v1")
    assert measured.window_end <= NOW
    assert measured.precision == pytest.approx(1.0)
    assert serving.speakers(make.tenant_id).active is not None


def test_from_a_hundred_verdicts_on_it_watches(make: Make, session: Session) -> None:
    labelled(make, 150)

    trained = train(make)

    assert (trained.activated, session.scalar(select(FraudModel.status))) == (False, "shadow")
    assert "150 verdicts; 500 are needed" in trained.sentence


def test_the_number_needed_is_the_tenants(make: Make) -> None:
    from noc.identity.models import TenantSetting

    make.row(TenantSetting, {"name": "ml_model_min_training_samples", "value": 150})
    labelled(make, 200)

    assert train(make).activated


def test_a_challenger_watches_beside_the_champion_first(make: Make, session: Session) -> None:
    labelled(make, 600)
    train(make)
    labelled(make, 50, seed=1)
    second = train(make)

    assert (second.version, second.activated, second.gate.may_watch) == ("v2", False, True)
    assert any(check.name == "champion" for check in second.gate.checks)
    states = dict(session.execute(select(FraudModel.version, FraudModel.status)).all())
    assert states == {"v1": "active", "v2": "shadow"}


def test_the_champion_is_measured_only_on_what_it_had_not_learned(
    make: Make, session: Session
) -> None:
    labelled(make, 600, now=NOW - 20 * DAY)
    train(make, now=NOW - 20 * DAY)
    labelled(make, 200, days=18, seed=1, version="v1", share=0.5)
    train(make)
    second = session.scalars(select(FraudModel).where(FraudModel.version == "v2")).one()
    compared = second.report["served"]["champion"]
    window = second.report["windows"]["test"]
    newer = session.scalar(
        select(func.count()).where(
            PredictionLog.labelled_at > NOW - 20 * DAY,
            PredictionLog.occurred_at >= dt.datetime.fromisoformat(window["start"]),
            PredictionLog.actual_fraud_detected.is_(True),
        )
    )
    assert 30 <= compared["positives"] == newer
    assert compared["difference"]["value"] is not None
    # Trained again at once there is nothing that the champion had not learned.
    again = train(make, now=NOW - 20 * DAY)
    told = next(check.sentence for check in again.gate.checks if check.name == "champion")
    assert told.startswith("0 frauds were confirmed since the active model was made")


def test_where_a_person_took_the_model_back_none_comes_by_itself(make: Make) -> None:
    labelled(make, 600)
    first = train(make)
    activation.roll_back(first.model_id, tenant_id=make.tenant_id, now=NOW)
    labelled(make, 50, seed=1)

    second = train(make)

    assert (second.version, second.gate.may_score, second.activated) == ("v2", True, False)


def test_the_same_verdicts_make_the_same_model_to_the_last_byte_and_no_second_version(
    make: Make, session: Session
) -> None:
    labelled(make, 300)
    first = train(make)
    again = train(make, now=NOW + dt.timedelta(hours=1))

    assert (again.model_id, again.new) == (first.model_id, False)
    assert again.sentence == "Nothing new to learn: the same verdicts made v1 again."
    assert session.scalars(select(FraudModel.version)).all() == ["v1"]


def test_beside_a_champion_that_cannot_be_loaded_nothing_passes(
    make: Make, session: Session
) -> None:
    labelled(make, 600)
    train(make)
    session.execute(update(FraudModel).values(artefact=b"x"))
    labelled(make, 100, seed=1)
    session.commit()
    serving.forget()

    second = train(make)

    assert not second.gate.may_score
    assert "It could not be compared with the active model." in second.sentence


def test_one_that_knows_less_than_the_rules_is_kept_for_comparison_only(
    make: Make, session: Session
) -> None:
    # The features are noise; the rules know.
    labelled(make, 400, apart=0.0)
    session.execute(
        update(PredictionLog).values(
            rule_score=text("CASE WHEN actual_fraud_detected THEN 0.7 ELSE 0.05 END")
        )
    )
    session.commit()

    trained = train(make)

    assert not trained.activated
    assert session.scalar(select(FraudModel.status)) in ("rejected", "shadow")
    assert session.scalar(select(func.count()).where(FraudModel.is_active)) == 0


def nothing(make: Make) -> None:
    return None


def few(count: int) -> Any:
    return lambda make: labelled(make, count)


def one_class(make: Make) -> None:
    labelled(make, 200, fraud=np.zeros(200))


def all_fraud(make: Make) -> None:
    labelled(make, 200, fraud=np.ones(200))


def constant(make: Make) -> None:
    labelled(make, 200, features=np.full((200, len(FEATURES)), 3.0))


def all_missing(make: Make) -> None:
    labelled(make, 200, features=np.full((200, len(FEATURES)), np.nan))


def five_frauds(make: Make) -> None:
    labelled(make, 200, fraud=(np.arange(200) % 40 == 0).astype(float))


def all_in_the_future(make: Make) -> None:
    labelled(make, 200, now=NOW + 90 * DAY, days=60)


def verdicts_in_the_future(make: Make) -> None:
    labelled(make, 200, days=10, verdict_after=20 * DAY)


def too_old(make: Make) -> None:
    labelled(make, 200, now=NOW - 300 * DAY)


@pytest.mark.parametrize(
    "data",
    [nothing, few(1), few(50), few(99), one_class, all_fraud, constant, all_missing, five_frauds,
     all_in_the_future, verdicts_in_the_future, too_old],
    ids=lambda value: getattr(value, "__name__", "few"),
)  # fmt: skip
def test_where_there_is_too_little_a_reason_is_given_and_the_old_model_stays(
    make: Make, session: Session, data: Any
) -> None:
    labelled(make, 600, seed=9)
    train(make)
    session.execute(update(PredictionLog).values(
        actual_fraud_detected=None, label_source=None, labelled_at=None))  # fmt: skip
    session.commit()
    data(make)

    with pytest.raises(NotTrained) as refused:
        train(make)

    assert len(str(refused.value)) > 20
    assert session.scalars(select(FraudModel.version).where(FraudModel.is_active)).all() == ["v1"]
    assert session.scalar(select(func.count()).select_from(FraudModel)) == 1


def test_duplicates_and_hostile_numbers_train(make: Make, session: Session) -> None:
    rng = np.random.default_rng(3)
    fraud = (rng.random(300) < 0.3).astype(float)
    features = np.tile(rng.choice([1e300, -1e300, 0.0, 1e-300], (1, len(FEATURES))), (300, 1))
    features[:, 2] = 5 * fraud
    labelled(make, 300, features=features, fraud=fraud)

    assert train(make).version == "v1"


def test_verdicts_from_the_future_are_left_out_and_said(make: Make) -> None:
    labelled(make, 300)
    labelled(make, 80, now=NOW + 30 * DAY, days=10, seed=4)
    labelled(make, 70, days=5, verdict_after=10 * DAY, seed=5)

    data = dataset.read(tenant_id=make.tenant_id, now=NOW, days=180)
    trained = train(make)

    assert (len(data), data.ahead, trained.labels) == (300, 150, 300)
    assert "150 verdicts from the future" in trained.sentence


def test_voided_punches_and_shadows_do_not_count(make: Make, session: Session) -> None:
    punches = labelled(make, 120)
    session.execute(
        text("UPDATE attendance_event SET voided_at = now(), void_reason = 'x' WHERE id = :id"),
        {"id": punches[0]},
    )
    session.execute(
        update(PredictionLog)
        .where(PredictionLog.attendance_event_id == punches[1])
        .values(is_shadow=True)
    )

    assert len(dataset.read(tenant_id=make.tenant_id, now=NOW, days=180)) == 118


def test_progress_is_told_and_what_it_raises_ends_the_training(
    make: Make, session: Session
) -> None:
    labelled(make, 150)
    told: list[tuple[str, float]] = []
    pipeline.train(
        tenant_id=make.tenant_id, now=NOW, progress=lambda stage, share: told.append((stage, share))
    )
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1] > 0.9, len({stage for stage, _ in told}) >= 4) == (0, True, True)

    session.rollback()
    with pytest.raises(KeyboardInterrupt):
        pipeline.train(tenant_id=make.tenant_id, now=NOW, progress=_stop)


def _stop(_: str, share: float) -> None:
    if share > 0.3:
        raise KeyboardInterrupt
