"""How a stored score comes about: the parts of the model, of the rules, and what weighs them.

For whoever wants to add it up. With a model version's :class:`Combination`::

    logit(fraud_score) = model + rules + intercept

to the six digits that a score is stored with, unless the word of the rules holds the score up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from noc.fraud.combination import CRITICAL, RULES_FLOOR, Combination, logit
from noc.fraud.model_reasons import split_rise
from noc.fraud.rules import ANOMALY_TYPES


def break_down(
    combination: Combination,
    probability: float,
    rule_score: float,
    strengths: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """The parts of a score in log-odds, as JSON has them.

    ``probability`` is what the model alone said, ``rule_score`` what the rules alone said, both in
    [0, 1]; ``strengths`` by anomaly type where they were kept, as an anomaly's evidence has them.

    ``weights`` of the combination; ``model``, ``rules`` and ``intercept``, which add up to
    ``log_odds``. ``by_rule`` shares out ``rules`` by anomaly type, with the ``base`` that rules
    say who find nothing; None where that is not known. ``held_by_rules``: the rules alone say
    CRITICAL and more than all parts together, so that the score is theirs.
    """
    rules = combination.rules * _logit(max(rule_score, RULES_FLOOR))
    model = combination.model * _logit(probability)
    log_odds = model + rules + combination.intercept
    return {
        "weights": combination.as_dict(),
        "model": model,
        "rules": rules,
        "intercept": combination.intercept,
        "log_odds": log_odds,
        "by_rule": _by_rule(combination, rule_score, strengths),
        "held_by_rules": rule_score >= CRITICAL and _logit(rule_score) > log_odds,
    }


def _by_rule(
    combination: Combination, rule_score: float, strengths: Mapping[str, float] | None
) -> dict[str, float] | None:
    if rule_score > RULES_FLOOR and not any((strengths or {}).values()):
        return None
    known = strengths or {}
    column = np.array([known.get(name, 0.0) for name in ANOMALY_TYPES])
    parts = (combination.rules * split_rise(column, rule_score)).tolist()
    told = {name: part for name, part in zip(ANOMALY_TYPES, parts, strict=True) if part}
    return told | {"base": combination.rules * _logit(RULES_FLOOR)}


def _logit(probability: float) -> float:
    return float(logit(np.array([probability]))[0])
