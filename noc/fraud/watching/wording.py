"""What a watch found, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noc.fraud.watching.references import Subject
from noc.fraud.watching.shares import ENOUGH

_NAMES = {
    "biometric_quality_score": "biometric quality",
    "gps_accuracy": "GPS accuracy",
    "geofence_distance_meters": "distance from the geofence",
    "time_of_day_anomaly_score": "unusual hour",
    "day_of_week_pattern_score": "fit to the weekday",
    "velocity_kmh": "speed since the last punch",
    "historical_fraud_rate": "past fraud rate",
    "consecutive_violations": "violations in a row",
    "tour_completion_rate": "rounds completed",
    "phone_signal_strength": "phone signal",
    "battery_level": "battery",
    "location_update_frequency": "location updates",
}
_WORTH_TELLING = 0.02
"""A missing share that moved by less is not told."""


def direction(reference: Sequence[float], current: Sequence[float]) -> str:
    """Where what is not missing lies, by the mean rank of its bin: ``higher`` or ``lower``."""
    means = []
    for shares in (reference[:-1], current[:-1]):
        known = np.asarray(shares, dtype=np.float64)
        if known.sum() <= 0:
            return "spread otherwise"
        means.append(float(known @ np.arange(len(known)) / known.sum()))
    if means[0] == means[1]:
        return "spread otherwise"
    return "higher" if means[1] > means[0] else "lower"


def sentence(subject: Subject, detail: Mapping[str, Any]) -> str:
    """The week in a sentence or three: what moved, how far, and what that means."""
    since = f"when {subject.version} learned" if subject.model_id else "in the four weeks before"
    moved = {name: found for name, found in detail["features"].items() if found["level"] == "alarm"}
    score = detail["score"]
    if detail["level"] == "too few":
        few = min(detail["punches"], detail["reference"]["punches"])
        return (
            f"{few:,} punches are too few to compare: from {ENOUGH} in the week and as many "
            "before anything can be said."
        )
    if detail["level"] in ("steady", "watch"):
        careful = [name for name, found in detail["features"].items() if found["level"] == "watch"]
        careful += ["score"] if score["level"] == "watch" else []
        names = ", ".join(_NAMES.get(name, name) for name in careful)
        more = f" Keep an eye on: {names}." if careful else ""
        return f"Punches look as they did {since}.{more}"
    told = [_feature(name, found) for name, found in _furthest(moved)]
    if score["level"] == "alarm":
        told.insert(0, f"the score (PSI {score['psi']:.2f}, {score['direction']} than before)")
    return f"Punches no longer look as they did {since}: {'; '.join(told)}. {_meaning(subject)}" + (
        _calibrated(detail["calibration"]) if subject.model_id else ""
    )


def _furthest(moved: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(moved.items(), key=lambda pair: -pair[1]["psi"])


def _feature(name: str, found: Mapping[str, Any]) -> str:
    before, after = found["missing_reference"], found["missing"]
    missing = (
        f", missing in {after:.0%} of punches, {before:.0%} before"
        if abs(after - before) >= _WORTH_TELLING
        else ""
    )
    return (
        f"{_NAMES.get(name, name)} (PSI {found['psi']:.2f}, {found['direction']} than "
        f"before{missing})"
    )


def _meaning(subject: Subject) -> str:
    if subject.model_id is None:
        return (
            "The rules do not learn: see whether phones, the app, sites or rosters changed, and "
            "whether thresholds still fit."
        )
    return (
        "What it learned may not hold any more: see whether phones, the app, sites or rosters "
        "changed, review random audits, and train anew."
    )


def _calibrated(calibration: Mapping[str, Any]) -> str:
    if calibration["agrees"] is not False:
        return ""
    observed = calibration["observed"]
    return (
        f" Random audits do not bear its scores out: {calibration['predicted']:.1%} fraud was "
        f"expected, {observed['value']:.1%} found ({observed['low']:.1%} to "
        f"{observed['high']:.1%})."
    )
