"""The parts of a score add up to it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from noc.fraud.breakdown import break_down
from noc.fraud.combination import Combination, logit

WEIGHTS = Combination(0.7, 0.5, -0.3)


def stored(probability: float, rule_score: float) -> float:
    """The score as scoring stores it: with six digits."""
    (score,) = WEIGHTS.scores(np.array([probability]), np.array([rule_score]))
    return round(float(score), 6)


def log_odds(score: float) -> float:
    return float(logit(np.array([score]))[0])


@pytest.mark.parametrize(
    ("probability", "rule_score"),
    list(itertools.product([0.02, 0.3, 0.9], [0.0, 0.01, 0.2, 0.55, 0.79, 0.85, 0.99])),
)
def test_the_parts_add_up_to_the_score_unless_the_rules_hold_it(
    probability: float, rule_score: float
) -> None:
    told = break_down(WEIGHTS, probability, rule_score, {"REPLAYED_PUNCH": 0.84})
    score = stored(probability, rule_score)

    assert told["model"] + told["rules"] + told["intercept"] == pytest.approx(told["log_odds"])
    if told["held_by_rules"]:
        assert rule_score >= 0.8
        assert score == rule_score
        assert told["log_odds"] < log_odds(rule_score)
    else:
        assert told["log_odds"] == pytest.approx(log_odds(score), abs=1e-4)


def test_it_is_said_when_the_word_of_the_rules_holds_the_score() -> None:
    assert break_down(WEIGHTS, 0.02, 0.85)["held_by_rules"] is True
    assert break_down(WEIGHTS, 0.999, 0.85)["held_by_rules"] is False
    assert break_down(WEIGHTS, 0.02, 0.79)["held_by_rules"] is False


def test_the_rules_part_is_shared_out_by_type() -> None:
    strengths = {"BUDDY_PUNCHING": 0.6, "BIOMETRIC_MISMATCH": 0.3}
    told = break_down(WEIGHTS, 0.3, 0.72, strengths)

    assert set(told["by_rule"]) == {*strengths, "base"}
    assert sum(told["by_rule"].values()) == pytest.approx(told["rules"])
    assert told["by_rule"]["BUDDY_PUNCHING"] > told["by_rule"]["BIOMETRIC_MISMATCH"] > 0
    assert told["weights"] == {"model": 0.7, "rules": 0.5, "intercept": -0.3}


def test_what_was_not_kept_is_not_shared_out() -> None:
    assert break_down(WEIGHTS, 0.3, 0.25)["by_rule"] is None
    quiet = break_down(WEIGHTS, 0.3, 0.0)
    assert quiet["by_rule"] == {"base": pytest.approx(quiet["rules"])}
