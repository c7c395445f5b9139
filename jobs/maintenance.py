"""Upkeep: what was missed is found again, next month has its partitions, habits stay current,

days that are over are packed, and the event log forgets what is older than it keeps.
"""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import text

from jobs.apart import kept_to
from jobs.batches import in_batches
from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.partitions import ensure_partitions
from noc.events.retention import forget_batch
from noc.extensions import session
from noc.fraud import profiles, score_days
from noc.fraud.listening import request_scoring
from noc.identity.tenant_settings import tenant_settings
from noc.identity.tenants import each_tenant

log = structlog.get_logger(__name__)

MISSED_SECONDS = 30
"""A punch that waits longer than this for its score was missed."""

_MISSED = text(
    """
    SELECT EXISTS (
        SELECT FROM attendance_event
        WHERE tenant_id = :tenant AND scored_at IS NULL AND voided_at IS NULL
          AND received_at < :before
          AND (score_again_at IS NULL OR score_again_at <= :now))
    """
)


def sweep() -> int:
    """Have the tenants scored that have punches nobody scored; how many tenants.

    Catches what was stored while Redis was away, and what a killed worker left behind.
    """
    asked = 0
    now = utcnow()
    before = now - dt.timedelta(seconds=MISSED_SECONDS)
    for tenant in each_tenant():
        missed = session().scalar(_MISSED, {"tenant": tenant.id, "before": before, "now": now})
        if missed and request_scoring(tenant.id):
            log.info("missed_punches_found", tenant_id=tenant.id)
            asked += 1
    return asked


def refresh_profiles() -> int:
    """Refresh the behavioural profiles of every tenant; how many profiles.

    A tenant whose refresh fails is logged and counted, and does not keep the others waiting.
    """
    refreshed = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "profiles", "profiles_not_refreshed"):
            refreshed += profiles.refresh_profiles(tenant_id=tenant.id, now=utcnow())
            session().commit()
    return refreshed


def pack_score_days() -> int:
    """Pack the scores of the days that are over and not packed; how many days.

    A day is a transaction of its own, so that whoever changes an old one never waits for long;
    while somebody does, the tenant's turn comes with the next run. A tenant for which it fails is
    logged and counted, and does not keep the others waiting.
    """
    packed = 0
    for tenant in each_tenant():
        with kept_to(tenant.id, "score_days", "score_days_not_packed"):
            for day in score_days.missing_days(tenant_id=tenant.id, now=utcnow()):
                session().commit()
                if stop_requested() or not score_days.pack(day, tenant_id=tenant.id):
                    break
                packed += 1
            session().commit()
    return packed


def prepare_partitions() -> None:
    """Make the partitions of this month and the next two, where they are missing."""
    now = utcnow()
    ensure_partitions(session(), [now, now + dt.timedelta(days=31), now + dt.timedelta(days=62)])
    session().commit()


def forget_events() -> int:
    """Remove the events that are older than each tenant keeps them; how many were removed.

    Of inactive tenants, too: whoever left may count on it all the more. In batches, see
    :func:`jobs.batches.in_batches`. A tenant for which it fails is logged and counted, and does not
    keep the others waiting.
    """
    removed = 0
    for tenant in each_tenant(inactive=True):
        with kept_to(tenant.id, "event_retention", "events_not_removed"):
            removed += _forget_events_of(tenant.id)
        if stop_requested():
            break
    return removed


def _forget_events_of(tenant_id: int) -> int:
    before = utcnow() - dt.timedelta(days=tenant_settings().event_retention_days)
    removed = in_batches(lambda: forget_batch(tenant_id, before))
    if removed:
        log.info("events_removed", tenant_id=tenant_id, count=removed, before=before.isoformat())
    return removed
