"""Upkeep: what was missed is found again, next month has its partitions, habits stay current."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from noc.database.base import utcnow
from noc.database.partitions import ensure_partitions
from noc.extensions import session
from noc.fraud import profiles
from noc.fraud.listening import request_scoring
from noc.identity.tenants import each_tenant
from noc.monitoring import metrics

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
        try:
            refreshed += profiles.refresh_profiles(tenant_id=tenant.id, now=utcnow())
            session().commit()
        except DBAPIError as error:
            session().rollback()
            metrics.FAILURES.labels("profiles").inc()
            log.error("profiles_not_refreshed", tenant_id=tenant.id, error=str(error.orig))
    return refreshed


def prepare_partitions() -> None:
    """Make the partitions of this month and the next two, where they are missing."""
    now = utcnow()
    ensure_partitions(session(), [now, now + dt.timedelta(days=31), now + dt.timedelta(days=62)])
    session().commit()
