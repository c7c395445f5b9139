"""Story 6: labels arrive, a model is trained, judged, activated and taken back. All is real."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.feed_client import FeedClient
from tests.instance import Instance, running
from tests.stories.test_fraud import ALL, add_guard, add_site

TENANT = "acme"
GUARDS, DAYS = 20, 30


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """One instance with a tenant and its admin."""
    with running() as instance:
        instance.add_tenant(TENANT, *ALL)
        yield instance


def until(done: Callable[[], Any], seconds: float = 60) -> Any:
    """What ``done`` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = done()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s")


def punch(person: int, site: int, at: dt.datetime, *, fraud: bool, name: str) -> dict[str, Any]:
    """An ordinary punch; a fraud comes from a phone with no radio and an empty battery.

    No rule looks at these two, so that only a model can know.
    """
    noise = random.Random(name)
    return {
        "external_id": name,
        "person_id": person,
        "site_id": site,
        "kind": "in",
        "occurred_at": at.isoformat(),
        "lat": 51.5074 + noise.gauss(0, 1e-4),
        "lon": -0.1278 + noise.gauss(0, 1e-4),
        "gps_accuracy": round(noise.uniform(5, 20), 2),
        "biometric_quality_score": round(noise.uniform(0.88, 0.97), 3),
        "mock_location": False,
        "phone_signal_strength": round(noise.gauss(-120 if fraud else -80, 5), 1),
        "battery_level": round(noise.uniform(2, 9) if fraud else noise.uniform(30, 100), 1),
    }


def send(instance: Instance, punches: list[dict[str, Any]], query: str = "") -> Any:
    answer = instance.post(f"attendance/events/{query}", punches, token=TENANT)
    assert answer.status in (200, 201), answer.body
    assert not answer.data["rejected"]
    return answer.data


def scores(instance: Instance, person: int) -> list[dict[str, Any]]:
    answer = instance.get(f"security/fraud-scores/history/{person}/?days=90&fresh=1", token=TENANT)
    found: list[dict[str, Any]] = answer.data["scores"]
    return found


def worked(instance: Instance) -> dict[str, int]:
    """How many scoring jobs each worker has done, by its log."""
    return {
        path.name: path.read_text().count("jobs.scoring.score_tenant")
        for path in sorted(instance.data_dir.glob("logs/worker-*.log"))
    }


def test_labels_make_a_model_that_scores_on_every_worker_until_it_is_taken_back(
    instance: Instance,
) -> None:
    site = add_site(instance, TENANT, "HQ")
    guards = [add_guard(instance, TENANT, f"G-{n}", site) for n in range(GUARDS)]
    now = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    frauds = set()
    past = []
    for day in range(DAYS, 0, -1):
        for n, guard in enumerate(guards):
            name = f"past-{day}-{n}"
            fraud = (day * 7 + n * 3) % 5 == 0
            at = now - dt.timedelta(days=day) + dt.timedelta(hours=8, minutes=n)
            past.append(punch(guard, site, at, fraud=fraud, name=name))
            if fraud:
                frauds.add((guard, at.isoformat()))
    ids = [item["id"] for item in send(instance, past)["items"]]
    assert len(ids) == GUARDS * DAYS

    # -- people look at them ---------------------------------------------------------------
    until(lambda: sum(len(scores(instance, guard)) for guard in guards) == len(ids))
    verdicts = []
    for guard in guards:
        for score in scores(instance, guard):
            assert score["model_version"] == "rules"
            fraud = (guard, score["occurred_at"]) in frauds
            verdicts.append(
                {"prediction_id": score["prediction_id"],
                 "verdict": "CONFIRMED" if fraud else "FALSE_POSITIVE"}
            )  # fmt: skip
    for start in range(0, len(verdicts), 200):
        answer = instance.post(
            "security/review-queue/", verdicts[start : start + 200], token=TENANT
        )
        assert answer.status == 200, answer.body
        assert not answer.data["rejected"], answer.body

    # -- a model is trained and judged ------------------------------------------------------
    feed = FeedClient(instance.feed_url, instance.tokens[TENANT])
    try:
        feed.wait_for_type("hello")
        accepted = instance.post("security/ml-models/train/", {}, token=TENANT)
        assert accepted.status == 202
        job = accepted.data["job_id"]
        ended = feed.wait_for(
            lambda frame: (
                frame["type"] == "job_updated"
                and frame["job_id"] == job
                and frame["state"] not in ("queued", "running")
            ),
            120,
        )
        seen = [frame["progress"] for frame in feed.frames if frame["type"] == "job_updated"]
    finally:
        feed.close()
    assert (ended["state"], ended["progress"]) == ("succeeded", 1), ended["reason"]
    assert seen == sorted(seen)
    (model,) = instance.get("security/ml-models/", token=TENANT).data
    assert (model["version"], model["status"]) == ("v1", "active"), model["gate"]["sentence"]
    assert model["train_samples"] == len(ids)

    # -- it scores, in the web process and on every worker -----------------------------------
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)
    suspicious = punch(guards[0], site, moment, fraud=True, name="now-fraud")
    (scored,) = send(instance, [suspicious], "?score=now")["scores"]
    assert (scored["model_version"], scored["fraud_type"]) == ("v1", "MODEL")
    assert scored["fraud_score"] > 0.8
    told = " ".join(reason["sentence"] for reason in scored["reasons"])
    assert "dBm; usually -8" in told or "Battery at" in told
    alerts = instance.get("alerts/?alert_type=ML_FRAUD_PREDICTION", token=TENANT).data
    assert [alert["entity_id"] for alert in alerts] == [str(scored["punch_id"])]

    before, sent = worked(instance), 0
    while any(count == before[name] for name, count in worked(instance).items()):
        assert sent < 400, worked(instance)
        clean = punch(
            guards[sent % GUARDS], site, moment + dt.timedelta(seconds=sent), fraud=False,
            name=f"now-{sent}",
        )  # fmt: skip
        send(instance, [clean])
        sent += 1
        time.sleep(0.02)

    def fresh(guard: int) -> list[str]:
        return [
            score["model_version"]
            for score in scores(instance, guard)
            if score["occurred_at"] >= moment.isoformat()
        ]

    until(lambda: sum(len(fresh(guard)) for guard in guards) == sent + 1)
    assert {version for guard in guards for version in fresh(guard)} == {"v1"}

    # -- and is taken back ------------------------------------------------------------------
    back = instance.post(f"security/ml-models/{model['id']}/rollback/", {}, token=TENANT)
    assert back.data["scoring"] == "rules"
    later = dt.datetime.now(dt.UTC)
    again = punch(guards[1], site, later, fraud=True, name="after")
    (scored,) = send(instance, [again], "?score=now")["scores"]
    assert (scored["model_version"], scored["fraud_score"] < 0.2) == ("rules", True)
    assert "v1" in instance.noc("models", "list", "--tenant", TENANT)
