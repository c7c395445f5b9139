"""A trained model scores row by row, explains itself, and survives its own bytes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from noc.fraud.training import TrainedModel
from noc.fraud.training.model import Scorer
from tests.fraud.training.tables import Made, made


@pytest.fixture(params=["xgboost", "logistic", "blend"])
def each(request: pytest.FixtureRequest, blend: TrainedModel) -> TrainedModel:
    """The same training as trees, as a regression, and as both."""
    share = {"xgboost": 1.0, "logistic": 0.0, "blend": 0.5}[request.param]
    parts = blend.scorer
    return replace(
        blend,
        model_type=request.param,
        scorer=Scorer(
            parts.booster if share > 0 else None, parts.linear if share < 1 else None, share, 0.25
        ),
    )


@pytest.fixture(scope="session")
def blend() -> TrainedModel:
    trained = made(400).fit()
    assert trained.model_type == "blend"
    return trained


def test_a_row_alone_scores_the_same_bits_as_in_a_batch(each: TrainedModel, table: Made) -> None:
    batch = each.predict(table.features[:1000])
    alone = [each.predict(table.features[i : i + 1])[0] for i in range(0, 1000, 7)]
    assert batch[::7].tolist() == alone
    values = table.features[:1000].to_numpy(np.float64)
    assert each.predict(values).tolist() == batch.tolist()
    assert each.predict(values[::-1])[::-1].tolist() == batch.tolist()


def test_contributions_add_up_to_the_log_odds(each: TrainedModel, table: Made) -> None:
    explained = each.explain(table.features)
    assert list(explained.columns) == [*table.features.columns, "base"]
    log_odds = each.log_odds(table.features)
    assert np.abs(explained.sum(axis=1).to_numpy() - log_odds).max() < 1e-12
    assert np.abs(1 / (1 + np.exp(-log_odds)) - each.predict(table.features)).max() < 1e-12
    # What was put into the base is only what float32 left over, not a mistake hidden there.
    values = table.features.to_numpy(np.float64)
    raw = each.scorer.contributions(values)
    assert np.abs(raw.sum(axis=1) - each.scorer.margins(values)).max() < 1e-3
    assert explained["distance"].std() > 0.1


def test_an_explanation_keeps_the_frames_index(model: TrainedModel, table: Made) -> None:
    some = table.features[10:13].set_index(pd.Index(["a", "b", "c"]))
    assert list(model.explain(some).index) == ["a", "b", "c"]
    assert model.explain_array(some.to_numpy(np.float64)).shape == (3, 6)


def test_columns_go_by_name(model: TrainedModel, table: Made) -> None:
    expected = model.predict(table.features)
    shuffled = table.features[reversed(table.features.columns)].assign(extra="not a number")
    assert model.predict(shuffled).tolist() == expected.tolist()
    with pytest.raises(KeyError, match="distance"):
        model.predict(table.features.drop(columns="distance"))
    with pytest.raises(ValueError, match="distance"):
        model.predict(table.features.assign(distance="far"))
    with pytest.raises(ValueError, match=r"\(rows, 5\)"):
        model.predict(np.zeros((2, 4)))


def test_no_rows_are_no_scores(each: TrainedModel, table: Made) -> None:
    assert each.predict(table.features[:0]).shape == (0,)
    assert each.explain(table.features[:0]).shape == (0, 6)


def test_infinite_and_huge_values_are_survived(each: TrainedModel, table: Made) -> None:
    odd = table.features[:4].assign(distance=[np.inf, -np.inf, 1e300, np.nan])
    scores = each.predict(odd)
    assert np.isfinite(scores).all()
    missing = each.predict(table.features[:4].assign(distance=np.nan))
    assert scores[0] == missing[0]
    assert scores[1] == missing[1]


def test_bytes_round_trip(each: TrainedModel, table: Made) -> None:
    data = each.to_bytes()
    again = TrainedModel.from_bytes(data)
    assert again.to_bytes() == data
    assert again.features == each.features
    assert again.model_type == each.model_type
    assert again.predict(table.features).tolist() == each.predict(table.features).tolist()
    values = table.features.to_numpy(np.float64)
    assert again.explain_array(values).tolist() == each.explain_array(values).tolist()
    assert again.report == {k: v for k, v in each.report.items() if k != "seconds"}
    assert again.held_out is None


def _changed(data: bytes, **parts: object) -> bytes:
    """A whole artefact, checksum and all, with parts of the model replaced."""
    from noc.fraud.training.model import _canonical, _digest

    document = json.loads(data)
    document["model"] |= parts
    document["sha256"] = _digest(document["model"])
    return _canonical(document)


def test_what_is_no_artefact_is_refused(blend: TrainedModel) -> None:
    data = blend.to_bytes()
    document = json.loads(data)
    for odd, says in (
        (b"", "not JSON"),
        (data[:-20], "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a fraud model"),
        (json.dumps(document | {"version": 99}).encode(), "version 99"),
        (json.dumps(document | {"model": 1}).encode(), "no model in it"),
        (data.replace(b'"slope":', b'"slope":1'), "checksum"),
        (_changed(data, calibration={"slope": -1}), "not a model of this format"),
        (_changed(data, calibration=None), "not a model of this format"),
        (_changed(data, linear=None), "not a model of this format"),
        (_changed(data, linear=blend.scorer.linear.said() | {"scale": [1]}), "scale"),
        (_changed(data, trees="not base64!"), "not a model of this format"),
        (_changed(data, trees=base64.b64encode(b"nonsense").decode()), "trees"),
        (_changed(data, features=["one"]), "not a model of this format"),
        (_changed(data, features=3), "not a model of this format"),
        (_changed(data, model_type="oracle"), "oracle"),
    ):
        with pytest.raises(ValueError, match=says):
            TrainedModel.from_bytes(odd)
    assert TrainedModel.from_bytes(_changed(data)).features == blend.features


def test_importing_is_cheap() -> None:
    program = (
        "import sys; import noc.fraud.training; "
        "print({'pandas', 'xgboost', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
