"""Fraud by rules: nine detectors and how they add up to a score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noc.fraud import detectors
from noc.fraud.columns import FloatArray
from noc.fraud.evidence import Evidence
from noc.fraud.features import fraud_rate

STANDS = 0.4
"""From this strength on an anomaly stands: it is logged and raises an alert."""

MENTIONED = 0.2
"""From this strength on a type belongs to the anomaly that several weak ones make together."""

RELATED_WEIGHT = 1 / 3
"""What the weaker of two related detectors still counts."""

HISTORY_WEIGHT = 0.5
"""How far verdicts on earlier punches strengthen what speaks against this one."""

HIGHEST = 0.99
"""Rules are never certain."""


@dataclass(frozen=True, slots=True)
class Detector:
    """An anomaly type, the feature it is nearest to, and its strength for each punch."""

    anomaly_type: str
    feature: str
    strength: Callable[[Evidence], FloatArray]


DETECTORS = (
    Detector("GEOFENCE_VIOLATION", "geofence_distance_meters", detectors.geofence),
    Detector("GPS_SPOOFING", "gps_accuracy", detectors.gps_spoofing),
    Detector("IMPOSSIBLE_TRAVEL", "velocity_kmh", detectors.impossible_travel),
    Detector("BUDDY_PUNCHING", "biometric_quality_score", detectors.buddy_punching),
    Detector("UNAUTHORIZED_SITE", "geofence_distance_meters", detectors.unauthorized_site),
    Detector("OVERLAPPING_SHIFT", "time_of_day_anomaly_score", detectors.overlapping_shift),
    Detector("UNUSUAL_TIME", "time_of_day_anomaly_score", detectors.unusual_time),
    Detector("BIOMETRIC_MISMATCH", "biometric_quality_score", detectors.biometric_mismatch),
    Detector("REPLAYED_PUNCH", "biometric_quality_score", detectors.replayed_punch),
)
ANOMALY_TYPES = tuple(detector.anomaly_type for detector in DETECTORS)

RELATED = (
    ("GEOFENCE_VIOLATION", "IMPOSSIBLE_TRAVEL"),
    ("UNAUTHORIZED_SITE", "OVERLAPPING_SHIFT"),
)
"""Pairs that one and the same fact sets off: a bad fix is outside *and* too fast to reach."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Per punch: ``strengths`` (punches, 9) by ANOMALY_TYPES, and the combined ``scores``."""

    strengths: FloatArray
    history: FloatArray
    scores: FloatArray

    def standing(self, row: int) -> list[str]:
        """The types that stand, weightiest first."""
        return self._types(row, STANDS)

    def mentioned(self, row: int) -> list[str]:
        """The types that contribute, weightiest first."""
        return self._types(row, MENTIONED)

    def by_type(self, row: int) -> dict[str, float]:
        """The strength of every type."""
        return dict(zip(ANOMALY_TYPES, self.strengths[row].tolist(), strict=True))

    def _types(self, row: int, least: float) -> list[str]:
        strengths = self.strengths[row]
        order = np.argsort(-strengths, kind="stable")
        return [ANOMALY_TYPES[column] for column in order if strengths[column] >= least]


def assess(evidence: Evidence) -> Assessment:
    """Run every detector and combine them.

    Strengths combine as independent evidence (noisy-or): ``1 - (1 - a)(1 - b)...``. Of two
    related detectors the weaker counts a third. Verdicts on the person's earlier punches
    strengthen what already speaks against the punch, in proportion to it, and can never raise
    the score of a punch against which nothing speaks.
    """
    columns = [np.asarray(detector.strength(evidence)) for detector in DETECTORS]
    strengths = np.column_stack(columns) if len(evidence) else np.empty((0, len(DETECTORS)))
    counted = strengths.copy()
    for left, right in RELATED:
        pair = counted[:, [ANOMALY_TYPES.index(left), ANOMALY_TYPES.index(right)]]
        weaker = np.argmin(pair, axis=1)
        pair[np.arange(len(pair)), weaker] *= RELATED_WEIGHT
        counted[:, [ANOMALY_TYPES.index(left), ANOMALY_TYPES.index(right)]] = pair
    rate = np.nan_to_num(fraud_rate(evidence.verdicts))
    history = HISTORY_WEIGHT * rate * strengths.max(axis=1, initial=0.0)
    doubt = np.prod(1.0 - counted, axis=1) * (1.0 - history)
    return Assessment(strengths, history, np.clip(1.0 - doubt, 0.0, HIGHEST))
