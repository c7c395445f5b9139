"""Model and rules together: evidence adds up, and the weights are learned."""

from __future__ import annotations

import numpy as np
import pytest

from noc.fraud.combination import PRIOR_MODEL, PRIOR_RULES, Combination, learn, logit, read

AT = np.array([0.02, 0.3, 0.9])


def test_log_odds_add_up() -> None:
    weights = Combination(0.5, 2.0, -1.0)
    rules = np.array([0.05, 0.4, 0.7])

    scores = weights.scores(AT, rules)

    assert logit(scores) == pytest.approx(0.5 * logit(AT) + 2.0 * logit(rules) - 1.0)


def test_rules_that_find_nothing_say_the_base_rate_not_never() -> None:
    weights = Combination(1.0, 1.0, 0.0)

    assert weights.scores(AT, np.zeros(3)) == pytest.approx(weights.scores(AT, np.full(3, 0.01)))


def test_what_the_rules_call_critical_stays_and_nothing_else_does() -> None:
    scores = Combination(1.0, 0.0, 0.0).scores(np.full(3, 0.01), np.array([0.79, 0.8, 0.95]))

    assert scores == pytest.approx([0.01, 0.8, 0.95])


def test_certainty_makes_no_infinity() -> None:
    scores = Combination(3.0, 3.0, 0.0).scores(np.array([0.0, 1.0]), np.array([0.0, 0.99]))

    assert np.isfinite(scores).all()
    assert scores[0] < 1e-9 < scores[1]


def test_without_verdicts_the_weights_are_the_prior() -> None:
    learned = learn(np.empty(0), np.empty(0), np.empty(0))

    assert (learned.model, learned.rules) == pytest.approx((PRIOR_MODEL, PRIOR_RULES), abs=1e-3)


def test_weights_are_found_again_in_what_they_made() -> None:
    rng = np.random.default_rng(1)
    chances, rules = rng.uniform(0.01, 0.99, 20_000), rng.uniform(0.01, 0.75, 20_000)
    made = Combination(0.9, 0.3, -0.5)
    labels = (rng.random(20_000) < made.scores(chances, rules)).astype(float)

    learned = learn(labels, chances, rules)

    assert (learned.model, learned.rules, learned.intercept) == pytest.approx(
        (0.9, 0.3, -0.5), abs=0.06
    )


def test_what_says_nothing_gets_no_weight_and_never_a_negative_one() -> None:
    rng = np.random.default_rng(2)
    chances = rng.uniform(0.01, 0.99, 5_000)
    labels = (rng.random(5_000) < chances).astype(float)

    assert learn(labels, chances, rng.uniform(0.01, 0.9, 5_000)).rules < 0.05
    # Rules that are louder where nothing is: no weight, rather than a reward for silence.
    contrary = learn(labels, chances, np.clip(0.5 - 0.4 * labels, 0.01, 1))
    assert (contrary.rules, contrary.model > 0.5) == (0, True)


@pytest.mark.parametrize("fraud", [0.0, 1.0])
def test_verdicts_of_one_kind_move_the_intercept_within_reason(fraud: float) -> None:
    learned = learn(np.full(50, fraud), np.full(50, 0.3), np.full(50, 0.2))

    assert np.isfinite([learned.model, learned.rules, learned.intercept]).all()
    assert abs(learned.intercept) < 20


@pytest.mark.parametrize(
    "values", [None, {}, {"model": 1}, {"model": "x", "rules": 1, "intercept": 0},
               {"model": float("nan"), "rules": 1, "intercept": 0}],
)  # fmt: skip
def test_weights_that_are_none_are_refused(values: object) -> None:
    with pytest.raises(ValueError, match=r"combination|convert"):
        read(values)
