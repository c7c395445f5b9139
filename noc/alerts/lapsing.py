"""What nobody goes on with: acknowledgements lapse, and alerts not heard of again expire."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.alerts.steps import take
from noc.alerts.transitions import Action, Step
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.site_settings import read_site_settings
from noc.settings import Settings

ACKNOWLEDGED_FOR = (
    "alert_acknowledged_minutes_critical",
    "alert_acknowledged_minutes_high",
    "alert_acknowledged_minutes_other",
)
"""Settings: how long an acknowledgement holds, by severity."""

EXPIRY = "alert_expiry_days"
"""Setting: after how long an alert that is not heard of again expires."""

# Both lock in the order of keys, as process_alerts does, and leave what somebody else works on.
_LAPSED = text(
    """
    SELECT a.id FROM noc_alert_event a
    LEFT JOIN unnest(CAST(:sites AS bigint[]), CAST(:critical AS bigint[]),
                     CAST(:high AS bigint[]), CAST(:other AS bigint[]))
        AS at_site(site_id, critical, high, other) ON at_site.site_id = a.site_id
    JOIN unnest(CAST(:sites AS bigint[]), CAST(:critical AS bigint[]),
                CAST(:high AS bigint[]), CAST(:other AS bigint[]))
        AS anywhere(site_id, critical, high, other) ON anywhere.site_id IS NULL
    WHERE a.tenant_id = :tenant_id AND a.status = 'ACKNOWLEDGED'
      AND a.acknowledged_at <= :now - make_interval(mins => (CASE a.severity
          WHEN 'CRITICAL' THEN coalesce(at_site.critical, anywhere.critical)
          WHEN 'HIGH' THEN coalesce(at_site.high, anywhere.high)
          ELSE coalesce(at_site.other, anywhere.other) END)::int)
    ORDER BY a.dedup_key COLLATE "C" LIMIT :limit
    FOR NO KEY UPDATE OF a SKIP LOCKED
    """
)

# An alert began before it was last seen: the index over (status, occurred_at) finds the few that
# are old enough. What a person did, or a job, counts as having been heard of. An alert that is
# evidence of an open ticket is somebody's work; the ticket's tables are named here alone, since
# neither folder knows the other.
_STALE = text(
    """
    SELECT a.id FROM noc_alert_event a
    LEFT JOIN unnest(CAST(:sites AS bigint[]), CAST(:days AS bigint[]))
        AS at_site(site_id, days) ON at_site.site_id = a.site_id
    JOIN unnest(CAST(:sites AS bigint[]), CAST(:days AS bigint[]))
        AS anywhere(site_id, days) ON anywhere.site_id IS NULL
    CROSS JOIN LATERAL (
        SELECT CAST(:now AS timestamptz)
               - make_interval(days => coalesce(at_site.days, anywhere.days)::int)
    ) AS cut(at)
    WHERE a.tenant_id = :tenant_id AND a.status IN ('NEW', 'ACKNOWLEDGED')
      AND a.occurred_at <= :youngest AND a.muted_until IS NULL
      AND a.last_seen_at <= cut.at AND a.created_at <= cut.at
      AND NOT EXISTS (SELECT FROM noc_alert_change c
          WHERE c.tenant_id = a.tenant_id AND c.alert_id = a.id AND c.at > cut.at)
      AND NOT EXISTS (SELECT FROM ticket_evidence e
          JOIN ticket t ON t.tenant_id = e.tenant_id AND t.id = e.ticket_id
          WHERE e.tenant_id = a.tenant_id AND e.kind = 'alert' AND e.ref = a.id::text
            AND t.status IN ('NEW', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD'))
    ORDER BY a.dedup_key COLLATE "C" LIMIT :limit
    FOR NO KEY UPDATE OF a SKIP LOCKED
    """
)


@dataclass(frozen=True, slots=True)
class _Everywhere:
    """Settings in columns: those of the tenant under the site None, then the sites' that differ."""

    sites: list[int | None]
    settings: list[Settings]

    def column(self, name: str) -> list[int]:
        return [getattr(one, name) for one in self.settings]


def lapse_acknowledgements(*, now: dt.datetime, limit: int = 1000) -> int:
    """Take back up to ``limit`` acknowledgements of the tenant that nobody acted on; how many.

    An acknowledgement says "I have seen it", and holds for ALERT_ACKNOWLEDGED_MINUTES_CRITICAL,
    _HIGH or _OTHER of the alert's site: then the alert is NEW again. One that is assigned is
    somebody's work and stays.
    """
    config = _read(ACKNOWLEDGED_FOR)
    columns = dict(
        zip(("critical", "high", "other"), map(config.column, ACKNOWLEDGED_FOR), strict=True)
    )
    due = session().scalars(
        _LAPSED,
        {
            "tenant_id": required_tenant(),
            "now": now,
            "limit": limit,
            "sites": config.sites,
            **columns,
        },
    )
    return _take("lapse", due.all(), now)


def expire_stale(*, now: dt.datetime, limit: int = 1000) -> int:
    """Resolve up to ``limit`` of the tenant's alerts as EXPIRED that are not heard of; how many.

    Neither was reported for ALERT_EXPIRY_DAYS of its site, nor did anybody do anything with it.
    What is assigned, shelved or muted stays, and what is evidence of an open ticket.
    """
    config = _read((EXPIRY,))
    days = config.column(EXPIRY)
    due = session().scalars(
        _STALE,
        {
            "tenant_id": required_tenant(),
            "now": now,
            "youngest": now - dt.timedelta(days=min(days)),
            "limit": limit,
            "sites": config.sites,
            "days": days,
        },
    )
    return _take("resolve", due.all(), now, "Not heard of again.", resolution="EXPIRED")


def _read(names: tuple[str, ...]) -> _Everywhere:
    config = read_site_settings(required_tenant(), names)
    return _Everywhere([None, *config.sites], [config.tenant, *config.sites.values()])


def _take(
    action: Action, due: Any, now: dt.datetime, note: str | None = None, **fields: Any
) -> int:
    step = Step(action, now, note=note, **fields)
    return sum(outcome.changed for outcome in take(step, due))
