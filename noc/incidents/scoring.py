"""How much an alert and a low or odd signal have to do with each other: pure functions.

The score is the weighted sum of three parts, each in [0, 1]:

    time      1 where the alert and the signal overlap, falling to 0 at the end of the window
    entity    1 for the same person, 0.6 where only the site is the same
    severity  how bad both are: the mean of their ranks, 0 for INFO and 1 for CRITICAL

The weights are our own choice, not learned: time first, since that is what an operator looks at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from noc.domain import SEVERITIES, Severity, severity_rank

WEIGHTS: Mapping[str, float] = MappingProxyType({"time": 0.40, "entity": 0.35, "severity": 0.25})

SAME_PERSON, SAME_SITE = 1.0, 0.6

_WORST = len(SEVERITIES) - 1


@dataclass(frozen=True, slots=True)
class Signal:
    """Something low or odd about a person or a site, from ``start`` to ``end``.

    ``key`` names it for good, such as ``finding:12``; ``told`` is what an incident shows of it.
    """

    key: str
    kind: str
    severity: Severity
    site_id: int
    person_id: int | None
    start: dt.datetime
    end: dt.datetime
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertFact:
    """What matters of an alert: when it was seen, and about whom."""

    id: int
    alert_type: str
    severity: Severity
    site_id: int | None
    person_id: int | None
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Match:
    """An alert that belongs to a signal: the score and the weighted parts that add up to it."""

    alert: AlertFact
    score: float
    parts: Mapping[str, float]


def match(signal: Signal, alert: AlertFact, window: dt.timedelta) -> Match | None:
    """The match of the two, None where they have nothing to do with each other.

    An alert about somebody else is somebody else's, wherever they stand.
    """
    entity = _entity(signal, alert)
    gap = max(signal.start - alert.last_at, alert.first_at - signal.end, dt.timedelta(0))
    if not entity or gap > window:
        return None
    ranks = severity_rank(signal.severity) + severity_rank(alert.severity)
    parts = {
        "time": WEIGHTS["time"] * (1 - gap / window),
        "entity": WEIGHTS["entity"] * entity,
        "severity": WEIGHTS["severity"] * ranks / (2 * _WORST),
    }
    rounded = {name: round(value, 4) for name, value in parts.items()}
    return Match(alert, round(sum(rounded.values()), 4), rounded)


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of them; there is at least one."""
    return max(severities, key=severity_rank)


def _entity(signal: Signal, alert: AlertFact) -> float:
    if alert.person_id is not None:
        return SAME_PERSON if alert.person_id == signal.person_id else 0.0
    return SAME_SITE if alert.site_id == signal.site_id else 0.0
