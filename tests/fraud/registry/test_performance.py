"""How well detection does, told to the whole company and to whoever is limited to some sites."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import select, update

from noc.attendance.models import AttendanceEvent
from noc.database.base import utcnow
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.registry import activation, serving
from noc.fraud.registry.artefact import digest
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.training import TrainedModel
from noc.identity.models import TenantSetting
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.labelled import labelled
from tests.fraud.registry.conftest import register
from tests.signed_in import UserClient, limit_to

PATH = "security/ml-models/performance/?fresh=1"


@pytest.fixture
def active(make: Make, trained: TrainedModel) -> str:
    """The version that scores; beside it an evaluation and a shadow."""
    now = utcnow()
    model = register(make, trained, now=now)
    activation.activate(model.id, tenant_id=make.tenant_id, now=now)
    register(make, trained, now=now + dt.timedelta(minutes=1))
    make.row(ModelMetrics, {
        "model_id": model.id, "model_version": model.version, "kind": "backtest",
        "window_start": now, "window_end": now, "samples": 9_876, "positives": 1, "threshold": 0.5,
    })  # fmt: skip
    make.session.commit()
    return model.version


def told(client: Any) -> dict[str, Any]:
    answer = client.get(PATH)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["data"]
    return found


def test_the_whole_company_is_told_of_every_version(api: ApiClient, active: str) -> None:
    found = told(api)

    assert [model["version"] for model in found["models"]] == ["v2", "v1"]
    assert [one["samples"] for one in found["evaluations"]] == [9_876]
    assert found["active_model"]["train_samples"] == 300


def test_who_is_limited_to_some_sites_learns_nothing_of_the_others(
    app: APIFlask, make: Make, trained: TrainedModel, active: str
) -> None:
    user = UserClient(app, make, limit_to(make, make.user(), make.site().id))

    found = told(user)

    assert found["models"] == found["evaluations"] == []
    assert found["active_model"] == {"version": active, "model_type": trained.model_type}
    assert found["speaking"] == active
    assert found["scored"] == 0


def test_without_a_model_whoever_is_limited_is_told_of_the_rules(app: APIFlask, make: Make) -> None:
    user = UserClient(app, make, limit_to(make, make.user(), make.site().id))

    found = told(user)

    assert (found["active_model"], found["speaking"]) == (None, "rules")


def test_while_models_are_switched_off_the_rules_speak(
    api: ApiClient, make: Make, active: str
) -> None:
    make.row(TenantSetting, {"name": "predictive_fraud_enabled", "value": False})
    make.session.commit()

    found = told(api)

    assert found["speaking"] == "rules"
    assert (
        f"switched off (PREDICTIVE_FRAUD_ENABLED): rules score every punch, and {active}"
        in (found["explanation"])
    )


def test_a_model_that_cannot_be_loaded_does_not_speak(
    api: ApiClient, make: Make, active: str
) -> None:
    make.session.execute(update(FraudModel).values(artefact=b"x", artefact_sha256=digest(b"x")))
    make.session.commit()
    serving.forget()

    found = told(api)

    assert found["speaking"] == "rules"
    assert found["explanation"].startswith(f"Model {active} cannot be loaded: rules score")


def test_after_a_roll_back_there_are_models_and_none_scores(
    api: ApiClient, make: Make, active: str
) -> None:
    model = make.session.scalars(select(FraudModel).where(FraudModel.is_active)).one()
    activation.roll_back(model.id, tenant_id=make.tenant_id, now=utcnow())
    make.session.commit()

    assert told(api)["explanation"].startswith("No model scores: rules do, beside 2 versions")


def test_voided_punches_do_not_count_and_rules_answer_for_themselves(
    api: ApiClient, make: Make
) -> None:
    punches = labelled(make, 12, now=utcnow(), fraud=np.ones(12))
    model_served = PredictionLog.attendance_event_id.in_(punches[:5])
    make.session.execute(update(PredictionLog).where(model_served).values(model_type="xgboost"))
    for row in make.session.scalars(select(PredictionLog)).all():
        make.row(AnomalyLog, {
            "attendance_event_id": row.attendance_event_id, "person_id": row.person_id,
            "site_id": row.site_id, "occurred_at": row.occurred_at, "anomaly_types": ["MODEL"],
            "fraud_type": "MODEL", "fraud_score": 0.7, "severity": "HIGH", "evidence": {},
            "reasons": [],
        })  # fmt: skip
    make.session.execute(
        update(AttendanceEvent).where(AttendanceEvent.id == punches[0]).values(voided_at=utcnow())
    )
    make.session.commit()

    found = told(api)

    assert (found["labels"]["total"], found["anomalies"]) == (11, 11)
    assert (found["suspicions"]["confirmed"], found["rules"]["confirmed"]) == (11, 7)
