"""What a rule says before it is stored: a finding in the making."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from noc.domain import Severity

FindingType = Literal[
    "DEVICE_SILENT",
    "POST_ABANDONED",
    "LOW_ACTIVITY",
    "NO_MOVEMENT",
    "TOUR_MISSED",
    "TOUR_LATE",
    "BASELINE_ANOMALY",
]
Category = Literal["DEVICE_HEALTH", "OPERATIONAL", "COMPLIANCE", "SAFETY", "SECURITY"]

CATEGORY: dict[FindingType, Category] = {
    "DEVICE_SILENT": "DEVICE_HEALTH",
    "POST_ABANDONED": "SECURITY",
    "LOW_ACTIVITY": "OPERATIONAL",
    "NO_MOVEMENT": "OPERATIONAL",
    "TOUR_MISSED": "COMPLIANCE",
    "TOUR_LATE": "COMPLIANCE",
    "BASELINE_ANOMALY": "OPERATIONAL",
}

STATES: frozenset[FindingType] = frozenset(
    {"DEVICE_SILENT", "POST_ABANDONED", "LOW_ACTIVITY", "NO_MOVEMENT"}
)
"""Types that say what is so now: one open at a time, closed when it is no longer so."""


@dataclass(frozen=True, slots=True)
class Draft:
    """``summary`` is the evidence in a sentence; ``evidence`` the numbers behind it."""

    finding_type: FindingType
    severity: Severity
    title: str
    summary: str
    site_id: int
    person_id: int | None
    window_start: dt.datetime
    window_end: dt.datetime
    evidence: dict[str, Any] = field(default_factory=dict)
    alert_id: int | None = None

    @property
    def subject(self) -> str:
        """Whom it is about: half of the key that lets it be stored once."""
        return f"person:{self.person_id}" if self.person_id else f"site:{self.site_id}"

    @property
    def category(self) -> Category:
        """The category of its type."""
        return CATEGORY[self.finding_type]

    @property
    def self_closing(self) -> bool:
        """Whether it says what is so now."""
        return self.finding_type in STATES
