"""Thresholds follow what people said of the alerts: weekly, by pinning, by starting over.

Every change of the threshold in force is kept: when, by whom, from what to what, and why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import insert, select, text, update

from noc.audit.baselines import Baseline, threshold_of
from noc.audit.learning import MIN_SAMPLES
from noc.audit.models import BaselineChange, BaselineProfile
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.site_settings import SiteSettings, read_site_settings
from noc.identity.trail import Target, record
from noc.rest.problems import not_found
from noc.settings import Settings

FLOOR, CEILING = 1.5, 5.0
"""Deviations: below, ordinary hours raise alerts; above, nothing ever does."""

PERIOD = dt.timedelta(days=30)

_NAMES = (
    "baseline_fp_threshold",
    "baseline_stable_sample_count",
    "baseline_default_threshold",
    "baseline_sensitive_threshold",
    "baseline_conservative_threshold",
)

# A verdict is CONFIRMED, FIXED or FALSE_POSITIVE; what expired or was a duplicate says nothing.
_RATES = text(
    """
    SELECT b.id, coalesce(v.judged, 0) AS judged, coalesce(v.false_positives, 0) AS false_positives
    FROM baseline_profile b
    LEFT JOIN (
        SELECT CAST(a.metadata ->> 'baseline_id' AS bigint) AS baseline_id,
               count(*) AS judged,
               count(*) FILTER (WHERE a.resolution = 'FALSE_POSITIVE') AS false_positives
        FROM noc_alert_event a
        WHERE a.tenant_id = :tenant AND a.alert_type = 'BASELINE_ANOMALY'
          AND a.occurred_at >= :since AND a.occurred_at <= :until
          AND a.resolution IN ('CONFIRMED', 'FIXED', 'FALSE_POSITIVE')
        GROUP BY 1
    ) v ON v.baseline_id = b.id
    WHERE b.tenant_id = :tenant AND b.sample_count >= :min_samples
      AND (v.judged IS NOT NULL OR b.false_positive_rate > 0
           OR b.last_threshold_update IS NULL OR b.sample_count > :stable)
    ORDER BY b.id
    """
)


def tune(*, tenant_id: int, now: dt.datetime) -> list[BaselineChange]:
    """Set each baseline's false-positive rate and threshold from 30 days of verdicts.

    The rate is the share of false positives among the judged alerts that name the baseline, 0
    where none was judged; the threshold follows by the rule of
    :func:`noc.audit.baselines.threshold_of`, between :data:`FLOOR` and :data:`CEILING`. A pinned
    threshold stays. Returns the changes of thresholds in force. The caller commits.
    """
    config = read_site_settings(tenant_id, _NAMES)
    rates = {
        row.id: row.false_positives / row.judged if row.judged else 0.0
        for row in session().execute(
            _RATES,
            {
                "tenant": tenant_id,
                "since": now - PERIOD,
                "until": now,
                "min_samples": MIN_SAMPLES,
                "stable": config.tenant.baseline_stable_sample_count,
            },
        )
    }
    changes = []
    for row in _locked(rates, tenant_id):
        change = _tuned(row, rates[row.id], config, now)
        if change is not None:
            changes.append(change)
    session().add_all(changes)
    session().flush()
    return changes


def pin(
    baseline_id: int, threshold: float | None, *, user_id: int | None, reason: str, now: dt.datetime
) -> BaselineProfile:
    """Hold the threshold, whatever the tuning says; None lets the rule hold again. 404."""
    config = read_site_settings(required_tenant(), _NAMES)
    row = _one(baseline_id)
    old = threshold_of(as_baseline(row), config.at(row.site_id))
    row.pinned_threshold = threshold
    row.last_threshold_update = now
    session().flush()
    action = "unpinned" if threshold is None else "pinned"
    _keep(row, action, old, row.false_positive_rate, config.at(row.site_id), user_id, reason, now)
    return row


def reset(
    baseline_id: int, *, user_id: int | None, reason: str, now: dt.datetime
) -> BaselineProfile:
    """Forget every sample and verdict: it learns anew, and is silent until it has 30. 404.

    For a site whose ways have changed. What it forgot stays in the history of its changes.
    """
    config = read_site_settings(required_tenant(), _NAMES)
    row = _one(baseline_id)
    settings = config.at(row.site_id)
    old, old_rate = threshold_of(as_baseline(row), settings), row.false_positive_rate
    forgotten = f"{row.sample_count} samples, mean {row.mean:.4g}, deviation {row.std_dev:.4g}"
    session().execute(
        update(BaselineProfile)
        .where(BaselineProfile.tenant_id == row.tenant_id, BaselineProfile.id == row.id)
        .values(
            mean=0, m2=0, std_dev=0, sample_count=0, first_sample_at=None, last_sample_at=None,
            is_stable=False, false_positive_rate=0, pinned_threshold=None,
            dynamic_threshold=settings.baseline_default_threshold, last_threshold_update=now,
        )
    )  # fmt: skip
    session().refresh(row)
    words = f"{reason} (forgotten: {forgotten})"
    _keep(row, "reset", old, old_rate, settings, user_id, words, now)
    return row


def as_baseline(row: BaselineProfile) -> Baseline:
    """The row as :mod:`noc.audit.baselines` judges by it."""
    return Baseline(
        row.id, row.site_id, row.metric_type, row.level, row.slot, row.mean, row.std_dev,
        row.sample_count, row.is_stable, row.false_positive_rate, row.dynamic_threshold,
        row.pinned_threshold,
    )  # fmt: skip


def _tuned(
    row: BaselineProfile, rate: float, config: SiteSettings, now: dt.datetime
) -> BaselineChange | None:
    settings = config.at(row.site_id)
    before = as_baseline(row)
    old, old_rate = threshold_of(before, settings), row.false_positive_rate
    wanted = threshold_of(
        replace(
            before,
            pinned_threshold=None,
            false_positive_rate=rate,
            dynamic_threshold=settings.baseline_default_threshold,
        ),
        settings,
    )
    row.false_positive_rate = rate
    row.dynamic_threshold = min(max(wanted, FLOOR), CEILING)
    row.last_threshold_update = now
    new = threshold_of(as_baseline(row), settings)
    if new == old:
        return None
    return BaselineChange(
        tenant_id=row.tenant_id,
        baseline_id=row.id,
        at=now,
        user_id=None,
        action="tuned",
        old_threshold=old,
        new_threshold=new,
        old_false_positive_rate=old_rate,
        new_false_positive_rate=rate,
        reason=_reason(row, rate, settings),
    )


def _reason(row: BaselineProfile, rate: float, settings: Settings) -> str:
    if rate > settings.baseline_fp_threshold:
        return (
            f"{rate:.0%} of its judged alerts of 30 days were false positives, more than "
            f"{settings.baseline_fp_threshold:.0%}: it tolerates more."
        )
    if row.sample_count > settings.baseline_stable_sample_count:
        return (
            f"{row.sample_count} samples and {rate:.0%} false positives: it knows what is usual "
            "and is sensitive."
        )
    return f"{rate:.0%} false positives and {row.sample_count} samples: the default holds."


def _keep(
    row: BaselineProfile,
    action: str,
    old: float,
    old_rate: float,
    settings: Settings,
    user_id: int | None,
    reason: str,
    now: dt.datetime,
) -> None:
    new = threshold_of(as_baseline(row), settings)
    session().execute(
        insert(BaselineChange).values(
            tenant_id=row.tenant_id,
            baseline_id=row.id,
            at=now,
            user_id=user_id,
            action=action,
            old_threshold=old,
            new_threshold=new,
            old_false_positive_rate=old_rate,
            new_false_positive_rate=row.false_positive_rate,
            reason=reason,
        )
    )
    record(
        f"baseline.{action}",
        Target("baseline", row.id, f"{row.metric_type}, {row.level} {row.slot}"),
        {"site_id": row.site_id, "threshold": [old, new], "reason": reason},
        now=now,
    )


def _locked(ids: Collection[int], tenant_id: int) -> list[BaselineProfile]:
    if not ids:
        return []
    query = select(BaselineProfile).where(
        BaselineProfile.tenant_id == tenant_id, BaselineProfile.id.in_(ids)
    )
    return list(
        session().scalars(
            query.order_by(BaselineProfile.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def _one(baseline_id: int) -> BaselineProfile:
    found = _locked([baseline_id], required_tenant())
    if not found:
        raise not_found("baseline")
    return found[0]
