"""Alerts whose window is over are heard of, once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, text

from noc.alerts.frames import announce_alert
from noc.alerts.suppression.muting import ACTIVE, window_for
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES
from noc.extensions import session
from noc.workforce.references import look_up

# Locked in the order of keys, as whoever reports them locks them. A window that went with its
# site has left its alerts muted by nobody. Windows that follow each other are like one.
_DUE = text(
    f"""
    WITH {ACTIVE}, due AS MATERIALIZED (
        SELECT a.id, a.site_id, a.alert_type, a.severity, a.status, a.person_id, a.message,
               a.muted_by
        FROM noc_alert_event a
        WHERE a.tenant_id = :tenant_id AND a.muted_until IS NOT NULL AND a.status <> 'RESOLVED'
          AND (a.muted_until <= :now OR NOT EXISTS (
              SELECT FROM alert_suppression w
              WHERE w.tenant_id = a.tenant_id AND w.id = a.muted_by AND w.cancelled_at IS NULL))
        ORDER BY a.dedup_key COLLATE "C" LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    ), changed AS (
        UPDATE noc_alert_event alert SET muted_by = muting.id, muted_until = muting.ends_at
        FROM due LEFT JOIN LATERAL ({window_for("due")}) AS muting ON true
        WHERE alert.tenant_id = :tenant_id AND alert.id = due.id
        RETURNING alert.id, alert.alert_type, alert.severity, alert.message, alert.status,
                  alert.person_id, alert.site_id, alert.assignee_id, alert.muted_by,
                  alert.muted_until,
                  due.muted_by AS old_muted_by
    ), history AS (
        INSERT INTO noc_alert_change (
            tenant_id, alert_id, at, action, old_status, new_status, detail)
        SELECT :tenant_id, id, :now, CASE WHEN muted_until IS NULL THEN 'unmuted' ELSE 'muted' END,
               status, status,
               CASE WHEN muted_until IS NULL THEN jsonb_build_object('muted_by', old_muted_by)
                    ELSE jsonb_build_object('muted_by', muted_by, 'muted_until', muted_until) END
        FROM changed
    )
    SELECT * FROM changed ORDER BY id
    """  # noqa: S608 (of the constants above alone)
)


def unmute(*, now: dt.datetime, limit: int = 1000) -> int:
    """Have up to ``limit`` of the tenant's alerts heard of whose window is over; how many were due.

    One that another active window mutes goes over to that one, and is not announced. What
    another process has locked is left for the next time. Three statements.
    """
    parameters = {
        "tenant_id": required_tenant(),
        "now": now,
        "limit": limit,
        "severities": list(SEVERITIES),
    }
    rows = session().execute(_DUE, parameters).all()
    heard: list[Row[Any]] = [row for row in rows if row.muted_until is None]
    names = look_up((row.person_id for row in heard), ()).people
    for row in heard:
        announce_alert("alert_updated", row, names.get(row.person_id or 0), "alert_unmuted")
    return len(rows)
