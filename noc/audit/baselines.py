"""Whether a value is unusual: the baseline that knows best, and the threshold in force."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from noc.audit.learning import LEVELS, MIN_SAMPLES, Sample, site_zones, slots
from noc.extensions import session
from noc.settings import Settings

_ASK = text(
    """
    SELECT b.id, b.site_id, b.metric_type, b.level, b.slot, b.mean, b.std_dev, b.sample_count,
           b.is_stable, b.false_positive_rate, b.dynamic_threshold, b.pinned_threshold
    FROM baseline_profile b
    JOIN unnest(CAST(:sites AS bigint[]), CAST(:levels AS text[]), CAST(:slots AS bigint[]))
        AS r (site_id, level, slot)
        ON b.site_id = r.site_id AND b.level = r.level AND b.slot = r.slot
    WHERE b.tenant_id = :tenant AND b.site_id = ANY(CAST(:sites AS bigint[]))
    """
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A row of ``baseline_profile``, as far as judging goes."""

    id: int
    site_id: int
    metric_type: str
    level: str
    slot: int
    mean: float
    std_dev: float
    sample_count: int
    is_stable: bool
    false_positive_rate: float
    dynamic_threshold: float
    pinned_threshold: float | None


def ask(samples: Sequence[Sample], *, tenant_id: int) -> dict[tuple[int, str], Baseline]:
    """The baseline to compare with, by site and metric: the finest level with enough samples.

    Of one hour at a time. Two queries, or none.
    """
    if not samples:
        return {}
    sites = {sample.site_id for sample in samples}
    zones = site_zones(sites, tenant_id)
    wanted = [
        (site_id, level, slot)
        for site_id in sorted(sites)
        for level, slot in slots(samples[0].hour, zones[site_id]).items()
    ]
    rows = session().execute(
        _ASK,
        {
            "tenant": tenant_id,
            "sites": [site_id for site_id, _, _ in wanted],
            "levels": [level for _, level, _ in wanted],
            "slots": [slot for _, _, slot in wanted],
        },
    )
    finest: dict[tuple[int, str], Baseline] = {}
    for row in rows.mappings():
        baseline = Baseline(**row)
        key = (baseline.site_id, baseline.metric_type)
        before = finest.get(key)
        if baseline.sample_count >= MIN_SAMPLES and (
            before is None or LEVELS.index(baseline.level) < LEVELS.index(before.level)
        ):
            finest[key] = baseline
    return finest


def is_anomalous(
    value: float, baseline: Baseline | None, config: Settings
) -> tuple[bool, float, float]:
    """Whether ``value`` is unusual, how many deviations it is off (signed), and the threshold.

    Never with fewer than 30 samples or without a deviation; z is then 0.
    """
    if baseline is None:
        return False, 0.0, config.baseline_default_threshold
    threshold = threshold_of(baseline, config)
    if baseline.sample_count < MIN_SAMPLES or not baseline.std_dev > 0:
        return False, 0.0, threshold
    z = (value - baseline.mean) / baseline.std_dev
    return math.isfinite(z) and abs(z) > threshold, z, threshold


def threshold_of(baseline: Baseline, config: Settings) -> float:
    """The threshold in force, in deviations: the pinned one before all others."""
    if baseline.pinned_threshold is not None:
        return baseline.pinned_threshold
    if baseline.false_positive_rate > config.baseline_fp_threshold:
        return config.baseline_conservative_threshold
    if baseline.sample_count > config.baseline_stable_sample_count:
        return config.baseline_sensitive_threshold
    return baseline.dynamic_threshold
