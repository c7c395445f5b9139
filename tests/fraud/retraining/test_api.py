"""REST of models and jobs: list, train, follow, cancel, activate, take back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from jobs import training as training_jobs
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import queue
from noc.fraud.registry import serving
from noc.identity import tenants, tokens
from tests.conftest import ApiClient
from tests.factories import Make
from tests.fraud.labelled import labelled
from tests.problems import assert_problem
from tests.signed_in import UserClient

MODELS = "security/ml-models/"


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def train(api: ApiClient, make: Make, count: int = 600) -> dict[str, Any]:
    """A version, made by the worker's job; as the list shows it."""
    labelled(make, count, now=utcnow(), seed=count)
    job = data(api.post(f"{MODELS}train/"), 202)
    make.session.commit()
    assert training_jobs.run(make.tenant_id, job["job_id"]) == "succeeded"
    found: dict[str, Any] = data(api.get(MODELS))[0]
    return found


def test_without_models_the_list_is_empty(api: ApiClient) -> None:
    response = api.get(MODELS)
    assert data(response) == []
    assert response.get_json()["pagination"] == {"next_cursor": None, "limit": 50}


def test_training_is_accepted_and_followed_to_its_end(api: ApiClient, make: Make) -> None:
    job = data(api.post(f"{MODELS}train/", json={"days": 90, "test_size": 0.3}), 202)
    assert (job["state"], job["created"]) == ("queued", True)
    assert job["parameters"] == {"days": 90, "test_size": 0.3}
    again = data(api.post(f"{MODELS}train/"), 202)
    assert (again["job_id"], again["created"]) == (job["job_id"], False)
    (queued,) = queue("ml_queue").jobs

    assert training_jobs.run(*queued.args) == "refused"
    ended = data(api.get(f"jobs/{job['job_id']}/"))
    assert (ended["state"], ended["trigger"]) == ("refused", "manual")
    assert "a model needs 100" in ended["reason"]
    assert [one["job_id"] for one in data(api.get("jobs/?name=fraud_training&state=refused"))] == [
        job["job_id"]
    ]
    assert data(api.get("jobs/?state=running,queued")) == []


def test_a_waiting_training_is_cancelled_at_once(api: ApiClient) -> None:
    job = data(api.post(f"{MODELS}train/"), 202)
    cancelled = data(api.post(f"jobs/{job['job_id']}/cancel/"))
    assert cancelled["state"] == "cancelled"
    assert data(api.post(f"{MODELS}train/"), 202)["created"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [({"days": 0}, "days"), ({"days": "x"}, "days"), ({"days": 30.5}, "days"),
     ({"test_size": 0.9}, "test_size"), ({"test_size": float("nan")}, "test_size"),
     ({"seed": 1}, "seed")],
)  # fmt: skip
def test_odd_parameters_are_refused_by_name(api: ApiClient, body: Any, field: str) -> None:
    assert_problem(api.post(f"{MODELS}train/", json=body), 422, **{field: ""})
    assert queue("ml_queue").count == 0


def test_versions_are_shown_with_every_figure(api: ApiClient, make: Make) -> None:
    listed = train(api, make)
    shown = data(api.get(f"{MODELS}{listed['id']}/"))

    assert (listed["version"], listed["status"], listed["gate"]["may_score"]) == (
        "v1", "active", True,
    )  # fmt: skip
    assert "report" not in listed
    served = shown["report"]["served"]
    for figure in ("ap", "precision", "recall", "f1", "brier"):
        value = served["test"][figure]
        assert value["low"] <= value["value"] <= value["high"]
    assert set(served["alone"]) == {"model", "rules"}
    assert [one["kind"] for one in shown["evaluations"]] == ["holdout"]
    assert shown["report"]["pr_curve"]


def test_activation_and_the_way_back(api: ApiClient, make: Make) -> None:
    first = train(api, make)
    second = train(api, make, 300)
    assert second["status"] == "shadow"

    active = data(api.post(f"{MODELS}{second['id']}/activate/", json={"note": "Try it."}))
    assert (active["status"], active["ancestor"], active["note"]) == (
        "active",
        "v1",
        "Try it. (tests)",
    )
    back = data(api.post(f"{MODELS}{second['id']}/rollback/"))
    assert (back["status"], back["scoring"]) == ("retired", "v1")
    assert data(api.get(f"{MODELS}{first['id']}/"))["status"] == "active"
    assert_problem(api.post(f"{MODELS}{second['id']}/rollback/"), 409)
    assert data(api.post(f"{MODELS}{first['id']}/rollback/"))["scoring"] == "rules"
    performance = data(api.get("security/ml-models/performance/?fresh=1"))
    assert performance["speaking"] == "rules"


def test_pages_of_versions_and_jobs(api: ApiClient, make: Make) -> None:
    for count in (120, 130, 140):
        train(api, make, count)
    for path, name in ((MODELS, "version"), ("jobs/", "job_id")):
        seen, cursor = [], ""
        while True:
            page = api.get(f"{path}?limit=2{cursor}").get_json()
            seen += [row[name] for row in page["data"]]
            if page["pagination"]["next_cursor"] is None:
                break
            cursor = f"&cursor={page['pagination']['next_cursor']}"
        assert len(seen) == len(set(seen)) == 3


NOBODY = uuid.UUID("01a1fd20-0000-7000-8000-000000000000")


@pytest.mark.parametrize("path", [f"{MODELS}{NOBODY}/", f"jobs/{NOBODY}/"])
def test_what_is_not_there_is_404(api: ApiClient, path: str) -> None:
    assert_problem(api.get(path), 404)


@pytest.mark.parametrize(
    "path", [f"{MODELS}{NOBODY}/activate/", f"{MODELS}{NOBODY}/rollback/", f"jobs/{NOBODY}/cancel/"]
)
def test_what_is_not_there_cannot_be_changed(api: ApiClient, path: str) -> None:
    assert_problem(api.post(path), 404)


def test_another_tenants_models_and_jobs_are_not_there(
    api: ApiClient, make: Make, app: APIFlask, session: Session
) -> None:
    model = train(api, make, 150)
    job = data(api.get("jobs/"))[0]
    rival = tenants.create_tenant("rival", "Rival")
    with tenant_context(session, rival.id):
        _, secret = tokens.create(rival.id, "theirs", frozenset({"ml:train", "admin"}))
        session.commit()
    theirs = ApiClient(app.test_client(), secret)

    assert data(theirs.get(MODELS)) == []
    assert data(theirs.get("jobs/")) == []
    assert_problem(theirs.get(f"{MODELS}{model['id']}/"), 404)
    assert_problem(theirs.post(f"{MODELS}{model['id']}/activate/"), 404)
    assert_problem(theirs.get(f"jobs/{job['job_id']}/"), 404)
    assert_problem(theirs.post(f"jobs/{job['job_id']}/cancel/"), 404)


@pytest.mark.parametrize("role", ["viewer", "operator", "security_manager"])
def test_only_who_may_train_trains(app: APIFlask, make: Make, role: str) -> None:
    user = UserClient(app, make, make.user(role))
    assert_problem(user.post(f"{MODELS}train/"), 403)
    assert_problem(user.post(f"{MODELS}{NOBODY}/activate/"), 403)
    assert_problem(user.get("jobs/"), 403)
    listing = user.get(MODELS)
    assert listing.status_code == (200 if role == "security_manager" else 403)
