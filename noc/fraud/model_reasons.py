"""Why a model gave its score: what each feature and each rule adds to the log-odds, in sentences.

The parts add up to the log-odds of the score: those of the features (TreeSHAP, S. Lundberg et
al., 2020) times the model's weight in the combination, those of the rules times theirs. A
feature and the rules about it are one reason, told by the rule where one speaks: it knows more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.combination import RULES_FLOOR, Combination, logit
from noc.fraud.evidence import Evidence
from noc.fraud.facts import KIND_OUT
from noc.fraud.features import FEATURES, FeatureFrame
from noc.fraud.reasons import (
    TOLD,
    TOP,
    Names,
    Reason,
    Told,
    as_reason,
    clock_sentence,
    metres,
    tell_rule,
    where,
)
from noc.fraud.rules import DETECTORS, Assessment
from noc.fraud.usual import usual_number, usual_outside


def tell(
    frame: FeatureFrame,
    assessment: Assessment,
    rows: Sequence[int],
    names: Names,
    contributions: FloatArray,
    combination: Combination,
) -> dict[int, list[Reason]]:
    """The reasons for each row that raise its score most, weightiest first.

    ``contributions`` (rows, 12 or more) in log-odds of the model alone, aligned with ``rows``.
    ``weight`` of a reason is in log-odds of the score: 0.7 doubles the odds.
    """
    told = {}
    for row, parts in zip(rows, contributions, strict=True):
        told[row] = _of_row(frame, assessment, row, names, parts, combination)
    return told


def rule_parts(assessment: Assessment, row: int) -> FloatArray:
    """What each detector adds to the rules' log-odds above finding nothing; sums to the whole."""
    strengths = np.clip(assessment.strengths[row], 0.0, 0.999)
    doubts = -np.log1p(-strengths)
    score = np.maximum(assessment.scores[row : row + 1], RULES_FLOOR)
    rise = float(logit(score)[0] - logit(np.array([RULES_FLOOR]))[0])
    total = float(doubts.sum())
    return doubts / total * rise if total > 0 else np.zeros_like(doubts)


def _of_row(
    frame: FeatureFrame,
    assessment: Assessment,
    row: int,
    names: Names,
    parts: FloatArray,
    combination: Combination,
) -> list[Reason]:
    rules = combination.rules * rule_parts(assessment, row)
    weights = {
        feature: combination.model * float(part)
        for feature, part in zip(FEATURES, parts[: len(FEATURES)], strict=True)
    }
    loudest: dict[str, tuple[float, str]] = {}
    for detector, part, strength in zip(DETECTORS, rules, assessment.strengths[row], strict=True):
        weights[detector.feature] += float(part)
        if strength >= TOLD:
            said = loudest.get(detector.feature, (0.0, ""))
            loudest[detector.feature] = max(said, (float(part), detector.anomaly_type))
    reasons = []
    for feature in sorted(weights, key=lambda name: -weights[name])[:TOP]:
        if weights[feature] < TOLD:
            break
        rule = loudest[feature][1] if feature in loudest else None
        told = (
            tell_rule(rule, frame.evidence, row, names)
            if rule
            else _TELLERS[feature](frame.evidence, row)
        )
        reasons.append(as_reason(rule, feature, weights[feature], *told))
    return reasons


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _biometric(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["biometric"][row]), _known(e.habits.biometric[row])
    if value is None:
        return "No biometric score came with the punch.", None, usual
    own = "" if usual is None else f"; usually {usual:.2f}"
    return f"Biometric score {value:.2f}{own}.", value, usual


def _accuracy(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["accuracy"][row]), _known(e.habits.accuracy[row])
    if value is None:
        return "The phone gave no accuracy for its position.", None, usual
    own = "" if usual is None else f"; usually {metres(usual)}"
    return f"The phone says its position is accurate to {metres(value)}{own}.", value, usual


def _outside(e: Evidence, row: int) -> Told:
    value, usual = _known(e.outside[row]), usual_outside(e, row)
    if value is None:
        return "The punch came without a position.", None, usual
    own = "" if usual is None else f"; usually {where(usual)}"
    if value == 0:
        return f"Inside the geofence{own if usual else ''}.", 0.0, usual
    return f"{metres(value)} outside the geofence{own}.", value, usual


def _hour(e: Evidence, row: int) -> Told:
    if np.isnan(e.habits.hour_anomaly[row]):
        return "Nothing is known yet of this person's hours.", None, None
    return clock_sentence(e, row)


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _weekday(e: Evidence, row: int) -> Told:
    habits = e.habits
    if np.isnan(habits.weekday_conformity[row]):
        return "Nothing is known yet of this person's weekdays.", None, None
    day = _DAYS[int(habits.weekday[row])]
    same, all_alike = int(habits.same_weekday[row]), int(habits.same_kind[row])
    verb = "clock-outs" if e.punches["kind"][row] == KIND_OUT else "clock-ins"
    return f"On a {day}; {same} of {all_alike} {verb} in 90 days were.", float(same), None


def _speed(e: Evidence, row: int) -> Told:
    speed, m = _known(e.movement.speed[row]), e.movement
    if speed is None:
        return "No earlier position to measure a speed from.", None, None
    minutes = m.gap[row] / 60
    return (
        f"{metres(m.distance[row])} from the previous punch {minutes:,.0f} min before: "
        f"{speed:,.0f} km/h.",
        speed,
        None,
    )


def _verdicts(e: Evidence, row: int) -> Told:
    confirmed, reviewed = int(e.verdicts.confirmed[row]), int(e.verdicts.reviewed[row])
    if not reviewed:
        return "None of this person's punches has been reviewed yet.", None, None
    return (
        f"{confirmed} of {reviewed} reviewed punches of this person were confirmed as fraud.",
        float(confirmed),
        None,
    )


def _run(e: Evidence, row: int) -> Told:
    run = int(e.verdicts.run[row])
    if not run:
        return "The latest verdict on this person was not fraud.", 0.0, None
    verdicts = "verdict was" if run == 1 else f"{run} verdicts were"
    return f"The latest {verdicts} fraud.", float(run), None


def _rounds(e: Evidence, row: int) -> Told:
    due, done = int(e.rounds_due[row]), int(e.rounds_done[row])
    if not due:
        return "No checkpoint was due in the last 7 days.", None, None
    return f"{done} of {due} checkpoints due in 7 days were scanned in time.", done / due, None


def _signal(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["signal"][row]), usual_number(e, row, "signal")
    if value is None:
        return "The phone gave no signal strength.", None, usual
    own = "" if usual is None else f"; usually {usual:.0f} dBm"
    return f"Signal strength {value:.0f} dBm{own}.", value, usual


def _battery(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["battery"][row]), usual_number(e, row, "battery")
    if value is None:
        return "The phone gave no battery level.", None, usual
    own = "" if usual is None else f"; usually {usual:.0f} %"
    return f"Battery at {value:.0f} %{own}.", value, usual


def _fixes(e: Evidence, row: int) -> Told:
    fixes = _known(e.movement.fixes[row])
    if fixes is None:
        return "The phone has sent no position for a week.", None, None
    return f"{fixes:.0f} positions from the phone in the 2 hours before.", fixes, None


_TELLERS: dict[str, Callable[[Evidence, int], Told]] = {
    "biometric_quality_score": _biometric,
    "gps_accuracy": _accuracy,
    "geofence_distance_meters": _outside,
    "time_of_day_anomaly_score": _hour,
    "day_of_week_pattern_score": _weekday,
    "velocity_kmh": _speed,
    "historical_fraud_rate": _verdicts,
    "consecutive_violations": _run,
    "tour_completion_rate": _rounds,
    "phone_signal_strength": _signal,
    "battery_level": _battery,
    "location_update_frequency": _fixes,
}
