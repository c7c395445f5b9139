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
from noc.fraud.detectors import BIOMETRIC_SCORE
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

COUNTED = "; the model counts it with the rest"
"""Said of a value that is no worse than usual: the model looks at all twelve together, and of this
one alone nothing more is known."""

GOOD_FACE = BIOMETRIC_SCORE.points[-1][0]
"""From this biometric score on the rules find nothing wrong with anybody's face."""


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
    return split_rise(assessment.strengths[row], float(assessment.scores[row]))


def split_rise(strengths: FloatArray, rule_score: float) -> FloatArray:
    """The rise of the rules' log-odds above finding nothing, shared out by each one's doubt.

    ``strengths`` (9,) by DETECTORS, ``rule_score`` in [0, 1]. All zero where none has any strength.
    """
    doubts = -np.log1p(-np.clip(strengths, 0.0, 0.999))
    score = np.array([max(rule_score, RULES_FLOOR)])
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


def _beside(said: str, shown: str, usual: str | None, *, harmless: bool, why: str = COUNTED) -> str:
    """``said`` beside the usual value, both as they are shown.

    Where the value is the usual one, or on the harmless side of it, it is no oddity of this
    person: ``why`` tells on what ground it counts all the same.
    """
    if usual is None:
        return f"{said}{why if harmless else ''}."
    if shown == usual:
        return f"{said}, as usual for this person{why}."
    if harmless:
        return f"{said}, no worse than usual ({usual}){why}."
    return f"{said}; usually {usual}."


def _biometric(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["biometric"][row]), _known(e.habits.biometric[row])
    if value is None:
        return "No biometric score came with the punch.", None, usual
    low = f", but below {GOOD_FACE:.2f}, where the rules begin to doubt any face"
    sentence = _beside(
        f"Biometric score {value:.2f}",
        f"{value:.2f}",
        None if usual is None else f"{usual:.2f}",
        harmless=usual is not None and value >= usual,
        why=low if round(value, 2) < GOOD_FACE else COUNTED,
    )
    return sentence, value, usual


def _accuracy(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["accuracy"][row]), _known(e.habits.accuracy[row])
    if value is None:
        return "The phone gave no accuracy for its position.", None, usual
    told = f"The phone says its position is accurate to {metres(value)}"
    shown = None if usual is None else metres(usual)
    if usual is not None and value < usual and metres(value) != shown:
        # No sign is asked of models here: who fakes a position may look too perfect.
        return f"{told}, more precise than usual ({shown}), as faked ones can be.", value, usual
    return _beside(told, metres(value), shown, harmless=False), value, usual


def _outside(e: Evidence, row: int) -> Told:
    value, usual = _known(e.outside[row]), usual_outside(e, row)
    if value is None:
        return "The punch came without a position.", None, usual
    sentence = _beside(
        f"{metres(value)} outside the geofence" if value else "Inside the geofence",
        where(value),
        None if usual is None else where(usual),
        harmless=value == 0 or (usual is not None and value <= usual),
        why=", but outside all the same" if value else COUNTED,
    )
    return sentence, value, usual


def _hour(e: Evidence, row: int) -> Told:
    if np.isnan(e.habits.hour_anomaly[row]):
        return "Nothing is known yet of this person's hours.", None, None
    sentence, value, usual = clock_sentence(e, row)
    if e.habits.hour_anomaly[row] == 0 and not e.punches["on_leave"][row]:
        sentence = f"{sentence.removesuffix('.')}, often enough to be usual{COUNTED}."
    return sentence, value, usual


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _weekday(e: Evidence, row: int) -> Told:
    habits = e.habits
    if np.isnan(habits.weekday_conformity[row]):
        return "Nothing is known yet of this person's weekdays.", None, None
    day = _DAYS[int(habits.weekday[row])]
    same, all_alike = int(habits.same_weekday[row]), int(habits.same_kind[row])
    verb = "clock-outs" if e.punches["kind"][row] == KIND_OUT else "clock-ins"
    # The feature ends at 1, where a weekday fits; a share that small history lent is no habit.
    fits = same > 0 and habits.weekday_conformity[row] >= 1
    usual = f", often enough to be usual{COUNTED}" if fits else ""
    return f"On a {day}; {same} of {all_alike} {verb} in 90 days were{usual}.", float(same), None


def _speed(e: Evidence, row: int) -> Told:
    speed, m = _known(e.movement.speed[row]), e.movement
    if speed is None:
        return "No earlier position to measure a speed from.", None, None
    minutes = m.gap[row] / 60
    counted = COUNTED if round(speed) == 0 else ""
    return (
        f"{metres(m.distance[row])} from the previous punch {minutes:,.0f} min before: "
        f"{speed:,.0f} km/h{counted}.",
        speed,
        None,
    )


_UNREVIEWED = "None of this person's punches has been reviewed yet."


def _verdicts(e: Evidence, row: int) -> Told:
    confirmed, reviewed = int(e.verdicts.confirmed[row]), int(e.verdicts.reviewed[row])
    if not reviewed:
        return _UNREVIEWED, None, None
    counted = "" if confirmed else COUNTED
    return (
        f"{confirmed} of {reviewed} reviewed punches of this person were confirmed as "
        f"fraud{counted}.",
        float(confirmed),
        None,
    )


def _run(e: Evidence, row: int) -> Told:
    run = int(e.verdicts.run[row])
    if not e.verdicts.reviewed[row]:
        return _UNREVIEWED, 0.0, None
    if not run:
        return f"The latest verdict on this person was not fraud{COUNTED}.", 0.0, None
    verdicts = "verdict was" if run == 1 else f"{run} verdicts were"
    return f"The latest {verdicts} fraud.", float(run), None


def _rounds(e: Evidence, row: int) -> Told:
    due, done = int(e.rounds_due[row]), int(e.rounds_done[row])
    if not due:
        return "No checkpoint was due in the last 7 days.", None, None
    counted = COUNTED if done == due else ""
    told = f"{done} of {due} checkpoints due in 7 days were scanned in time{counted}."
    return told, done / due, None


def _signal(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["signal"][row]), usual_number(e, row, "signal")
    if value is None:
        return "The phone gave no signal strength.", None, usual
    sentence = _beside(
        f"Signal strength {value:.0f} dBm",
        f"{value:.0f} dBm",
        None if usual is None else f"{usual:.0f} dBm",
        harmless=usual is not None and value >= usual,
    )
    return sentence, value, usual


def _battery(e: Evidence, row: int) -> Told:
    value, usual = _known(e.punches["battery"][row]), usual_number(e, row, "battery")
    if value is None:
        return "The phone gave no battery level.", None, usual
    sentence = _beside(
        f"Battery at {value:.0f} %",
        f"{value:.0f} %",
        None if usual is None else f"{usual:.0f} %",
        harmless=usual is not None and value >= usual,
    )
    return sentence, value, usual


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
