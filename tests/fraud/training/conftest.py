"""One trained model for the tests that only look at it."""

from __future__ import annotations

import pytest

from noc.fraud.training import TrainedModel
from tests.fraud.training.tables import Made, made


@pytest.fixture(scope="session")
def table() -> Made:
    return made()


@pytest.fixture(scope="session")
def model(table: Made) -> TrainedModel:
    return table.fit(rules=(table.features["distance"] / 10).clip(0, 1))
