"""Shadows are judged on what became of the punches they watched."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from noc.fraud.models import PredictionLog
from noc.fraud.registry import activation, changes, serving
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.retraining import promotion
from noc.fraud.training import TrainedModel
from noc.identity.models import TenantSetting
from tests.factories import NOW, Make
from tests.fraud.labelled import labelled
from tests.fraud.registry.conftest import register, trained  # noqa: F401

DAY = dt.timedelta(days=1)
BEGUN = NOW - 15 * DAY

_WATCH = text(
    """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, features, fraud_score, probability, rule_score, risk_level, model_type,
        model_version, is_shadow, reasons, actual_fraud_detected, label_source, labelled_at)
    SELECT tenant_id, gen_random_uuid(), attendance_event_id, person_id, site_id, occurred_at,
        '[]', CASE WHEN actual_fraud_detected = (random() < :right) THEN 0.9 ELSE 0.1 END, 0.5,
        rule_score, 'LOW', 'xgboost', :version, true, '[]', actual_fraud_detected, label_source,
        labelled_at
    FROM fraud_prediction_log WHERE NOT is_shadow
    """
)


_FALSE_ALARMS = text(
    """
    INSERT INTO fraud_prediction_log (tenant_id, id, attendance_event_id, person_id, site_id,
        occurred_at, features, fraud_score, probability, rule_score, risk_level, model_type,
        model_version, is_shadow, reasons)
    SELECT tenant_id, gen_random_uuid(), attendance_event_id, person_id, site_id, occurred_at,
        '[]', 0.7, 0.5, rule_score, 'LOW', 'xgboost', :version, true, '[]'
    FROM fraud_prediction_log WHERE NOT is_shadow AND attendance_event_id = ANY(:punches)
    """
)


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


@pytest.fixture
def shadow(make: Make, trained: TrainedModel) -> FraudModel:  # noqa: F811
    """A shadow of fifteen days, in a house where 200 verdicts are enough."""
    make.row(TenantSetting, {"name": "ml_model_min_training_samples", "value": 200})
    return register(make, trained, now=BEGUN)


def watched(
    make: Make, shadow: FraudModel, *, right: float = 1.0, frauds: int = 60, **values: Any
) -> None:
    """Four hundred reviewed punches of the last fortnight, of which it says the right thing."""
    fraud = np.zeros(400)
    fraud[np.linspace(0, 399, frauds).astype(int)] = 1
    labelled(make, 400, days=12, fraud=fraud, **values)
    make.session.execute(text("SELECT setseed(0.4)"))
    make.session.execute(_WATCH, {"version": shadow.version, "right": right})
    make.session.commit()


def judge(make: Make, now: dt.datetime = NOW) -> str | None:
    promoted = promotion.judge_shadows(tenant_id=make.tenant_id, now=now)
    make.session.commit()
    return promoted


def test_one_that_proved_itself_scores(make: Make, session: Session, shadow: FraudModel) -> None:
    watched(make, shadow)

    assert judge(make) == "v1"

    assert (shadow.status, shadow.note) == ("active", "Proved itself as a shadow.")
    assert shadow.gate["on"] == "live punches"
    kept = session.scalars(select(ModelMetrics)).one()
    assert (kept.kind, kept.samples, kept.positives, kept.recall) == ("live", 400, 60, 1.0)
    assert judge(make) is None


def test_one_that_did_not_stays_and_the_reason_with_it(make: Make, shadow: FraudModel) -> None:
    watched(make, shadow, right=0.8)

    assert judge(make) is None
    assert shadow.status == "shadow"
    assert "is needed" in str(shadow.note)


def test_before_two_weeks_nobody_is_judged(make: Make, shadow: FraudModel) -> None:
    watched(make, shadow)

    assert judge(make, BEGUN + 13 * DAY) is None
    assert shadow.gate.get("on") is None


def test_with_few_frauds_nothing_can_be_said(
    make: Make, session: Session, shadow: FraudModel
) -> None:
    watched(make, shadow, frauds=29)

    assert judge(make) is None
    assert "29 of them fraud; judged from 30" in str(shadow.note)
    assert session.scalar(select(func.count()).select_from(ModelMetrics)) == 0


def test_verdicts_of_later_do_not_count_yet(make: Make, shadow: FraudModel) -> None:
    watched(make, shadow, verdict_after=30 * DAY)

    assert judge(make) is None
    assert "Watched 0 reviewed punches" in str(shadow.note)


def test_after_eight_weeks_without_a_word_it_retires(make: Make, shadow: FraudModel) -> None:
    watched(make, shadow, right=0.7)

    assert judge(make, BEGUN + 56 * DAY) is None
    assert shadow.status == "retired"
    assert "Watched for eight weeks." in str(shadow.note)


def test_it_is_judged_once_a_week(make: Make, session: Session, shadow: FraudModel) -> None:
    watched(make, shadow, right=0.8)
    for day in range(14):
        judge(make, NOW + day * DAY)

    moments = session.scalars(select(ModelMetrics.evaluated_at).order_by(ModelMetrics.id)).all()
    assert sorted(moments) == [NOW, NOW + 7 * DAY]


def test_minutes_short_of_two_weeks_are_two_weeks(make: Make, shadow: FraudModel) -> None:
    watched(make, shadow)

    assert judge(make, BEGUN + 14 * DAY - dt.timedelta(minutes=5)) == "v1"


def test_weekly_newcomers_do_not_end_it_before_it_is_judged(
    make: Make,
    session: Session,
    shadow: FraudModel,
    trained: TrainedModel,  # noqa: F811
) -> None:
    watched(make, shadow, frauds=10)
    for week in range(1, 8):
        now = BEGUN + 7 * week * DAY
        judge(make, now)
        register(make, trained, now=now)
        session.refresh(shadow)
        assert shadow.status == "shadow"
    judge(make, BEGUN + 56 * DAY)

    session.refresh(shadow)
    assert shadow.status == "retired"
    assert "eight weeks" in str(shadow.note)
    newest = session.scalar(select(FraudModel.status).where(FraudModel.version == "v8"))
    assert newest == "shadow"


def test_older_shadows_go_with_the_one_that_proved_itself(
    make: Make,
    session: Session,
    shadow: FraudModel,
    trained: TrainedModel,  # noqa: F811
) -> None:
    second = register(make, trained, now=BEGUN + DAY)
    watched(make, shadow, right=0.7)
    make.session.execute(_WATCH, {"version": second.version, "right": 1.0})
    make.session.commit()

    assert judge(make, BEGUN + 16 * DAY) == "v2"
    session.refresh(shadow)
    assert (shadow.status, shadow.note) == ("retired", "v2, made later, proved itself.")


def test_reviewed_punches_stand_for_those_that_nobody_looked_at(
    make: Make, session: Session, shadow: FraudModel
) -> None:
    """Of what it calls fraud and the rules do not, few are reviewed: they count for all."""
    watched(make, shadow)
    # Fifty false alarms of its own, of which one was drawn and reviewed.
    punches = labelled(make, 50, days=12, labels=False, seed=9)
    session.execute(_FALSE_ALARMS, {"version": shadow.version, "punches": punches})
    session.execute(
        update(PredictionLog)
        .where(PredictionLog.attendance_event_id == punches[0])
        .values(actual_fraud_detected=False, label_source="audit", labelled_at=NOW - DAY)
    )
    session.commit()

    assert judge(make) is None

    kept = session.scalars(select(ModelMetrics)).one()
    assert kept.samples == 401
    # 60 frauds among up to 110 alarms, not among 61: it stands for those of its own risk levels.
    assert 60 / 110 <= kept.precision < 0.62


def test_a_decision_taken_meanwhile_holds(
    make: Make, session: Session, shadow: FraudModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(make, shadow)
    locked = changes.lock

    def meanwhile(tenant_id: int) -> None:
        monkeypatch.setattr(changes, "lock", locked)
        activation.activate(shadow.id, tenant_id=tenant_id, now=NOW, note="By hand.")
        locked(tenant_id)

    monkeypatch.setattr(changes, "lock", meanwhile)

    assert judge(make) is None
    session.refresh(shadow)
    assert (shadow.status, str(shadow.note)[:8]) == ("active", "By hand.")


def test_it_must_not_be_worse_than_the_champion(
    make: Make,
    session: Session,
    shadow: FraudModel,
    trained: TrainedModel,  # noqa: F811
) -> None:
    champion = register(make, trained, now=NOW - 10 * DAY, may_watch=False)
    activation.activate(champion.id, tenant_id=make.tenant_id, now=NOW - 10 * DAY)
    fraud = np.zeros(400)
    fraud[np.linspace(0, 399, 60).astype(int)] = 1
    # The champion was right all along; the shadow nearly always.
    watched(make, shadow, right=0.97, version=champion.version, scores=0.05 + 0.9 * fraud)

    assert judge(make) is None
    assert "less that of the active model" in str(shadow.note)
    assert session.scalars(select(FraudModel.version).where(FraudModel.is_active)).all() == ["v2"]
