"""What happened around a punch: where the phone was, who else punched, what was usual before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.facts import HABIT_DAYS
from noc.fraud.habits import NEAR_MINUTES

FIX_MINUTES = 60
"""Fixes of the phone are shown for so long before and after."""

STORY_HOURS = 4
"""What happened is told for so long before and after."""

COLLEAGUE_SECONDS = 120
"""Who punched at the same site this close to the punch is told as well."""

BIN = dt.timedelta(minutes=5)
"""The phone was heard, or not, in steps of this."""

_PUNCH = text(
    """
    SELECT e.id, e.kind, e.occurred_at, e.received_at, e.lat, e.lon, e.gps_accuracy,
        e.biometric_quality_score, e.mock_location, e.phone_signal_strength, e.battery_level,
        e.person_id, e.site_id, e.device_id, d.code AS device_code,
        d.person_id AS owner_id, o.name AS owner_name,
        s.name AS site_name, s.timezone, s.lat AS site_lat, s.lon AS site_lon,
        s.geofence_radius, s.geofence_polygon
    FROM attendance_event e
    JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
    LEFT JOIN device d ON d.tenant_id = e.tenant_id AND d.id = e.device_id
    LEFT JOIN person o ON o.tenant_id = d.tenant_id AND o.id = d.person_id
    WHERE e.tenant_id = :tenant AND e.id = :punch
      AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
    """
)
# At most one in 30 seconds, so that a phone that reports each second is as quickly drawn.
_FIXES = text(
    """
    SELECT DISTINCT ON (date_bin('30 seconds', occurred_at, :at)) occurred_at, lat, lon, accuracy
    FROM location_update
    WHERE tenant_id = :tenant AND person_id = :person
      AND occurred_at >= :fixes_since AND occurred_at <= :fixes_until
    ORDER BY date_bin('30 seconds', occurred_at, :at), occurred_at
    """
)
_HEARD = text(
    """
    SELECT date_bin('5 minutes', occurred_at, :since) AS at, count(*) AS signals
    FROM (
        SELECT occurred_at FROM phone_event
        WHERE tenant_id = :tenant AND person_id = :person
          AND occurred_at >= :since AND occurred_at < :until
        UNION ALL
        SELECT occurred_at FROM location_update
        WHERE tenant_id = :tenant AND person_id = :person
          AND occurred_at >= :since AND occurred_at < :until
    ) AS heard
    GROUP BY 1 ORDER BY 1
    """
)
_STORY = text(
    """
    WITH punched AS (
        SELECT CASE WHEN e.person_id = :person THEN 'guard'
                    WHEN e.device_id = :device THEN 'phone' ELSE 'site' END AS lane,
            e.occurred_at AS at, NULL::timestamptz AS until, e.kind AS what,
            e.person_id, e.site_id, e.id::text AS ref
        FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.voided_at IS NULL
          AND e.occurred_at >= :since AND e.occurred_at <= :until
          AND (e.person_id = :person OR e.device_id = :device
               OR (e.site_id = :site AND e.kind <> 'presence'
                   AND e.occurred_at >= :close_since AND e.occurred_at <= :close_until))
    ), told AS (
        SELECT * FROM punched
        UNION ALL
        SELECT 'scan', j.endtime, NULL, c.name, j.person_id, j.site_id, NULL
        FROM jobneed j
        JOIN checkpoint c ON c.tenant_id = j.tenant_id AND c.id = j.checkpoint_id
        WHERE j.tenant_id = :tenant AND j.person_id = :person AND j.kind = 'checkpoint'
          AND j.endtime >= :since AND j.endtime <= :until
        UNION ALL
        SELECT 'alert', a.occurred_at, NULL, a.alert_type, a.person_id, a.site_id, a.id::text
        FROM noc_alert_event a
        WHERE a.tenant_id = :tenant AND a.person_id = :person
          AND a.occurred_at >= :since AND a.occurred_at <= :until
        UNION ALL
        SELECT 'shift', h.starts_at, h.ends_at, NULL, coalesce(h.swapped_with_id, h.person_id),
            h.site_id, NULL
        FROM shift h
        WHERE h.tenant_id = :tenant AND coalesce(h.swapped_with_id, h.person_id) = :person
          AND (h.person_id = :person OR h.swapped_with_id = :person)
          AND h.starts_at <= :until AND h.ends_at >= :since
          AND h.starts_at >= :since - interval '2 days'
    )
    SELECT t.lane, t.at, t.until, t.what, t.person_id, p.name AS person_name,
        s.name AS site_name, t.site_id, t.ref
    FROM told t
    LEFT JOIN person p ON p.tenant_id = :tenant AND p.id = t.person_id
    LEFT JOIN site s ON s.tenant_id = :tenant AND s.id = t.site_id
    WHERE CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites)
    ORDER BY t.at, t.lane
    """
)
_NUMBERS = (
    "biometric_quality_score",
    "gps_accuracy",
    "phone_signal_strength",
    "battery_level",
)
_MEANS = ", ".join(
    f"avg(e.{name}) AS {name}, stddev_samp(e.{name}) AS {name}_sd, count(e.{name}) AS {name}_n"
    for name in _NUMBERS
)
# The clock-ins and clock-outs of the days before, as noc.fraud.habits counts them. Only constants
# of this module are put into the text.
_BEFORE = text(
    f"""
    SELECT count(*) AS punches,
        count(*) FILTER (WHERE e.kind = :kind) AS same_kind,
        count(*) FILTER (WHERE e.kind = :kind AND least(
            abs(clock.minute - :minute), 1440 - abs(clock.minute - :minute)) <= :near) AS near,
        count(*) FILTER (WHERE e.site_id = :site) AS here,
        count(*) FILTER (WHERE e.device_id = :device) AS this_phone,
        count(e.device_id) AS known_phone,
        {_MEANS}
    FROM attendance_event e
    JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM (e.occurred_at AT TIME ZONE s.timezone)::time) / 60 AS minute
    ) AS clock
    WHERE e.tenant_id = :tenant AND e.person_id = :person AND e.voided_at IS NULL
      AND e.kind <> 'presence'
      AND e.occurred_at >= :habits_since AND e.occurred_at < :at
    """  # noqa: S608
)


def surroundings(
    punch_id: int, *, tenant_id: int, site_ids: Collection[int] | None = None
) -> dict[str, Any] | None:
    """Everything around a punch that helps to judge it; None where it is not to be seen.

    ``punch`` with its site's geofence and its phone; ``fixes`` of the guard's phone
    :data:`FIX_MINUTES` around, in order of time; ``heard``: how many signals of it came in each
    five minutes from ``since`` on; ``story``: punches of the guard (lane ``guard``), of others on
    the same phone (``phone``) and at the site within :data:`COLLEAGUE_SECONDS` (``site``),
    checkpoints, alerts and shifts, :data:`STORY_HOURS` around, by time; ``before``: what was
    usual in the 90 days *before* the punch, as counts, means and deviations. Moments are
    datetimes. Five queries.
    """
    sites = None if site_ids is None else sorted(site_ids)
    found = session().execute(_PUNCH, {"tenant": tenant_id, "punch": punch_id, "sites": sites})
    punch = found.mappings().one_or_none()
    if punch is None:
        return None
    scope = _scope(dict(punch), tenant_id, sites)
    return {
        "punch": dict(punch),
        "since": scope["since"],
        "until": scope["until"],
        "fixes": _rows(_FIXES, scope),
        "heard": _rows(_HEARD, scope),
        "story": _rows(_STORY, scope),
        "before": _rows(_BEFORE, scope)[0],
    }


def _scope(punch: dict[str, Any], tenant_id: int, sites: list[int] | None) -> dict[str, Any]:
    at: dt.datetime = punch["occurred_at"]
    around, close = dt.timedelta(hours=STORY_HOURS), dt.timedelta(seconds=COLLEAGUE_SECONDS)
    fixes = dt.timedelta(minutes=FIX_MINUTES)
    local = at.astimezone(ZoneInfo(punch["timezone"]))
    return {
        "tenant": tenant_id,
        "sites": sites,
        "person": punch["person_id"],
        "site": punch["site_id"],
        "device": punch["device_id"],
        "kind": punch["kind"],
        "at": at,
        "since": at - around,
        "until": at + around,
        "fixes_since": at - fixes,
        "fixes_until": at + fixes,
        "close_since": at - close,
        "close_until": at + close,
        "minute": local.hour * 60 + local.minute,
        "near": NEAR_MINUTES,
        "habits_since": at - dt.timedelta(days=HABIT_DAYS),
    }


def _rows(statement: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    names = statement.compile().params
    rows = session().execute(statement, {name: scope[name] for name in names})
    return [dict(row) for row in rows.mappings()]
