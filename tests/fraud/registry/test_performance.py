"""How well detection does, told to the whole company and to whoever is limited to some sites."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask

from noc.database.base import utcnow
from noc.fraud.registry import versions
from noc.fraud.registry.models import ModelMetrics
from noc.fraud.training import TrainedModel
from noc.identity.models import TenantSetting
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.registry.conftest import register
from tests.signed_in import UserClient, limit_to

PATH = "security/ml-models/performance/?fresh=1"


@pytest.fixture
def active(make: Make, trained: TrainedModel) -> str:
    """The version that scores; beside it an evaluation and a shadow."""
    now = utcnow()
    model = register(make, trained, now=now)
    versions.activate(model.id, tenant_id=make.tenant_id, now=now)
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
    assert f"switched off (PREDICTIVE_FRAUD_ENABLED): rules score every punch, and {active}" in (
        found["explanation"]
    )
