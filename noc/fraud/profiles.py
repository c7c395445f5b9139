"""Behavioural profiles: a person's habits of 90 days, for people to look at.

Features do not read them: those compute the habits as of each punch
(:mod:`noc.fraud.habits`), so that an old punch never sees later habits.

What is *usual* is shrunk towards the site where the person works most: ``(n own + m site) /
(n + m)`` with ``m`` = :data:`SHRINK`, so that three punches are no habit, and three hundred are
nobody else's. Times of day are angles (circular statistics, N. I. Fisher, 1993): the mean of 23:50
and 00:10 is midnight, and ``concentration``, the length of the mean vector, is 1 for a person as
regular as a clock and 0 for one without any habit.
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

SHRINK = 10
"""So many punches of the site stand behind each person's own."""

_KINDS = ("in", "out")

_HOURS = ", ".join(f"count(*) FILTER (WHERE kind = 'in' AND hour = {h})" for h in range(24))
_WEEKDAYS = ", ".join(f"count(*) FILTER (WHERE kind = 'in' AND weekday = {d})" for d in range(1, 8))
_SUMS = ", ".join(
    [f"sum({column}) AS {name}, count({column}) AS {name}_n, stddev_samp({column}) AS {name}_sd"
     for name, column in METRICS.items()]
    + [f"coalesce(sum({part}(angle)) FILTER (WHERE kind = '{kind}'), 0) AS {part}_{kind}"
       for kind in _KINDS for part in ("cos", "sin")]
    + [f"count(*) FILTER (WHERE kind = '{kind}') AS n_{kind}" for kind in _KINDS]
)  # fmt: skip


def _number(name: str) -> str:
    shrunk = (
        f"(coalesce(h.{name}, 0) + {SHRINK} * (o.{name} / nullif(o.{name}_n, 0)))"
        f" / (h.{name}_n + {SHRINK})"
    )
    return (
        f"'{name}', jsonb_build_object("
        f"'mean', round((h.{name} / nullif(h.{name}_n, 0))::numeric, 4), "
        f"'std', round(h.{name}_sd::numeric, 4), 'count', h.{name}_n, "
        f"'usual', round(({shrunk})::numeric, 4))"
    )


def _clock(kind: str) -> str:
    part = {
        name: f"((h.{name}_{kind} + {SHRINK} * o.{name}_{kind} / nullif(o.n_{kind}, 0))"
        f" / (h.n_{kind} + {SHRINK}))"
        for name in ("cos", "sin")
    }
    # Rounded before it goes round the clock: half a minute before midnight is 0, never 1440.
    angle = f"degrees(atan2({part['sin']}, {part['cos']}))"
    minute = f"mod(round(({angle} * 4 + 1440)::numeric), 1440)"
    length = f"sqrt({part['cos']} ^ 2 + {part['sin']} ^ 2)"
    return (
        f"'clock_{kind}', jsonb_build_object('minute', {minute}, "
        f"'concentration', round(({length})::numeric, 4), 'count', h.n_{kind})"
    )


_METRICS = ", ".join([_number(name) for name in METRICS] + [_clock(kind) for kind in _KINDS])

# Only constants of this module are put into the text.
_REFRESH = text(
    f"""
    WITH changed AS MATERIALIZED (
        SELECT person_id FROM attendance_event
        WHERE tenant_id = :tenant AND occurred_at >= :before AND occurred_at < :now
          AND (received_at >= :last OR voided_at >= :last OR occurred_at >= :last
               OR occurred_at < :since)
        GROUP BY person_id
    ), punches AS MATERIALIZED (
        SELECT e.person_id, e.kind, e.site_id, e.device_id, e.biometric_quality_score,
            e.gps_accuracy, e.phone_signal_strength, e.battery_level,
            extract(hour FROM e.occurred_at AT TIME ZONE s.timezone) AS hour,
            extract(isodow FROM e.occurred_at AT TIME ZONE s.timezone) AS weekday,
            radians(extract(epoch FROM (e.occurred_at AT TIME ZONE s.timezone)::time) / 240)
                AS angle
        FROM attendance_event e
        JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
        WHERE e.tenant_id = :tenant AND e.voided_at IS NULL AND e.kind <> 'presence'
          AND e.occurred_at >= :since AND e.occurred_at < :now
    ), at_sites AS (
        SELECT site_id, {_SUMS} FROM punches GROUP BY site_id
    ), own AS (
        SELECT p.* FROM punches p JOIN changed c ON c.person_id = p.person_id
    ), sites AS (
        SELECT person_id, jsonb_object_agg(site_id, n) AS sites,
            (array_agg(site_id ORDER BY n DESC, site_id))[1] AS most
        FROM (SELECT person_id, site_id, count(*) AS n FROM own GROUP BY 1, 2) c GROUP BY 1
    ), devices AS (
        SELECT person_id, jsonb_object_agg(device_id, n) AS devices
        FROM (SELECT person_id, device_id, count(*) AS n FROM own
              WHERE device_id IS NOT NULL GROUP BY 1, 2) c GROUP BY 1
    ), habits AS (
        SELECT person_id, count(*) AS punches, jsonb_build_array({_HOURS}) AS hours,
            jsonb_build_array({_WEEKDAYS}) AS weekdays, {_SUMS}
        FROM own GROUP BY person_id
    )
    INSERT INTO behavioral_profile (tenant_id, person_id, as_of, days, punches, hour_histogram,
        weekday_histogram, sites, devices, metrics)
    SELECT :tenant, h.person_id, :now, :days, h.punches, h.hours, h.weekdays, s.sites,
        coalesce(d.devices, '{{}}'), jsonb_build_object({_METRICS})
    FROM habits h
    JOIN sites s USING (person_id)
    JOIN at_sites o ON o.site_id = s.most
    LEFT JOIN devices d USING (person_id)
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
_LAST = text("SELECT min(as_of) FROM behavioral_profile WHERE tenant_id = :tenant")
_UNCHANGED = text(
    """
    UPDATE behavioral_profile b SET as_of = :now
    WHERE b.tenant_id = :tenant AND b.as_of < :now AND EXISTS (
        SELECT FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.person_id = b.person_id AND e.voided_at IS NULL
          AND e.kind <> 'presence' AND e.occurred_at >= :since AND e.occurred_at < :now)
    """
)
_FORGET = text("DELETE FROM behavioral_profile WHERE tenant_id = :tenant AND as_of < :now")

_ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def refresh_profiles(*, tenant_id: int, now: dt.datetime) -> int:
    """Bring the profiles up to ``now``; how many were made anew.

    Only those of people whose 90 days changed since the last time: who punched, whose punch came
    in late or was voided, and of whom a punch has become too old to count. The others' stay as
    they are, but for their date. Hours and weekdays are those of each site's clock. Profiles of
    people who no longer punch are dropped. A repetition, or an older run that ends later, changes
    nothing. Four statements for the whole tenant; the caller commits.
    """
    since = now - dt.timedelta(days=HABIT_DAYS)
    last = session().scalar(_LAST, {"tenant": tenant_id}) or _ALWAYS
    params = {
        "tenant": tenant_id,
        "now": now,
        "since": since,
        "last": last,
        "before": max(last - dt.timedelta(days=HABIT_DAYS), _ALWAYS),
        "days": HABIT_DAYS,
    }
    refreshed = session().execute(_REFRESH, params)
    count = len(refreshed.all())
    session().execute(_UNCHANGED, params)
    session().execute(_FORGET, {"tenant": tenant_id, "now": now})
    return count
