"""The twelve features of a punch, as of the punch: the same code serves scoring and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from noc.fraud.columns import FloatArray, IntArray
from noc.fraud.evidence import Evidence, Verdicts, gather
from noc.fraud.facts import read_facts

FEATURES = (
    "biometric_quality_score",
    "gps_accuracy",
    "geofence_distance_meters",
    "time_of_day_anomaly_score",
    "day_of_week_pattern_score",
    "velocity_kmh",
    "historical_fraud_rate",
    "consecutive_violations",
    "tour_completion_rate",
    "phone_signal_strength",
    "battery_level",
    "location_update_frequency",
)
"""The order is part of every stored vector and every model.

biometric_quality_score    0..1 as the phone reported it
gps_accuracy               metres as the phone reported it
geofence_distance_meters   metres outside the geofence, 0 inside; accuracy is not subtracted
time_of_day_anomaly_score  0 usual .. 1 never seen, :func:`noc.fraud.habits.hour_anomaly`
day_of_week_pattern_score  1 fits .. 0 never worked, :func:`noc.fraud.habits.weekday_conformity`
velocity_kmh               from the previous located punch, any site, less both accuracies
historical_fraud_rate      share of fraud among the person's reviewed punches of 180 days, shrunk
consecutive_violations     how many of the latest verdicts were fraud without a break
tour_completion_rate       checkpoints scanned in time among those due in the last 7 days
phone_signal_strength      dBm as the phone reported it
battery_level              per cent as the phone reported it
location_update_frequency  phone fixes an hour over the last 2 hours; missing where the phone
                           reported none for a week
"""

FRAUD_PRIOR_RATE, FRAUD_PRIOR_WEIGHT = 0.01, 5
"""Shrinkage (hits + m * prior) / (n + m): a hundredth of punches is the base rate of the field."""


@dataclass(frozen=True)
class FeatureFrame:
    """A batch: ``values`` is (punches, 12) in the order of FEATURES, NaN where missing.

    ``evidence`` holds the raw context of the rules, aligned with the rows.
    """

    punch_ids: IntArray
    values: FloatArray
    evidence: Evidence

    def __len__(self) -> int:
        return len(self.punch_ids)

    def stored(self) -> FloatArray:
        """The values as stored: rounded to six digits, NaN where missing or infinite.

        What a model is asked about, so that it says the same of the vector read back.
        """
        rounded = np.round(self.values, 6)
        return np.where(np.isfinite(rounded), rounded, np.nan)

    def vectors(self) -> list[list[float | None]]:
        """The same as JSON has it, None where missing."""
        rows: list[list[float]] = self.stored().tolist()
        return [[value if isfinite(value) else None for value in row] for row in rows]


def collect(punch_ids: Sequence[int], *, tenant_id: int) -> FeatureFrame:
    """Features of punches that exist and are not voided, ordered by id.

    A constant number of queries, however many punches. Only what was known at the time of each
    punch enters: earlier punches, fixes and scans before it, verdicts confirmed before it. So a
    punch has the same features alone, in any batch, and whenever they are computed.
    """
    evidence = gather(read_facts(punch_ids, tenant_id=tenant_id))
    p, habits, movement = evidence.punches, evidence.habits, evidence.movement
    due = evidence.rounds_due
    values = np.column_stack(
        [
            p["biometric"],
            p["accuracy"],
            evidence.outside,
            habits.hour_anomaly,
            habits.weekday_conformity,
            movement.speed,
            fraud_rate(evidence.verdicts),
            evidence.verdicts.run,
            np.where(due > 0, evidence.rounds_done / np.maximum(due, 1), np.nan),
            p["signal"],
            p["battery"],
            movement.fixes / 2.0,
        ]
    )
    return FeatureFrame(p["id"], values.astype(np.float64), evidence)


def fraud_rate(verdicts: Verdicts) -> FloatArray:
    """Share of fraud among a person's reviewed punches, shrunk to the base rate; NaN for none."""
    rate = (verdicts.confirmed + FRAUD_PRIOR_WEIGHT * FRAUD_PRIOR_RATE) / (
        verdicts.reviewed + FRAUD_PRIOR_WEIGHT
    )
    return np.where(verdicts.reviewed > 0, rate, np.nan)
