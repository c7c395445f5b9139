"""Windows keep their distance, nothing later is looked at, and the figures are honest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noc.fraud.training import TrainedModel, fit
from noc.fraud.training.metrics import average_precision, ranked
from tests.fraud.training.tables import Made, made


def _ap(chances: np.ndarray, labels: np.ndarray) -> float:
    curve = ranked(chances, labels.astype(float)).curve(np.ones((1, len(labels))))
    return float(average_precision(curve)[0])


def test_the_same_rows_give_the_same_bytes_in_any_order(table: Made, model: TrainedModel) -> None:
    rules = (table.features["distance"] / 10).clip(0, 1)
    order = np.random.default_rng(1).permutation(len(table.labels))
    shuffled = table.take(order).fit(rules=rules.iloc[order])
    assert shuffled.to_bytes() == model.to_bytes()
    assert table.fit(rules=rules, seed=1).to_bytes() != model.to_bytes()


def test_windows_follow_each_other_with_the_delay_between(table: Made, model: TrainedModel) -> None:
    windows = model.report["windows"]
    ends = [pd.Timestamp(windows[name]["end"]) for name in ("development", "calibration")]
    starts = [pd.Timestamp(windows[name]["start"]) for name in ("calibration", "test")]
    for end, start in zip(ends, starts, strict=True):
        assert start - end >= timedelta(days=7)
    assert model.report["delay_days"] == 7
    held_out = model.held_out
    times = table.times.iloc[held_out["position"]]
    assert (times.to_numpy() == held_out["time"].to_numpy()).all()
    calibration = times[(held_out["window"] == "calibration").to_numpy()]
    test = times[(held_out["window"] == "test").to_numpy()]
    assert test.min() - calibration.max() >= timedelta(days=7)
    assert test.max() == table.times.max()
    assert len(test) == windows["test"]["rows"]


def test_a_short_span_shortens_the_delay_and_says_so(table: Made) -> None:
    trained = table.fit(delay=timedelta(days=60))
    assert trained.report["delay_days"] == pytest.approx(15, abs=0.1)
    assert any("label delay" in warning for warning in trained.report["warnings"])


def test_labels_of_the_test_window_change_no_score(table: Made, model: TrainedModel) -> None:
    test = model.held_out[model.held_out["window"] == "test"]["position"]
    labels = table.labels.copy()
    labels.iloc[test] = 1 - labels.iloc[test]
    poisoned = fit(table.features, labels, table.times)
    clean = table.fit()
    assert poisoned.held_out["probability"].tolist() == clean.held_out["probability"].tolist()
    assert poisoned.report["threshold"] == clean.report["threshold"]
    assert poisoned.report["test"]["ap"] != clean.report["test"]["ap"]


def test_rows_after_development_choose_nothing(table: Made, model: TrainedModel) -> None:
    later = model.held_out["position"]
    labels, features = table.labels.copy(), table.features.copy()
    labels.iloc[later] = 1 - labels.iloc[later]
    features.loc[features.index[later], "distance"] *= -3
    poisoned = fit(features, labels, table.times)
    clean = table.fit()
    for key in ("settings", "settings_tried", "weights_tried"):
        assert poisoned.report[key] == clean.report[key]
    for name, candidate in clean.report["candidates"].items():
        validated = poisoned.report["candidates"][name]["validation_ap"]
        assert validated == candidate["validation_ap"]


def test_known_entities_are_not_in_later_windows(table: Made) -> None:
    guards = pd.Series([f"guard {i}" for i in np.arange(len(table.labels)) % 300])
    guards[::10] = None
    trained = table.fit(entities=guards)
    held_out = trained.held_out
    for window in ("calibration", "test"):
        rows = held_out[held_out["window"] == window]["position"]
        begin = table.times.iloc[rows].min()
        past = (table.times < begin - timedelta(days=7)) & (table.labels == 1)
        assert not set(guards[past].dropna()) & set(guards.iloc[rows].dropna())
    assert guards.iloc[held_out["position"]].isna().any()


def test_calibration_keeps_the_ranking(table: Made, model: TrainedModel) -> None:
    values = table.features.to_numpy(np.float64)
    order = np.argsort(model.scorer.margins(values), kind="stable")
    assert (np.diff(model.log_odds(values)[order]) >= 0).all()
    assert model.report["calibration"]["slope"] > 0


def test_probabilities_are_what_happens() -> None:
    table = made(6000, seed=3)
    fresh = made(6000, seed=4)
    chances = table.fit().predict(fresh.features)
    assert abs(chances.mean() - fresh.truth.mean()) < 0.02
    high = chances > 0.5
    assert abs(chances[high].mean() - fresh.truth[high].mean()) < 0.06


def test_it_beats_the_defaults() -> None:
    from xgboost import XGBClassifier

    fresh = made(8000, seed=9)
    for rows in (600, 2000):
        ours, theirs = [], []
        for seed in range(3):
            table = made(rows, seed=seed)
            ours.append(_ap(table.fit().predict(fresh.features), fresh.labels.to_numpy()))
            plain = XGBClassifier(n_jobs=1).fit(table.features, table.labels)
            theirs.append(_ap(plain.predict_proba(fresh.features)[:, 1], fresh.labels.to_numpy()))
        assert np.mean(ours) > np.mean(theirs) + 0.02


def test_signs_that_hold_are_kept_and_honoured(table: Made) -> None:
    bent = table.with_features(risk=(table.truth - 0.3) ** 2)
    trained = bent.fit(monotone={"distance": 1, "quality": -1})
    assert trained.report["monotone"]["distance"] == {"sign": 1, "kept": True}
    grid = table.features.iloc[np.repeat(np.arange(50), 40)].assign(risk=0.1)
    grid["distance"] = np.tile(np.linspace(0, 5, 40), 50)
    scores = trained.predict(grid).reshape(50, 40)
    assert (np.diff(scores, axis=1) >= 0).all()


def test_signs_that_cost_are_dropped() -> None:
    table = made(3000, seed=2)
    trained = table.fit(monotone={"distance": -1, "shared": 1})
    assert trained.report["monotone"]["distance"] == {"sign": -1, "kept": False}
    assert trained.report["settings"]["trees"]["monotone"][0:1] in ([], [0])


def test_progress_rises_to_the_end_and_may_cancel(table: Made) -> None:
    told: list[tuple[str, float]] = []
    table.fit(progress=lambda stage, share: told.append((stage, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert len(told) > 50
    assert len({stage for stage, _ in told}) == 6

    class Cancelled(Exception):
        pass

    def cancel(stage: str, share: float) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        table.fit(progress=cancel)


def _intervals(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if {"value", "low", "high"} <= set(part):
            yield part
        for one in part.values():
            yield from _intervals(one)
    if isinstance(part, list):
        for one in part:
            yield from _intervals(one)


def test_the_report_is_json_with_intervals_around_their_values(model: TrainedModel) -> None:
    report = json.loads(json.dumps(model.report, allow_nan=False))
    assert report == model.report
    intervals = list(_intervals(report))
    assert len(intervals) > 40
    for one in intervals:
        assert one["value"] is None or one["low"] <= one["value"] <= one["high"]
    assert report["test"]["ap"]["high"] - report["test"]["ap"]["low"] > 0.01
    assert set(report["candidates"]) == {"rules", "logistic", "xgboost", "blend"}
    assert {"rules", "logistic"} <= {*report["differences"], report["chosen"]}
    assert len(report["folds"]) == 4
    assert len(report["pr_curve"]) <= 200
    assert (
        sum(bin_["count"] for bin_ in report["calibration_curve"])
        == (report["windows"]["test"]["rows"])
    )
    for reference in report["reference"].values():
        assert sum(reference["shares"]) == pytest.approx(1)
        assert len(reference["shares"]) == len(reference["edges"]) + 1
    importance = report["importance"]
    assert list(importance.values()) == sorted(importance.values(), reverse=True)
    assert importance["distance"] > 2 * importance["noise"] > 0


def test_the_figures_are_those_of_the_held_out_rows(model: TrainedModel) -> None:
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    test = model.held_out[model.held_out["window"] == "test"]
    figures = {name: part["value"] for name, part in model.report["test"].items()}
    labels, chances = test["label"], test["probability"]
    assert figures["ap"] == pytest.approx(average_precision_score(labels, chances))
    assert figures["roc_auc"] == pytest.approx(roc_auc_score(labels, chances))
    assert figures["brier"] == pytest.approx(brier_score_loss(labels, chances))
    alarms = chances >= model.report["threshold"]
    assert figures["precision"] == pytest.approx(labels[alarms].mean())
    assert figures["recall"] == pytest.approx(labels[alarms].sum() / labels.sum())
    rules = model.report["candidates"]["rules"]["test"]["ap"]["value"]
    assert rules == pytest.approx(average_precision_score(labels, test["rules"]), abs=1e-3)
    difference = model.report["differences"]["rules"]["value"]
    assert difference == pytest.approx(figures["ap"] - rules)


def test_thinned_out_rows_leave_no_trace_in_the_base_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    from noc.fraud.training import choice

    table = made(6000, seed=5, shift=-5.0)
    monkeypatch.setattr(choice, "NEGATIVES_PER_POSITIVE", 3.0)
    trained = table.fit()
    assert trained.scorer.offset < -0.5
    assert abs(trained.predict(table.features).mean() - table.labels.mean()) < 0.015


def test_what_is_held_out_is_told_on_the_scale_that_is_served_too(model: TrainedModel) -> None:
    held = model.held_out
    assert held is not None
    line, measured = model.report["calibration"], model.report["calibration"]["measured"]

    def log_odds(chances: pd.Series) -> np.ndarray:
        return np.log(chances / (1 - chances)).to_numpy()

    margins = (log_odds(held["probability"]) - measured["intercept"]) / measured["slope"]
    served = line["slope"] * margins + line["intercept"]
    assert (line["slope"], line["intercept"]) != (measured["slope"], measured["intercept"])
    np.testing.assert_allclose(log_odds(held["served_probability"]), served, atol=1e-6)
    assert (model.calibration.slope, model.calibration.intercept) == (
        line["slope"],
        line["intercept"],
    )
