"""Unusual hours: an alert that names the baseline, and a finding that names the alert."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from noc.alerts.process import AlertInput, process_alerts
from noc.audit.baselines import Baseline, ask, is_anomalous
from noc.audit.drafts import Draft
from noc.audit.learning import HOUR, Sample
from noc.audit.watch import WatchedSite
from noc.domain import Severity
from noc.identity.site_settings import SiteSettings
from noc.telemetry.names import METRIC_WORDS

WORK = frozenset({"tasks_completed_count", "tour_checkpoints_scanned"})
"""More of these than usual is work well done, and no trouble."""

FAR = 1.5
"""So many times the threshold away is far off, and HIGH."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A metric of a sample that is off: by ``z`` deviations, over ``threshold``."""

    sample: Sample
    baseline: Baseline
    value: float
    z: float
    threshold: float


def find_anomalies(
    samples: Sequence[Sample], config: SiteSettings, *, tenant_id: int
) -> list[list[Anomaly]]:
    """What is unusual of each sample that has anything unusual, the furthest off first.

    Two queries, or none.
    """
    baselines = ask(samples, tenant_id=tenant_id)
    found = []
    for sample in samples:
        odd = []
        for metric, value in sample.values.items():
            baseline = baselines.get((sample.site_id, metric))
            unusual, z, threshold = is_anomalous(value, baseline, config.at(sample.site_id))
            if unusual and baseline is not None and not (z > 0 and metric in WORK):
                odd.append(Anomaly(sample, baseline, value, z, threshold))
        if odd:
            found.append(sorted(odd, key=lambda one: -abs(one.z) / one.threshold))
    return found


def raise_alerts(
    found: Sequence[Sequence[Anomaly]],
    names: Mapping[int, str],
    sites: Mapping[int, WatchedSite],
    *,
    now: dt.datetime,
) -> list[Draft]:
    """An alert for each unusual sample, and the findings that point to them."""
    alerts = [_alert(odd, names[odd[0].sample.person_id]) for odd in found]
    raised = process_alerts(alerts, now=now)
    return [
        _draft(odd, alert.message, sites[odd[0].sample.site_id], names, raised_alert.id)
        for odd, alert, raised_alert in zip(found, alerts, raised, strict=True)
    ]


def drafts_only(
    found: Sequence[Sequence[Anomaly]],
    names: Mapping[int, str],
    sites: Mapping[int, WatchedSite],
) -> list[Draft]:
    """The findings alone: for a look at history, which is too late for an alert."""
    return [
        _draft(odd, _message(odd[0], names), sites[odd[0].sample.site_id], names, None)
        for odd in found
    ]


def _message(worst: Anomaly, names: Mapping[int, str]) -> str:
    return f"{names[worst.sample.person_id]}: {_sentence(worst)}"


def _sentence(one: Anomaly) -> str:
    words, unit = METRIC_WORDS[one.baseline.metric_type]
    direction = "above" if one.z > 0 else "below"
    return (
        f"{one.value:,.0f} {unit}{words} in the hour from {one.sample.hour:%H:%M} UTC, usually "
        f"{one.baseline.mean:,.1f}; {abs(one.z):.1f} deviations {direction}, "
        f"{one.threshold:.1f} are allowed."
    )


def _severity(worst: Anomaly) -> Severity:
    return "HIGH" if abs(worst.z) >= FAR * worst.threshold else "MEDIUM"


def _alert(odd: Sequence[Anomaly], name: str) -> AlertInput:
    worst = odd[0]
    sample = worst.sample
    return AlertInput(
        alert_type="BASELINE_ANOMALY",
        severity=_severity(worst),
        message=f"{name}: {_sentence(worst)}",
        occurred_at=sample.hour,
        dedup_key=f"baseline:person:{sample.person_id}:hour:{sample.hour.isoformat()}",
        site_id=sample.site_id,
        person_id=sample.person_id,
        entity_type="baseline",
        entity_id=str(worst.baseline.id),
        metadata={
            "baseline_id": worst.baseline.id,
            "metric_type": worst.baseline.metric_type,
            "anomalies": [_told(one) for one in odd],
        },
    )


def _draft(
    odd: Sequence[Anomaly],
    summary: str,
    site: WatchedSite,
    names: Mapping[int, str],
    alert_id: int | None,
) -> Draft:
    worst = odd[0]
    sample = worst.sample
    return Draft(
        "BASELINE_ANOMALY",
        _severity(worst),
        f"An unusual hour of {names[sample.person_id]} at {site.name}",
        summary,
        sample.site_id,
        sample.person_id,
        sample.hour,
        sample.hour + HOUR,
        {
            "baseline_id": worst.baseline.id,
            "metric_type": worst.baseline.metric_type,
            "anomalies": [_told(one) for one in odd],
            "signals": dict(sample.values),
        },
        alert_id,
    )


def _told(one: Anomaly) -> dict[str, object]:
    return {
        "baseline_id": one.baseline.id,
        "metric_type": one.baseline.metric_type,
        "level": one.baseline.level,
        "slot": one.baseline.slot,
        "value": one.value,
        "mean": round(one.baseline.mean, 4),
        "std_dev": round(one.baseline.std_dev, 4),
        "samples": one.baseline.sample_count,
        "z": round(one.z, 3),
        "threshold": one.threshold,
    }
