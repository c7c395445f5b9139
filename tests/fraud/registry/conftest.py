"""A model to register, trained once for all tests of the registry."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from noc.fraud.combination import Combination
from noc.fraud.features import FEATURES
from noc.fraud.registry import serving, versions
from noc.fraud.registry.artefact import Artefact, pack
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.versions import Candidate
from noc.fraud.training import TrainedModel, fit
from tests.factories import NOW, Make
from tests.fraud.labelled import vectors


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


@pytest.fixture(scope="session")
def trained() -> TrainedModel:
    """A model of 300 synthetic rows."""
    fraud = (np.random.default_rng(5).random(300) < 0.3).astype(float)
    times = pd.Series(pd.date_range("2026-09-01", periods=300, freq="4h", tz="UTC"))
    features = pd.DataFrame(vectors(fraud, 5, apart=2.0), columns=list(FEATURES))
    return fit(features, pd.Series(fraud), times, delay=dt.timedelta(days=1))


def register(
    make: Make,
    trained: TrainedModel,
    *,
    now: dt.datetime = NOW,
    may_watch: bool = True,
    weights: Combination | None = None,
) -> FraudModel:
    """A version of it; ``weights`` tell versions apart."""
    artefact = pack(Artefact(trained, weights or Combination(), 0.5))
    model = versions.register(
        Candidate(
            model_type=trained.model_type,
            artefact=artefact,
            features=FEATURES,
            thresholds={"operating": 0.5},
            calibration={},
            train_samples=300,
            positives=90,
            window=(now - dt.timedelta(days=60), now),
            pr_auc=0.9,
            precision_at_80_recall=0.9,
            gate={"sentence": "Passed the gate."},
            report=trained.report,
        ),
        may_watch=may_watch,
        tenant_id=make.tenant_id,
        now=now,
    )
    make.session.commit()
    return model
