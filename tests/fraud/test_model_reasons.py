"""Why a model gave its score, beside the person's own habits; the parts add up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from noc.fraud.columns import FloatArray
from noc.fraud.combination import RULES_FLOOR, Combination, logit
from noc.fraud.features import FEATURES, FeatureFrame, collect
from noc.fraud.labels import label_punches
from noc.fraud.model_reasons import rule_parts, tell
from noc.fraud.reasons import Reason, read_names
from noc.fraud.rules import Assessment, assess
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, Guard, at, newcomer, score, settled

EQUAL = Combination(1.0, 1.0, 0.0)


def looked_at(guard: Guard, **values: Any) -> tuple[FeatureFrame, Assessment]:
    punch = guard.punch(**values)
    frame = collect([punch.id], tenant_id=punch.tenant_id)
    return frame, assess(frame.evidence)


def told(
    frame: FeatureFrame, assessment: Assessment, weights: Combination = EQUAL, **parts: float
) -> list[Reason]:
    contributions = np.zeros((1, len(FEATURES) + 1))
    for name, part in parts.items():
        contributions[0, FEATURES.index(name)] = part
    tenant_id = 0
    names = read_names(frame.evidence, [0], tenant_id=tenant_id)
    return tell(frame, assessment, [0], names, contributions, weights)[0]


SENTENCES = {
    "biometric_quality_score": ({"biometric_quality_score": 0.86}, "score 0.86; usually 0.9"),
    "gps_accuracy": ({"gps_accuracy": 41.0}, "accurate to 41 m; usually 1"),
    "geofence_distance_meters": (
        {}, "Inside the geofence, as usual for this person; the model counts it with the rest."
    ),
    "time_of_day_anomaly_score": ({}, "earlier ones in 90 days were at such an hour"),
    "day_of_week_pattern_score": (
        {}, "On a Monday; 5 of 28 clock-ins in 90 days were, often enough to be usual; the model"
    ),
    "velocity_kmh": ({}, "from the previous punch"),
    "historical_fraud_rate": ({}, "None of this person's punches has been reviewed yet."),
    "consecutive_violations": ({}, "None of this person's punches has been reviewed yet."),
    "tour_completion_rate": ({}, "No checkpoint was due in the last 7 days."),
    "phone_signal_strength": ({"phone_signal_strength": -119.0}, "-119 dBm; usually -"),
    "battery_level": ({"battery_level": 3.0}, "Battery at 3 %; usually "),
    "location_update_frequency": ({}, "The phone has sent no position for a week."),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_a_sentence_about_this_person(make: Make, feature: str) -> None:
    values, words = SENTENCES[feature]
    frame, assessment = looked_at(settled(make), **values)

    (reason,) = told(frame, assessment, **{feature: 0.9})

    assert (reason["rule"], reason["feature"], reason["weight"]) == (None, feature, 0.9)
    assert words in reason["sentence"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [("biometric_quality_score", "No biometric score"), ("gps_accuracy", "no accuracy"),
     ("phone_signal_strength", "no signal strength"), ("battery_level", "no battery level")],
)  # fmt: skip
def test_what_is_missing_is_said(make: Make, missing: str, words: str) -> None:
    frame, assessment = looked_at(settled(make), **{missing: None})

    (reason,) = told(frame, assessment, **{missing: 0.5})

    assert words in reason["sentence"]
    assert reason["value"] is None
    assert reason["usual"] is not None


def test_a_stranger_of_whom_nothing_is_known(make: Make) -> None:
    frame, assessment = looked_at(newcomer(make))
    for feature in FEATURES:
        (reason,) = told(frame, assessment, **{feature: 0.5})
        assert "usually" not in reason["sentence"], feature


def test_far_outside_beside_how_far_it_usually_is(make: Make) -> None:
    guard = settled(make)
    frame, assessment = looked_at(guard, **at(guard.site, 3_350))

    (reason, *_) = told(frame, assessment, geofence_distance_meters=2.0)

    assert (reason["rule"], reason["usual"]) == ("GEOFENCE_VIOLATION", 0.0)
    assert "3.2 km outside the geofence" in reason["sentence"]
    assert reason["sentence"].endswith("; usually inside.")


def test_who_always_punches_outside_is_told_so(make: Make) -> None:
    guard = newcomer(make)
    for day in range(1, 12):
        moment = dt.datetime(2026, 11, 16, 2, 30, tzinfo=dt.UTC) - dt.timedelta(days=day)
        guard.punch(moment, **at(guard.site, 170))
    frame, assessment = looked_at(guard, **at(guard.site, 170))

    (reason,) = told(frame, assessment, geofence_distance_meters=1.0)

    assert reason["rule"] is None
    assert reason["sentence"] == (
        "20 m outside the geofence, as usual for this person, but outside all the same."
    )


REST = "; the model counts it with the rest."


def accustomed(make: Make, **usual: Any) -> Guard:
    """A guard whose eleven punches so far all came with these values."""
    guard = newcomer(make)
    for day in range(1, 12):
        guard.punch(SHIFT_START - dt.timedelta(days=day), **usual)
    return guard


@pytest.mark.parametrize(
    ("feature", "usual", "value", "sentence"),
    [
        ("biometric_quality_score", 0.71, 0.713,
         "Biometric score 0.71, as usual for this person, but below 0.80, where the rules begin "
         "to doubt any face."),
        ("biometric_quality_score", 0.68, 0.71,
         "Biometric score 0.71, no worse than usual (0.68), but below 0.80, where the rules begin "
         "to doubt any face."),
        ("biometric_quality_score", 0.92, 0.9204,
         f"Biometric score 0.92, as usual for this person{REST}"),
        ("biometric_quality_score", 0.9, 0.95,
         f"Biometric score 0.95, no worse than usual (0.90){REST}"),
        ("biometric_quality_score", 0.95, 0.9, "Biometric score 0.90; usually 0.95."),
        ("gps_accuracy", 12.0, 12.3,
         f"The phone says its position is accurate to 12 m, as usual for this person{REST}"),
        ("gps_accuracy", 20.0, 9.0,
         "The phone says its position is accurate to 9 m, more precise than usual (20 m), as "
         "faked ones can be."),
        ("gps_accuracy", 9.0, 20.0,
         "The phone says its position is accurate to 20 m; usually 9 m."),
        ("phone_signal_strength", -80.0, -80.0,
         f"Signal strength -80 dBm, as usual for this person{REST}"),
        ("phone_signal_strength", -80.0, -70.0,
         f"Signal strength -70 dBm, no worse than usual (-80 dBm){REST}"),
        ("phone_signal_strength", -80.0, -99.0, "Signal strength -99 dBm; usually -80 dBm."),
        ("battery_level", 50.0, 50.2, f"Battery at 50 %, as usual for this person{REST}"),
        ("battery_level", 50.0, 80.0, f"Battery at 80 %, no worse than usual (50 %){REST}"),
        ("battery_level", 50.0, 8.0, "Battery at 8 %; usually 50 %."),
    ],
)  # fmt: skip
def test_what_is_no_worse_than_usual_says_why_it_counts(
    make: Make, feature: str, usual: float, value: float, sentence: str
) -> None:
    frame, assessment = looked_at(accustomed(make, **{feature: usual}), **{feature: value})

    (reason,) = told(frame, assessment, **{feature: 1.0})

    assert reason["sentence"] == sentence


def test_nearer_to_the_site_than_usual_is_outside_all_the_same(make: Make) -> None:
    site = make.site()
    guard = newcomer(make, site)
    for day in range(1, 12):
        guard.punch(SHIFT_START - dt.timedelta(days=day), **at(site, 180))
    for metres, said in (
        (165, "15 m outside the geofence, no worse than usual (30 m outside), but outside all "
              "the same."),
        (0, f"Inside the geofence, no worse than usual (30 m outside){REST}"),
        (195, "45 m outside the geofence; usually 30 m outside."),
    ):  # fmt: skip
        frame, assessment = looked_at(guard, **at(site, metres), gps_accuracy=25.0)
        assert told(frame, assessment, geofence_distance_meters=1.0)[0]["sentence"] == said


def test_a_usual_hour_says_that_it_is_usual(make: Make) -> None:
    guard = settled(make)
    frame, assessment = looked_at(guard)
    (usual,) = told(frame, assessment, time_of_day_anomaly_score=1.0)
    assert usual["sentence"].endswith(f", often enough to be usual{REST}")

    frame, assessment = looked_at(guard, at=SHIFT_START + dt.timedelta(hours=10))
    odd = told(frame, assessment, time_of_day_anomaly_score=1.0)[0]
    assert "often enough" not in odd["sentence"]


def test_what_no_verdict_has_said_is_not_told_as_one(make: Make) -> None:
    guard = settled(make)
    frame, assessment = looked_at(guard)
    (reason,) = told(frame, assessment, consecutive_violations=1.0)
    assert reason["sentence"] == "None of this person's punches has been reviewed yet."

    score(earlier := guard.punch(SHIFT_START - dt.timedelta(days=3)))
    label_punches(
        {earlier.id: False}, tenant_id=make.tenant_id, source="ticket", labelled_by=None,
        now=SHIFT_START - dt.timedelta(days=2),
    )  # fmt: skip
    frame, assessment = looked_at(guard)
    for feature, said in (
        ("consecutive_violations", "The latest verdict on this person was not fraud"),
        ("historical_fraud_rate", "0 of 1 reviewed punches of this person were confirmed as fraud"),
    ):
        (reason,) = told(frame, assessment, **{feature: 1.0})
        assert reason["sentence"] == f"{said}{REST}"


def test_a_feature_and_the_rule_about_it_are_one_reason(make: Make) -> None:
    guard = settled(make)
    frame, assessment = looked_at(guard, **at(guard.site, 900))
    alone = told(frame, assessment)[0]
    both = told(frame, assessment, geofence_distance_meters=1.5)[0]

    assert both["rule"] == alone["rule"] == "GEOFENCE_VIOLATION"
    assert both["weight"] == pytest.approx(alone["weight"] + 1.5, abs=1e-3)


def test_parts_count_as_much_as_the_combination_lets_them(make: Make) -> None:
    frame, assessment = looked_at(settled(make), mock_location=True)
    weights = Combination(0.5, 2.0, 0.0)

    reasons = told(frame, assessment, weights, battery_level=3.0)

    assert {reason["feature"] for reason in reasons} == {"gps_accuracy", "battery_level"}
    by_feature = {reason["feature"]: reason["weight"] for reason in reasons}
    assert by_feature["battery_level"] == pytest.approx(1.5)
    rise = logit(assessment.scores)[0] - logit(np.array([RULES_FLOOR]))[0]
    assert by_feature["gps_accuracy"] == pytest.approx(2 * rise, abs=0.01)


def test_what_lowers_the_score_and_what_hardly_counts_is_not_told(make: Make) -> None:
    frame, assessment = looked_at(settled(make))

    assert told(frame, assessment, battery_level=-2.0, gps_accuracy=0.05) == []


def test_at_most_three_weightiest_first(make: Make) -> None:
    frame, assessment = looked_at(settled(make))
    parts = {name: 0.2 + n / 10 for n, name in enumerate(FEATURES[:6])}

    reasons = told(frame, assessment, **parts)

    assert [reason["weight"] for reason in reasons] == pytest.approx([0.7, 0.6, 0.5])


def test_the_detectors_parts_add_up_to_what_the_rules_say(make: Make) -> None:
    guard = settled(make)
    moment = dt.datetime(2026, 11, 16, 21, 0, tzinfo=dt.UTC)
    _, assessment = looked_at(
        guard, at=moment, mock_location=True, biometric_quality_score=0.4, **at(guard.site, 900)
    )
    parts: FloatArray = rule_parts(assessment, 0)

    assert (parts > 0).sum() >= 3
    whole = logit(assessment.scores)[0] - logit(np.array([RULES_FLOOR]))[0]
    assert parts.sum() == pytest.approx(whole)
    assert not rule_parts(looked_at(newcomer(make))[1], 0).any()
