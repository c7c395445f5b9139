"""Odd tables are trained on, refused in words, or named as wrong; nothing else happens."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from noc.fraud.training import TrainingRefused, fit
from noc.fraud.training.table import MIN_OF_EACH
from tests.fraud.training.tables import Made


def _first(table: Made, frauds: int, genuine: int) -> Made:
    """So many of each, spread over the time."""
    some = []
    for label, count in ((1, frauds), (0, genuine)):
        rows = np.flatnonzero(table.labels == label)
        some.append(rows[np.linspace(0, len(rows) - 1, count).astype(int)])
    return table.take(np.sort(np.concatenate(some)))


@pytest.mark.parametrize(
    ("frauds", "genuine", "says"),
    [
        (0, 0, "no labelled rows"),
        (1, 0, "All 1 labels say fraud"),
        (0, 50, "All 50 labels say genuine"),
        (MIN_OF_EACH - 1, 500, f"Only {MIN_OF_EACH - 1} labels say fraud"),
        (50, MIN_OF_EACH - 1, f"Only {MIN_OF_EACH - 1} labels say genuine"),
    ],
)
def test_too_few_labels_are_refused(table: Made, frauds: int, genuine: int, says: str) -> None:
    with pytest.raises(TrainingRefused, match=says):
        _first(table, frauds, genuine).fit()


@pytest.mark.parametrize("frauds", [MIN_OF_EACH, 12, 20])
@pytest.mark.parametrize("genuine", [MIN_OF_EACH, 200])
def test_few_labels_are_trained_on_with_a_warning(table: Made, frauds: int, genuine: int) -> None:
    few = _first(table, frauds, genuine)
    trained = few.fit()
    assert trained.report["warnings"]
    json.dumps(trained.report, allow_nan=False)
    chances = trained.predict(few.features)
    assert ((chances > 0) & (chances < 1)).all()


def test_what_tells_nothing_is_refused(table: Made) -> None:
    constant = table.features.assign(**dict.fromkeys(table.features, 1.0))
    constant["quality"] = np.nan
    with pytest.raises(TrainingRefused, match="No column varies"):
        fit(constant, table.labels, table.times)
    with pytest.raises(TrainingRefused, match="No column varies"):
        fit(table.features[[]], table.labels, table.times)
    with pytest.raises(TrainingRefused, match="same time"):
        fit(table.features, table.labels, pd.Series([7] * len(table.labels)))


def test_frauds_that_are_all_late_are_refused(table: Made) -> None:
    labels = table.labels.copy()
    labels[:1450] = 0
    labels[1450:1470] = 1
    with pytest.raises(TrainingRefused, match="last stretch"):
        fit(table.features, labels, table.times)


@pytest.mark.parametrize("times", [2, 3, 5])
def test_few_moments_are_trained_on_or_refused_in_words(table: Made, times: int) -> None:
    days = pd.Series(np.arange(len(table.labels)) % times * 86_400.0)
    trained = fit(table.features, table.labels, days)
    assert trained.report["warnings"]
    assert trained.report["span"] == [0.0, (times - 1) * 86_400.0]


def test_odd_columns_are_lived_with(table: Made) -> None:
    rng = np.random.default_rng(0)
    n = len(table.labels)
    odd = table.with_features(
        constant=3,
        nothing=np.nan,
        wild=np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n)),
        huge=rng.normal(size=n) * 1e300,
        again=table.features["distance"],
        nullable=pd.array(np.where(rng.random(n) < 0.5, 1, None), dtype="Int64"),
        small=np.where(rng.random(n) < 0.5, 1e-300, 0),
    )
    trained = odd.fit()
    assert trained.features == tuple(odd.features.columns)
    json.dumps(trained.report, allow_nan=False)
    assert np.isfinite(trained.log_odds(odd.features)).all()
    assert trained.report["importance"]["constant"] == 0


def test_duplicate_rows_are_lived_with(table: Made) -> None:
    twice = table.take(np.repeat(np.arange(400), 2))
    assert twice.fit().report["rows"] == 800


def test_wrong_arguments_are_named(table: Made) -> None:
    features, labels, times = table.features, table.labels, table.times
    with pytest.raises(ValueError, match="label is 2"):
        fit(features, labels + 1, times)
    with pytest.raises(ValueError, match="'night' is not numeric"):
        fit(features.assign(night="yes"), labels, times)
    with pytest.raises(ValueError, match="1499 of labels"):
        fit(features, labels[1:], times)
    with pytest.raises(ValueError, match="neither datetimes nor numbers"):
        fit(features, labels, pd.Series(["yesterday"] * len(labels)))
    with pytest.raises(ValueError, match="no time"):
        fit(features, labels, times.mask(times.index == 5))
    with pytest.raises(ValueError, match="rules score is 6"):
        fit(features, labels, times, rules=labels + 6.0)
    with pytest.raises(ValueError, match="more than once"):
        fit(features.set_axis(["a", "a", "b", "c", "d"], axis=1), labels, times)
    with pytest.raises(ValueError, match="'speed' that is not there"):
        fit(features, labels, times, monotone={"speed": 1})
    with pytest.raises(ValueError, match="test_size"):
        fit(features, labels, times, test_size=1.5)


def test_rows_without_a_label_are_left_out(table: Made) -> None:
    labels = table.labels.astype(float)
    labels[::3] = np.nan
    trained = fit(table.features, labels, table.times)
    assert trained.report["rows"] == 1000
    assert (trained.held_out["position"] % 3 != 0).all()
