"""The place of the model: it speaks where it can, and where it fails the rules do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.fraud.columns import FloatArray
from noc.fraud.features import FeatureFrame
from noc.fraud.models import AnomalyLog
from noc.fraud.predictor import PredictorFailed, use_models
from noc.fraud.reasons import Names, Reason
from noc.fraud.rules import Assessment
from noc.identity.models import TenantSetting
from noc.monitoring import metrics
from tests.factories import Make
from tests.fraud.stories import score, settled


class Model:
    """Says the same of every punch."""

    version = "m1"
    model_type = "constant"

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def predict(self, frame: FeatureFrame, assessment: Assessment) -> FloatArray:
        return np.full(len(frame), self.probability)

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, row: int, names: Names
    ) -> list[Reason]:
        return [
            Reason(
                rule=None,
                feature="battery_level",
                weight=0.5,
                sentence="Battery at 3 %; usually 60 %.",
                value=3.0,
                usual=60.0,
            )
        ]


class Broken(Model):
    """Cannot load its artefact."""

    def predict(self, frame: FeatureFrame, assessment: Assessment) -> FloatArray:
        raise PredictorFailed("the artefact does not match its checksum")


@pytest.fixture(autouse=True)
def _rules_afterwards() -> Iterator[None]:
    yield
    use_models(None)


def test_where_only_the_model_speaks_the_alert_says_so(make: Make, session: Session) -> None:
    use_models(lambda _: Model(0.9))

    scored = score(settled(make).punch())

    assert (scored.fraud_score, scored.model_version, scored.model_type) == (0.9, "m1", "constant")
    assert session.scalars(select(Alert.alert_type)).one() == "ML_FRAUD_PREDICTION"
    anomaly = session.scalars(select(AnomalyLog)).one()
    assert (anomaly.fraud_type, anomaly.anomaly_types) == ("MODEL", [])
    assert scored.reasons[0]["feature"] == "battery_level"


def test_where_an_anomaly_stands_the_model_does_not_talk_it_away(
    make: Make, session: Session
) -> None:
    use_models(lambda _: Model(0.01))

    scored = score(settled(make).punch(mock_location=True))

    assert scored.fraud_score > 0.6
    assert session.scalars(select(Alert.alert_type)).one() == "ATTENDANCE_ANOMALY"
    assert scored.fraud_type == "GPS_SPOOFING"


def test_a_failing_model_degrades_to_the_rules_visibly(make: Make) -> None:
    use_models(lambda _: Broken(0.9))
    failures = metrics.FAILURES.labels("fraud_model")
    before = failures._value.get()

    scored = score(settled(make).punch())

    assert scored.model_version == "rules"
    assert scored.fraud_score < 0.2
    assert failures._value.get() == before + 1


@pytest.mark.parametrize("nonsense", [1.5, float("nan")])
def test_a_model_that_gives_no_probability_has_failed(make: Make, nonsense: float) -> None:
    use_models(lambda _: Model(nonsense))

    assert score(settled(make).punch()).model_version == "rules"


def test_a_tenant_can_leave_it_to_the_rules(make: Make) -> None:
    use_models(lambda _: Model(0.9))
    make.row(TenantSetting, {"name": "predictive_fraud_enabled", "value": False})

    assert score(settled(make).punch()).model_version == "rules"
