"""Tables to train on, small and of known making."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from noc.fraud.training import TrainedModel, fit


@dataclass(frozen=True)
class Made:
    """Rows in time order, with the probability that made each label."""

    features: pd.DataFrame
    labels: pd.Series
    times: pd.Series
    truth: np.ndarray

    def fit(self, **options: Any) -> TrainedModel:
        """Train on it."""
        return fit(self.features, self.labels, self.times, **options)

    def take(self, rows: np.ndarray) -> Made:
        """Some rows, in the order asked for."""
        return Made(
            self.features.iloc[rows],
            self.labels.iloc[rows],
            self.times.iloc[rows],
            self.truth[rows],
        )

    def with_features(self, **columns: Any) -> Made:
        """With columns added or replaced."""
        return replace(self, features=self.features.assign(**columns))


def made(rows: int = 1500, seed: int = 0, shift: float = -4.0) -> Made:
    """120 days: fraud rises with ``distance``, with a pair of flags, falls with ``quality``."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "distance": rng.exponential(1.0, rows),
            "quality": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows)),
            "night": rng.random(rows) < 0.3,
            "shared": rng.integers(0, 2, rows),
            "noise": rng.normal(size=rows),
        }
    )
    log_odds = (
        shift
        + 1.2 * features["distance"]
        - 2.0 * features["quality"].fillna(0.5)
        + 3.0 * (features["night"] & (features["shared"] == 1))
    ).to_numpy()
    truth = 1 / (1 + np.exp(-log_odds))
    labels = pd.Series((rng.random(rows) < truth).astype(np.int64))
    days = np.sort(rng.random(rows)) * 120
    times = pd.Series(pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(days, unit="D"))
    return Made(features, labels, times, truth)
