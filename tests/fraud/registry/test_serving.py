"""A registered model speaks on punches: at once, the same everywhere, and healed where broken."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from xgboost.core import XGBoostError

from noc.extensions import settings
from noc.fraud.combination import Combination, logit
from noc.fraud.models import PredictionLog
from noc.fraud.registry import activation, serving
from noc.fraud.registry.artefact import BrokenArtefact, Registered, unpack
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.serving import Entry
from noc.fraud.training import TrainedModel
from noc.monitoring import metrics
from tests.factories import NOW, Make
from tests.fraud.registry.conftest import register
from tests.fraud.stories import SHIFT_START, score, settled

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def own_cache(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    changed = settings().model_copy(update={"ml_models_dir": folder})
    monkeypatch.setitem(_config(), "NOC_SETTINGS", changed)
    return folder


def _config() -> dict[str, object]:
    from flask import current_app

    return current_app.config


def activate(make: Make, trained: TrainedModel, *, now: dt.datetime = NOW) -> FraudModel:
    model = register(make, trained, now=now)
    activation.activate(model.id, tenant_id=make.tenant_id, now=now)
    make.session.commit()
    return model


def from_registry(make: Make, model: FraudModel) -> Registered:
    """Loaded as a process that starts would load it, from the registry's bytes."""
    serving.forget()
    return serving.load(make.tenant_id, Entry(model.id, model.version, model.artefact_sha256))


def test_no_model_means_rules_and_the_answer_says_so(make: Make) -> None:
    scored = score(settled(make).punch())

    assert (scored.model_version, scored.model_type) == ("rules", "rules")


def test_an_activation_is_in_force_with_the_next_batch_and_a_way_back_too(
    make: Make, trained: TrainedModel
) -> None:
    guard = settled(make)
    assert score(guard.punch()).model_version == "rules"
    model = activate(make, trained)
    scored = score(guard.punch(dt.datetime(2026, 11, 16, 10, 30, tzinfo=dt.UTC), kind="out"))
    assert (scored.model_version, scored.model_type) == ("v1", trained.model_type)
    activation.roll_back(model.id, tenant_id=make.tenant_id, now=NOW)
    later = dt.datetime(2026, 11, 17, 2, 30, tzinfo=dt.UTC)
    assert score(guard.punch(later)).model_version == "rules"


def test_what_was_served_comes_out_of_the_stored_vector_to_the_last_bit(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    model = activate(make, trained)
    guards = [settled(make) for _ in range(3)]
    punches = [guard.punch(mock_location=bool(n)) for n, guard in enumerate(guards)]
    for punch in punches:
        score(punch)
    rows = session.scalars(
        select(PredictionLog).where(
            PredictionLog.attendance_event_id.in_([punch.id for punch in punches])
        )
    ).all()
    artefact = from_registry(make, model).artefact

    assert len(rows) == 3
    for row in rows:
        vector = np.array([[np.nan if v is None else v for v in row.features]], dtype=np.float64)
        again = artefact.probabilities(vector)
        assert again[0] == row.probability
        assert row.rule_score is not None
        together = artefact.combination.scores(again, np.array([row.rule_score]))
        assert round(float(together[0]), 6) == row.fraud_score
        parts = artefact.trained.explain_array(vector)
        assert parts.sum() == pytest.approx(float(logit(again)[0]), abs=1e-9)


def test_a_shadow_scores_every_punch_and_changes_nothing(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    register(make, trained)
    scored = score(settled(make).punch())
    rows = session.scalars(
        select(PredictionLog)
        .where(PredictionLog.attendance_event_id == scored.punch_id)
        .order_by(PredictionLog.is_shadow)
    ).all()

    assert scored.model_version == "rules"
    assert [(row.model_version, row.is_shadow) for row in rows] == [("rules", False), ("v1", True)]
    served, shadow = rows
    assert (served.probability, shadow.features) == (None, [])
    assert shadow.probability is not None
    assert shadow.rule_score == served.rule_score


def test_a_missing_and_a_damaged_file_heal_themselves(
    make: Make, trained: TrainedModel, own_cache: Path
) -> None:
    model = activate(make, trained)
    from_registry(make, model)
    (file,) = own_cache.iterdir()
    good = file.read_bytes()
    for bad in (good[:-1], b"", b"{}", None):
        if bad is None:
            file.unlink()
        else:
            file.write_bytes(bad)
        again = from_registry(make, model)
        assert again.version == "v1"
        assert file.read_bytes() == good
    assert not list(own_cache.glob(".*"))


def test_a_folder_that_cannot_be_written_costs_nothing(
    make: Make, trained: TrainedModel, own_cache: Path
) -> None:
    model = activate(make, trained)
    own_cache.write_text("a file where the folder should be")

    assert from_registry(make, model).version == "v1"


def test_damaged_bytes_in_the_registry_mean_rules_and_are_counted(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    activate(make, trained)
    session.execute(update(FraudModel).values(artefact=b"not what was registered"))
    session.commit()
    failures = metrics.FAILURES.labels("fraud_model")
    before = failures._value.get()

    assert score(settled(make).punch()).model_version == "rules"
    assert failures._value.get() == before + 1


def test_a_broken_artefact_is_read_once_a_minute_and_believed_when_it_is_mended(
    make: Make, session: Session, trained: TrainedModel, own_cache: Path,
    monkeypatch: pytest.MonkeyPatch, query_count: Callable[[Callable[[], Any]], int],
) -> None:  # fmt: skip
    good = activate(make, trained).artefact
    session.execute(update(FraudModel).values(artefact=b"not what was registered"))
    session.commit()
    shutil.rmtree(own_cache, ignore_errors=True)
    serving.forget()
    clock = [1000.0]
    monkeypatch.setattr(serving, "monotonic", lambda: clock[0])
    failures = metrics.FAILURES.labels("fraud_model")
    before = failures._value.get()
    guard = settled(make)

    def batch(minute: int) -> str:
        return score(guard.punch(SHIFT_START + minute * MINUTE)).model_version

    def ask() -> None:
        assert serving.speakers(make.tenant_id).broken == ("v1",)

    with capture_logs() as logs:
        assert [batch(0), batch(1)] == ["rules", "rules"]
        assert query_count(ask) == 1, "the list of versions, and no bytes"
    assert [line["event"] for line in logs].count("model_not_loaded") == 1
    assert failures._value.get() == before + 2, "every batch counts"

    session.execute(update(FraudModel).values(artefact=good))
    session.commit()
    clock[0] += 59
    assert batch(2) == "rules"
    clock[0] += 2
    assert batch(3) == "v1"


@pytest.mark.parametrize(
    "wrong",
    [XGBoostError("Check failed: columns"), ValueError("shape"), KeyError("battery_level"),
     FloatingPointError("overflow"), np.full((1, 13), np.nan), np.zeros((1, 3))],
    ids=["xgboost", "value", "key", "arithmetic", "no number", "too few columns"],
)  # fmt: skip
def test_a_model_that_cannot_explain_leaves_the_words_to_the_rules(
    make: Make, trained: TrainedModel, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    activate(make, trained)

    def explain(*_: Any) -> Any:
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    monkeypatch.setattr(TrainedModel, "explain_array", explain)

    scored = score(settled(make).punch(mock_location=True))

    assert scored.model_version == "v1"
    assert scored.reasons[0]["rule"] == "GPS_SPOOFING"


def test_scoring_asks_for_one_query_more_and_no_more_for_the_model(
    make: Make, trained: TrainedModel, query_count: object
) -> None:
    guard = settled(make)
    activate(make, trained)
    score(guard.punch())

    def later(hour: int) -> int:
        moment = dt.datetime(2026, 11, 17, hour, 0, tzinfo=dt.UTC)
        return query_count(lambda: score(guard.punch(moment)))  # type: ignore[operator]

    assert later(3) == later(4)


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"{}", b'{"format": "noc-fraud-model/1"}', b"\xff", b"[" * 100_000,
     json.dumps({"format": "noc-fraud-model/1", "model": "AAAA", "combination": {},
                 "threshold": 0.5}).encode()],
)  # fmt: skip
def test_bytes_that_are_no_model_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(BrokenArtefact) as refused:
        unpack(data)
    assert str(refused.value)


def test_versions_with_other_weights_are_other_artefacts(make: Make, trained: TrainedModel) -> None:
    first = register(make, trained)
    second = register(make, trained, weights=Combination(1.0, 0.0, 0.0), now=NOW + MINUTE)

    assert first.artefact_sha256 != second.artefact_sha256


def test_the_models_of_thirty_tenants_stay_in_memory(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def note(_: int, entry: Entry) -> Registered:
        read.append(entry.version)
        return cast(Registered, entry)

    monkeypatch.setattr(serving, "_read", note)
    entries = [(n // 4, Entry(uuid.UUID(int=n), f"v{n}", "0" * 64)) for n in range(4 * 30)]
    for _ in range(2):
        for tenant, entry in entries:
            serving.load(tenant, entry)
    serving.forget()

    assert len(read) == len(entries)
