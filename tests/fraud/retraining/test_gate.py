"""The gate: what is demanded, what keeps a model from what, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from noc.fraud.retraining.gate import Comparison, Gate, judge
from noc.settings import ModelGate


def figure(value: float | None, low: float | None = None, high: float | None = None) -> Any:
    return {"value": value, "low": low, "high": high}


GOOD = {
    "precision": figure(0.9, 0.86, 0.95),
    "recall": figure(0.8, 0.76, 0.9),
    "f1": figure(0.85, 0.81, 0.9),
    "brier": figure(0.02),
}


def gate(**values: Any) -> Gate:
    plain: dict[str, Any] = {
        "labels": 600,
        "positives": 60,
        "test": GOOD,
        "against_rules": figure(0.2, 0.1, 0.3),
        "against_champion": None,
        "needed_labels": 500,
        "needed": ModelGate(),
    }
    return judge(**plain | values)


def test_a_good_model_passes() -> None:
    verdict = gate()
    assert (verdict.may_watch, verdict.may_score) == (True, True)
    assert verdict.sentence == "Passed the gate."


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_each_figure_must_be_reached(name: str) -> None:
    verdict = gate(test=GOOD | {name: figure(0.5, 0.4, 0.6)})
    assert (verdict.may_watch, verdict.may_score) == (True, False)
    assert "0.50 (90 % between 0.40 and 0.60)" in verdict.sentence
    assert "is needed" in verdict.sentence


def test_too_few_verdicts_only_watch() -> None:
    verdict = gate(labels=499)
    assert (verdict.may_watch, verdict.may_score) == (True, False)
    assert "499 verdicts; 500 are needed" in verdict.sentence


def test_with_few_frauds_the_lower_ends_must_pass() -> None:
    assert gate(positives=20).may_score
    unsure = gate(positives=20, test=GOOD | {"recall": figure(0.8, 0.6, 0.9)})
    assert not unsure.may_score
    assert "Only 20 frauds" in unsure.sentence
    assert gate(positives=50, test=GOOD | {"recall": figure(0.8, 0.6, 0.9)}).may_score


def test_one_that_is_no_better_than_the_rules_is_rejected() -> None:
    verdict = gate(against_rules=figure(-0.05, -0.1, 0.0))
    assert (verdict.may_watch, verdict.may_score) == (False, False)
    assert verdict.sentence.startswith("Rejected: ")
    assert "0.050 below that of the rules" in verdict.sentence


def test_as_good_as_perfect_rules_is_good_enough() -> None:
    assert gate(against_rules=figure(0.0, 0.0, 0.0)).may_score


def test_what_could_not_be_measured_does_not_pass() -> None:
    nothing = dict.fromkeys(GOOD, figure(None))
    verdict = gate(test=nothing, against_rules=None, positives=0)
    assert (verdict.may_watch, verdict.may_score) == (False, False)


@pytest.mark.parametrize(
    ("difference", "brier", "passes"),
    [
        (figure(0.0, -0.009, 0.05), 0.02, True),
        (figure(0.1, -0.011, 0.2), 0.02, False),
        (figure(0.1, 0.05, 0.2), 0.019, False),
        (figure(None), 0.02, False),
        (figure(0.1, 0.05, 0.2), None, False),
    ],
)
def test_a_challenger_is_not_worse_than_the_champion(
    difference: Any, brier: float | None, passes: bool
) -> None:
    verdict = gate(against_champion=Comparison(40, difference, 0.02, brier))
    assert (verdict.may_watch, verdict.may_score) == (True, passes)


def test_too_few_frauds_since_the_champion_was_made_say_nothing_against_it() -> None:
    verdict = gate(against_champion=Comparison(7))
    assert verdict.may_score
    told = next(check.sentence for check in verdict.checks if check.name == "champion")
    assert told.startswith("7 frauds were confirmed since the active model was made, too few")
