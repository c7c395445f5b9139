"""Behavioural profiles: a person's habits of 90 days, for people to look at.

Features do not read them: those compute the habits as of each punch
(:mod:`noc.fraud.habits`), so that an old punch never sees later habits.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.facts import HABIT_DAYS

METRICS = {
    "biometric_quality_score": "biometric_quality_score",
    "gps_accuracy": "gps_accuracy",
    "phone_signal_strength": "phone_signal_strength",
    "battery_level": "battery_level",
}
"""Numeric habits by name, and the column of the punch they come from."""

_HOURS = ", ".join(f"count(*) FILTER (WHERE kind = 'in' AND hour = {h})" for h in range(24))
_WEEKDAYS = ", ".join(f"count(*) FILTER (WHERE kind = 'in' AND weekday = {d})" for d in range(1, 8))
_METRICS = ", ".join(
    f"'{name}', jsonb_build_object('mean', round(avg({column})::numeric, 4), "
    f"'std', round(stddev_samp({column})::numeric, 4), 'count', count({column}))"
    for name, column in METRICS.items()
)

# Only constants of this module are put into the text.
_REFRESH = text(
    f"""
    WITH punches AS MATERIALIZED (
        SELECT e.person_id, e.kind, e.site_id, e.device_id, e.biometric_quality_score,
            e.gps_accuracy, e.phone_signal_strength, e.battery_level,
            extract(hour FROM e.occurred_at AT TIME ZONE s.timezone) AS hour,
            extract(isodow FROM e.occurred_at AT TIME ZONE s.timezone) AS weekday
        FROM attendance_event e
        JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
        WHERE e.tenant_id = :tenant AND e.voided_at IS NULL AND e.kind <> 'presence'
          AND e.occurred_at >= :since AND e.occurred_at < :now
    ), sites AS (
        SELECT person_id, jsonb_object_agg(site_id, n) AS sites
        FROM (SELECT person_id, site_id, count(*) AS n FROM punches GROUP BY 1, 2) c GROUP BY 1
    ), devices AS (
        SELECT person_id, jsonb_object_agg(device_id, n) AS devices
        FROM (SELECT person_id, device_id, count(*) AS n FROM punches
              WHERE device_id IS NOT NULL GROUP BY 1, 2) c GROUP BY 1
    ), habits AS (
        SELECT person_id, count(*) AS punches, jsonb_build_array({_HOURS}) AS hours,
            jsonb_build_array({_WEEKDAYS}) AS weekdays, jsonb_build_object({_METRICS}) AS metrics
        FROM punches GROUP BY person_id
    )
    INSERT INTO behavioral_profile (tenant_id, person_id, as_of, days, punches, hour_histogram,
        weekday_histogram, sites, devices, metrics)
    SELECT :tenant, h.person_id, :now, :days, h.punches, h.hours, h.weekdays, s.sites,
        coalesce(d.devices, '{{}}'), h.metrics
    FROM habits h JOIN sites s USING (person_id) LEFT JOIN devices d USING (person_id)
    ORDER BY h.person_id
    ON CONFLICT (tenant_id, person_id) DO UPDATE SET as_of = excluded.as_of,
        days = excluded.days, punches = excluded.punches,
        hour_histogram = excluded.hour_histogram,
        weekday_histogram = excluded.weekday_histogram, sites = excluded.sites,
        devices = excluded.devices, metrics = excluded.metrics
    WHERE behavioral_profile.as_of <= excluded.as_of
    RETURNING person_id
    """  # noqa: S608
)
_FORGET = text("DELETE FROM behavioral_profile WHERE tenant_id = :tenant AND as_of < :now")


def refresh_profiles(*, tenant_id: int, now: dt.datetime) -> int:
    """Make the profile of everybody who punched in the 90 days before ``now``; how many.

    Two statements for the whole tenant. Hours and weekdays are those of each site's clock.
    Profiles of people who no longer punch are dropped. A repetition, or an older run that ends
    later, changes nothing. The caller commits.
    """
    refreshed = session().execute(
        _REFRESH,
        {
            "tenant": tenant_id,
            "now": now,
            "since": now - dt.timedelta(days=HABIT_DAYS),
            "days": HABIT_DAYS,
        },
    )
    count = len(refreshed.all())
    session().execute(_FORGET, {"tenant": tenant_id, "now": now})
    return count
