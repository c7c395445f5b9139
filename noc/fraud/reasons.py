"""Why a score is what it is, in sentences that compare with the person's own habits.

The same shape for rules and for a model: ``rule`` (an anomaly type, None from a model),
``feature``, ``weight``, ``sentence``, ``value`` and ``usual`` (numbers or None). From rules the
weight is a strength from 0 to 1, from a model what the reason adds to the log-odds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.detectors import replay_counts
from noc.fraud.evidence import Evidence
from noc.fraud.facts import KIND_IN, KIND_OUT, NOBODY
from noc.fraud.rules import DETECTORS, Assessment
from noc.fraud.usual import usual_minute, usual_outside
from noc.fraud.windows import DAY, HOUR

TOP = 3
"""A score is told by its three weightiest reasons."""

TOLD = 0.1
"""Below this weight there is nothing to tell."""

_VERBS = {KIND_IN: "Clocked in", KIND_OUT: "Clocked out"}


class Reason(TypedDict):
    """One reason; see the module."""

    rule: str | None
    feature: str | None
    weight: float
    sentence: str
    value: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class Names:
    """Names of people and sites that sentences mention."""

    people: dict[int, str]
    sites: dict[int, str]

    def person(self, person_id: int) -> str:
        """The name, or the id of somebody who is gone."""
        return self.people.get(person_id, f"person {person_id}")

    def site(self, site_id: int) -> str:
        """The name, or the id of a site that is gone."""
        return self.sites.get(site_id, f"site {site_id}")


_NAMES = text(
    """
    SELECT 'person' AS what, id, name FROM person
    WHERE tenant_id = :tenant AND id = ANY(:people)
    UNION ALL
    SELECT 'site', id, name FROM site WHERE tenant_id = :tenant AND id = ANY(:sites)
    """
)


def read_names(evidence: Evidence, rows: list[int], *, tenant_id: int) -> Names:
    """The names that the sentences about ``rows`` need, in one query."""
    p, people, sites = evidence.punches, set(), set()
    for row in rows:
        people |= {int(p["person"][row]), int(evidence.sharing.other[row])}
        people.add(int(p["device_owner"][row]))
        sites |= {int(p["site"][row]), int(evidence.duty.open_site[row])}
        sites.add(int(evidence.duty.elsewhere[row]))
    found = session().execute(
        _NAMES,
        {"tenant": tenant_id, "people": sorted(people), "sites": sorted(sites)},
    )
    names = Names({}, {})
    for what, key, name in found:
        (names.people if what == "person" else names.sites)[key] = name
    return names


Told = tuple[str, float | None, float | None]
"""Sentence, value, usual value."""


def explain(evidence: Evidence, assessment: Assessment, row: int, names: Names) -> list[Reason]:
    """The top reasons of the rules for one punch, weightiest first; none for a clean one."""
    reasons = []
    for detector, weight in zip(DETECTORS, assessment.strengths[row], strict=True):
        if weight >= TOLD:
            told = tell_rule(detector.anomaly_type, evidence, row, names)
            reasons.append(as_reason(detector.anomaly_type, detector.feature, weight, *told))
    if assessment.history[row] >= TOLD:
        reasons.append(_history(evidence, assessment, row))
    return sorted(reasons, key=lambda reason: -reason["weight"])[:TOP]


def tell_rule(anomaly_type: str, evidence: Evidence, row: int, names: Names) -> Told:
    """What the detector of ``anomaly_type`` has to say of a punch."""
    return _TELLERS[anomaly_type](evidence, row, names)


def as_reason(
    rule: str | None,
    feature: str,
    weight: float,
    sentence: str,
    value: float | None,
    usual: float | None,
) -> Reason:
    """A reason with its numbers rounded."""
    return Reason(
        rule=rule,
        feature=feature,
        weight=round(float(weight), 4),
        sentence=sentence,
        value=_number(value),
        usual=_number(usual),
    )


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 3)


def _history(e: Evidence, assessment: Assessment, row: int) -> Reason:
    confirmed, reviewed = int(e.verdicts.confirmed[row]), int(e.verdicts.reviewed[row])
    sentence = f"{confirmed} of {reviewed} reviewed punches of this person were confirmed as fraud."
    return as_reason(
        "HISTORY", "historical_fraud_rate", assessment.history[row], sentence, confirmed, None
    )


def _geofence(e: Evidence, row: int, names: Names) -> Told:
    accuracy = e.punches["accuracy"][row]
    doubt = "" if np.isnan(accuracy) else f" (the phone's accuracy: {accuracy:.0f} m)"
    site = names.site(int(e.punches["site"][row]))
    outside, usual = float(e.outside[row]), usual_outside(e, row)
    told = f"{metres(outside)} outside the geofence of {site}{doubt}"
    return _sentence(told, "" if usual is None else f"usually {where(usual)}"), outside, usual


def _spoofing(e: Evidence, row: int, _: Names) -> Told:
    p, m = e.punches, e.movement
    parts = []
    if p["mock"][row]:
        parts.append("the phone reports a mock location")
    if p["accuracy"][row] <= 3 and e.centre_distance[row] <= 3:
        parts.append(
            f"the position is the site's exact centre with {p['accuracy'][row]:.0f} m accuracy"
        )
    if e.habits.same_place[row]:
        parts.append(f"the same coordinates to the last digit as {e.habits.same_place[row]} before")
    if m.fix_gap[row] <= 900 and m.fix_distance[row] > 1_000:
        parts.append(
            f"the phone itself was {metres(m.fix_distance[row])} away "
            f"{_span(m.fix_gap[row])} before"
        )
    told = "; ".join(parts) or "the position is too precise for a satellite fix"
    return f"{told[0].upper()}{told[1:]}.", p["accuracy"][row], e.habits.accuracy[row]


def _travel(e: Evidence, row: int, _: Names) -> Told:
    m = e.movement
    speed = float(m.speed[row])
    return (
        f"{metres(m.distance[row])} from the previous punch {_span(m.gap[row])} before: "
        f"{speed:,.0f} km/h.",
        speed,
        None,
    )


def _buddy(e: Evidence, row: int, names: Names) -> Told:
    p, gap = e.punches, e.sharing.gap[row]
    verb = _verb(e, row)
    uses, known = int(e.habits.device_uses[row]), int(e.habits.device_known[row])
    usual = f"used by this person in {uses} of {known} earlier punches" if known else ""
    if np.isnan(gap):
        owner = names.person(int(p["device_owner"][row]))
        return _sentence(f"{verb} on the phone of {owner}", usual), None, None
    other = names.person(int(e.sharing.other[row]))
    return (
        _sentence(f"{verb} on the same device as {other} {_span(gap)} before", usual),
        float(gap),
        None,
    )


def _unauthorized(e: Evidence, row: int, names: Names) -> Told:
    here, elsewhere = int(e.punches["site"][row]), int(e.duty.elsewhere[row])
    visits, total = int(e.habits.site_visits[row]), int(e.habits.total[row])
    told = f"Not rostered at {names.site(here)}"
    if elsewhere != NOBODY:
        told += f", but at {names.site(elsewhere)} at this time"
    return (
        _sentence(told, f"{visits} of {total} punches of the last 90 days were here"),
        float(visits),
        None,
    )


def _overlap(e: Evidence, row: int, names: Names) -> Told:
    site, hours = names.site(int(e.duty.open_site[row])), float(e.duty.open_hours[row])
    running = " and the shift there still runs" if e.duty.open_rostered[row] else ""
    told = f"Clocked in at {site} {_span(hours * 3600)} before without clocking out{running}."
    return told, hours, None


def _time(e: Evidence, row: int, _: Names) -> Told:
    return clock_sentence(e, row)


def clock_sentence(e: Evidence, row: int) -> Told:
    """The hour of the punch beside the person's usual one."""
    minute, usual = int(e.habits.minute[row]), usual_minute(e, row)
    if e.punches["on_leave"][row]:
        return f"{_verb(e, row)} at {_clock(minute)} while on approved leave.", minute / 60, None
    near, same = int(e.habits.near[row]), int(e.habits.same_kind[row])
    told = f"{_verb(e, row)} at {_clock(minute)}; "
    told += f"{near} of {same} earlier ones in 90 days were at such an hour"
    if usual is not None:
        told += f", usually around {_clock(usual)}"
    return f"{told}.", minute / 60, None if usual is None else usual / 60


def _biometric(e: Evidence, row: int, _: Names) -> Told:
    score, usual = float(e.punches["biometric"][row]), float(e.habits.biometric[row])
    told = f"Biometric score {score:.2f}"
    if not np.isnan(usual):
        told += f"; the person's own mean of 90 days is {usual:.2f}"
    return f"{told}.", score, usual


def _replay(e: Evidence, row: int, _: Names) -> Told:
    p, count = e.punches, int(replay_counts(e)[row])
    if not count:
        late = (p["received"][row] - p["time"][row]) / HOUR
        return f"Arrived {_span(late * 3600)} after it is said to have been made.", late, None
    first = max(int(e.habits.replay_of[row]), int(e.recent_replay_of[row]))
    days = (int(p["time"][row]) - first) / DAY
    return (
        "Place, accuracy and biometric score repeat to the last digit those of a punch "
        f"{_span(days * 86400)} before.",
        float(count),
        0.0,
    )


_TELLERS: dict[str, Callable[[Evidence, int, Names], Told]] = {
    "GEOFENCE_VIOLATION": _geofence,
    "GPS_SPOOFING": _spoofing,
    "IMPOSSIBLE_TRAVEL": _travel,
    "BUDDY_PUNCHING": _buddy,
    "UNAUTHORIZED_SITE": _unauthorized,
    "OVERLAPPING_SHIFT": _overlap,
    "UNUSUAL_TIME": _time,
    "BIOMETRIC_MISMATCH": _biometric,
    "REPLAYED_PUNCH": _replay,
}


def _verb(e: Evidence, row: int) -> str:
    return _VERBS.get(int(e.punches["kind"][row]), "Confirmed presence")


def _sentence(told: str, addition: str) -> str:
    return f"{told}; {addition}." if addition else f"{told}."


def where(outside: float) -> str:
    """So many metres outside the geofence, or inside."""
    return f"{metres(outside)} outside" if outside > 0 else "inside"


def metres(value: Any) -> str:
    """A distance in the unit a person would use."""
    return f"{value:.0f} m" if value < 1_000 else f"{value / 1000:,.1f} km"


def _span(seconds: Any) -> str:
    """A span in the unit a person would use."""
    value = float(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.0f} s"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
