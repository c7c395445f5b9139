"""The place of the model: it speaks where it can, and where it fails the rules do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.fraud.columns import FloatArray
from noc.fraud.combination import Combination
from noc.fraud.features import FeatureFrame
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.predictor import PredictorFailed, Speakers, use_models
from noc.fraud.reasons import Names, Reason
from noc.fraud.registry.speaking import speakers
from noc.fraud.rules import Assessment
from noc.fraud.scoring import score_punches
from noc.identity.models import TenantSetting
from noc.monitoring import metrics
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, score, settled

HOUR = dt.timedelta(hours=1)


class Model:
    """Says the same of every punch."""

    version = "m1"
    model_type = "constant"

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def predict(self, frame: FeatureFrame) -> FloatArray:
        return np.full(len(frame), self.probability)

    def combine(self, probabilities: FloatArray, assessment: Assessment) -> FloatArray:
        return Combination(1.0, 0.0, 0.0).scores(probabilities, assessment.scores)

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, rows: Sequence[int], names: Names
    ) -> dict[int, list[Reason]]:
        reason = Reason(
            rule=None,
            feature="battery_level",
            weight=0.5,
            sentence="Battery at 3 %; usually 60 %.",
            value=3.0,
            usual=60.0,
        )
        return {row: [reason] for row in rows}


class Broken(Model):
    """Cannot score."""

    def predict(self, frame: FeatureFrame) -> FloatArray:
        raise PredictorFailed("its trees have another number of columns")


class Speechless(Model):
    """Scores, and cannot say why."""

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, rows: Sequence[int], names: Names
    ) -> dict[int, list[Reason]]:
        raise PredictorFailed("its trees have another number of columns")


@pytest.fixture(autouse=True)
def _registry_afterwards() -> Iterator[None]:
    yield
    use_models(speakers)


def speaks(model: Model, *shadows: Model) -> None:
    use_models(lambda _: Speakers(model, shadows))


def test_where_only_the_model_speaks_the_alert_says_so(make: Make, session: Session) -> None:
    speaks(Model(0.9))

    scored = score(settled(make).punch())

    assert scored.fraud_score == pytest.approx(0.9)
    assert (scored.model_version, scored.model_type) == ("m1", "constant")
    assert session.scalars(select(Alert.alert_type)).one() == "ML_FRAUD_PREDICTION"
    anomaly = session.scalars(select(AnomalyLog)).one()
    assert (anomaly.fraud_type, anomaly.anomaly_types) == ("MODEL", [])
    assert scored.reasons[0]["feature"] == "battery_level"


def test_an_anomaly_that_stands_is_told_whatever_the_model_says(
    make: Make, session: Session
) -> None:
    speaks(Model(0.01))

    scored = score(settled(make).punch(mock_location=True))

    assert scored.fraud_score == pytest.approx(0.01)
    alert = session.scalars(select(Alert)).one()
    assert (alert.alert_type, alert.severity) == ("ATTENDANCE_ANOMALY", "INFO")
    assert scored.fraud_type == "GPS_SPOOFING"


def test_what_the_rules_call_critical_is_not_talked_away(make: Make) -> None:
    speaks(Model(0.01))
    guard = settled(make)
    first = guard.punch()
    replayed = guard.punch(
        first.occurred_at.replace(hour=11),
        kind="out",
        **{
            name: getattr(first, name)
            for name in ("lat", "lon", "gps_accuracy", "biometric_quality_score",
                         "phone_signal_strength", "battery_level")
        },
    )  # fmt: skip

    scored = score(replayed)

    assert scored.fraud_score >= 0.8
    assert scored.ticket_id is not None


def test_a_failing_model_degrades_to_the_rules_visibly(make: Make) -> None:
    speaks(Broken(0.9))
    failures = metrics.FAILURES.labels("fraud_model")
    before = failures._value.get()

    scored = score(settled(make).punch())

    assert scored.model_version == "rules"
    assert scored.fraud_score < 0.2
    assert failures._value.get() == before + 1


def test_a_model_without_words_keeps_its_score_and_the_rules_say_why(
    make: Make, session: Session
) -> None:
    speaks(Speechless(0.9))
    failures = metrics.FAILURES.labels("fraud_model")
    before = failures._value.get()
    guard = settled(make)
    punches = [
        guard.punch(SHIFT_START + dt.timedelta(minutes=minutes), mock_location=True)
        for minutes in (0, 5, 9)
    ]

    scored = score_punches(
        [punch.id for punch in punches], tenant_id=make.tenant_id, now=SHIFT_START + HOUR
    )

    assert [one.model_version for one in scored] == ["m1"] * 3
    assert [one.fraud_score for one in scored] == pytest.approx([0.9] * 3)
    assert [one.reasons[0]["rule"] for one in scored] == ["GPS_SPOOFING"] * 3
    assert failures._value.get() == before + 1, "once for the batch"
    assert len(session.scalars(select(AnomalyLog)).all()) == 3


def test_a_failing_shadow_leaves_the_active_model_alone(make: Make, session: Session) -> None:
    speaks(Model(0.3), Broken(0.9))

    assert score(settled(make).punch()).model_version == "m1"
    assert session.scalars(select(PredictionLog.model_version)).all() == ["m1"]


@pytest.mark.parametrize("nonsense", [1.5, float("nan")])
def test_a_model_that_gives_no_probability_has_failed(make: Make, nonsense: float) -> None:
    speaks(Model(nonsense))

    assert score(settled(make).punch()).model_version == "rules"


def test_a_tenant_can_leave_it_to_the_rules(make: Make) -> None:
    speaks(Model(0.9), Model(0.8))
    make.row(TenantSetting, {"name": "predictive_fraud_enabled", "value": False})

    assert score(settled(make).punch()).model_version == "rules"
