"""A guard as their punches show them: when, where, on which phones, and what people found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.facts import HABIT_DAYS
from noc.fraud.labels import REVIEWED
from noc.fraud.review.labelling import word

_HOURS = text(
    """
    SELECT e.kind, extract(hour FROM e.occurred_at AT TIME ZONE s.timezone)::int AS hour,
        count(*) AS punches
    FROM attendance_event e
    JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
    WHERE e.tenant_id = :tenant AND e.person_id = :person AND e.voided_at IS NULL
      AND e.kind <> 'presence' AND e.occurred_at >= :since AND e.occurred_at <= :now
      AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
    GROUP BY 1, 2
    """
)
# Today begins at midnight of each site's own clock.
_TODAY = text(
    """
    SELECT e.id AS punch_id, e.kind, e.occurred_at, s.name AS site_name, s.timezone
    FROM attendance_event e
    JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
    WHERE e.tenant_id = :tenant AND e.person_id = :person AND e.voided_at IS NULL
      AND e.kind <> 'presence'
      AND e.occurred_at >= :now - interval '25 hours' AND e.occurred_at <= :now
      AND (e.occurred_at AT TIME ZONE s.timezone)::date = (:now AT TIME ZONE s.timezone)::date
      AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
    ORDER BY e.occurred_at
    """
)
# One pass over the person's punches: all of them tell since when, those of the period how often.
_USED = text(
    """
    WITH used AS (
        SELECT e.site_id, e.device_id, grouping(e.site_id) = 1 AS is_phone,
            count(*) FILTER (WHERE e.occurred_at >= :since) AS punches,
            min(e.occurred_at) AS first_at, max(e.occurred_at) AS last_at
        FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.person_id = :person AND e.voided_at IS NULL
          AND e.kind <> 'presence' AND e.occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
        GROUP BY GROUPING SETS ((e.site_id), (e.device_id))
    )
    SELECT u.is_phone, coalesce(s.name, d.code) AS name, s.timezone, d.person_id AS owner_id,
        o.name AS owner_name, u.punches, u.first_at, u.last_at
    FROM used u
    LEFT JOIN site s ON s.tenant_id = :tenant AND s.id = u.site_id
    LEFT JOIN device d ON d.tenant_id = :tenant AND d.id = u.device_id
    LEFT JOIN person o ON o.tenant_id = :tenant AND o.id = d.person_id
    ORDER BY u.punches DESC, u.last_at DESC
    """
)
_VERDICTS = text(
    """
    SELECT l.id AS prediction_id, l.attendance_event_id AS punch_id, e.kind, l.occurred_at,
        s.name AS site_name, s.timezone, l.fraud_score, l.actual_fraud_detected AS fraud,
        l.label_source AS source, l.labelled_at, coalesce(u.name, l.labelled_as) AS labelled_by,
        CASE WHEN l.label_source = ANY(:reviewed) THEN l.label_note END AS note,
        count(*) OVER () AS total,
        count(*) FILTER (WHERE l.actual_fraud_detected) OVER () AS frauds
    FROM fraud_prediction_log l
    JOIN attendance_event e ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id
    JOIN site s ON s.tenant_id = l.tenant_id AND s.id = l.site_id
    LEFT JOIN noc_user u ON u.tenant_id = l.tenant_id AND u.id = l.labelled_by
    WHERE l.tenant_id = :tenant AND l.person_id = :person AND NOT l.is_shadow
      AND l.actual_fraud_detected IS NOT NULL AND e.voided_at IS NULL
      AND (CAST(:sites AS bigint[]) IS NULL OR l.site_id = ANY(:sites))
    ORDER BY l.labelled_at DESC, l.id DESC LIMIT :limit
    """
)


def portrait(
    person_id: int,
    *,
    tenant_id: int,
    now: dt.datetime,
    days: int = HABIT_DAYS,
    site_ids: Collection[int] | None = None,
) -> dict[str, Any]:
    """When and where a guard punches in and out, over the last ``days``.

    ``in`` and ``out``: 24 counts by hour on the sites' clocks; ``today``: their punches since
    midnight there; ``sites`` and ``phones`` with their count in the period, and since when and
    until when of all time (a phone's ``owner`` where it is somebody's). Three queries.
    """
    scope = _scope(person_id, tenant_id, now, site_ids) | {"since": now - dt.timedelta(days=days)}
    hours = {"in": [0] * 24, "out": [0] * 24}
    for row in session().execute(_HOURS, scope):
        hours[row.kind][row.hour] = row.punches
    today_scope = {name: value for name, value in scope.items() if name != "since"}
    today = [dict(row) for row in session().execute(_TODAY, today_scope).mappings()]
    used = [dict(row) for row in session().execute(_USED, scope).mappings()]
    return {
        **hours,
        "days": days,
        "punches": sum(hours["in"]) + sum(hours["out"]),
        "today": today,
        "sites": [row for row in used if not row["is_phone"]],
        "phones": [row for row in used if row["is_phone"]],
    }


def verdicts_on(
    person_id: int,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """The verdicts on a guard's punches, latest first, at most ``limit``.

    ``total`` and ``frauds`` count all of them. Each says ``verdict``, ``source``, who and when,
    and the reviewer's note. One query.
    """
    rows = session().execute(
        _VERDICTS,
        {
            "tenant": tenant_id,
            "person": person_id,
            "sites": None if site_ids is None else sorted(site_ids),
            "reviewed": list(REVIEWED),
            "limit": limit,
        },
    )
    found = [dict(row) for row in rows.mappings()]
    return {
        "total": found[0]["total"] if found else 0,
        "frauds": found[0]["frauds"] if found else 0,
        "items": [row | {"verdict": word(row["fraud"])} for row in found],
    }


def _scope(
    person_id: int, tenant_id: int, now: dt.datetime, site_ids: Collection[int] | None
) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "person": person_id,
        "now": now,
        "sites": None if site_ids is None else sorted(site_ids),
    }
