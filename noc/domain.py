"""Words of the domain that every folder shares: severities and risk levels."""

from __future__ import annotations

import math
from typing import Literal, get_args

Severity = Literal["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
RiskLevel = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Severities, least first."""

RISK_LEVELS: tuple[RiskLevel, ...] = get_args(RiskLevel)
"""Risk levels, least first; each spans a fifth of the score."""

_BOUNDS = (0.2, 0.4, 0.6, 0.8)


def risk_level(score: float) -> RiskLevel:
    """The level of a score in [0, 1]: MINIMAL < 0.2 <= LOW < 0.4 <= ... 0.8 <= CRITICAL.

    Raises ValueError for a number outside [0, 1] or NaN.
    """
    if math.isnan(score) or not 0.0 <= score <= 1.0:
        raise ValueError(f"a score lies between 0 and 1, not {score}")
    return RISK_LEVELS[sum(score >= bound for bound in _BOUNDS)]


def severity_rank(severity: Severity) -> int:
    """0 for INFO to 4 for CRITICAL."""
    return SEVERITIES.index(severity)


def risk_severity(level: RiskLevel) -> Severity:
    """The severity of an alert about a risk of ``level``: the same word, INFO for MINIMAL."""
    return "INFO" if level == "MINIMAL" else level
