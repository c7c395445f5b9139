"""The queries behind :mod:`noc.fraud.facts`, each with the columns it gives.

``:ids`` are the punches of the batch, ``:tenant`` theirs. No column is ever NULL: -1
stands for a missing id, NaN for a missing number. Kinds are 0 in, 1 out, 2 presence.

The batch is read first (MATERIALIZED) and by its key alone (LATERAL, LIMIT), and what bears on
it person by person (LATERAL, LIMIT or OFFSET 0, which keep a sub-query from becoming a join of
whole tables), so that the plans begin with the batch whatever the statistics say: of a table that
was filled a minute ago there are none. Bounds such as ``since`` are computed inside the sub-query
that gives the window: under row-level security only what is leakproof reaches an index, and
subtracting an interval is not.
"""

from __future__ import annotations

from noc.fraud.columns import Kind

_PAYLOAD: dict[str, Kind] = {
    "lat": "float",
    "lon": "float",
    "accuracy": "float",
    "biometric": "float",
    "signal": "float",
    "battery": "float",
}

PUNCHES = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT * FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT p.id, p.person_id, p.site_id, coalesce(p.device_id, -1),
        array_position(ARRAY['in', 'out', 'presence'], p.kind)::bigint - 1,
        p.occurred_at, p.received_at, p.source = 'api',
        coalesce(p.lat, 'NaN'), coalesce(p.lon, 'NaN'), coalesce(p.gps_accuracy, 'NaN'),
        coalesce(p.biometric_quality_score, 'NaN'), coalesce(p.phone_signal_strength, 'NaN'),
        coalesce(p.battery_level, 'NaN'), coalesce(p.mock_location, false),
        s.lat, s.lon, s.geofence_radius, coalesce(w.home_site_id, -1), coalesce(d.person_id, -1),
        EXISTS (SELECT FROM absence a
            WHERE a.tenant_id = :tenant AND a.person_id = p.person_id AND a.approved
              AND a.starts_at <= p.occurred_at AND a.ends_at > p.occurred_at),
        EXISTS (SELECT FROM shift r
            WHERE r.tenant_id = :tenant AND r.person_id = p.person_id
              AND r.starts_at > p.occurred_at - interval '28 days'
              AND r.starts_at < p.occurred_at + interval '2 days')
    FROM p
    JOIN site s ON s.tenant_id = :tenant AND s.id = p.site_id
    JOIN person w ON w.tenant_id = :tenant AND w.id = p.person_id
    LEFT JOIN device d ON d.tenant_id = :tenant AND d.id = p.device_id
"""
PUNCH_COLUMNS: dict[str, Kind] = {
    "id": "int",
    "person": "int",
    "site": "int",
    "device": "int",
    "kind": "int",
    "time": "time",
    "received": "time",
    "from_phone": "flag",
    **_PAYLOAD,
    "mock": "flag",
    "site_lat": "float",
    "site_lon": "float",
    "radius": "float",
    "home_site": "int",
    "device_owner": "int",
    "on_leave": "flag",
    "rostered": "flag",
}

HISTORY = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT h.person_id, h.site_id, coalesce(h.device_id, -1),
        array_position(ARRAY['in', 'out', 'presence'], h.kind)::bigint - 1, h.occurred_at,
        coalesce(h.lat, 'NaN'), coalesce(h.lon, 'NaN'), coalesce(h.gps_accuracy, 'NaN'),
        coalesce(h.biometric_quality_score, 'NaN'), coalesce(h.phone_signal_strength, 'NaN'),
        coalesce(h.battery_level, 'NaN')
    FROM (
        SELECT p.person_id, max(p.occurred_at) AS last,
            min(p.occurred_at) - :habit_days * interval '1 day' AS since
        FROM p GROUP BY p.person_id
    ) w
    JOIN LATERAL (
        SELECT e.* FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.person_id = w.person_id
          AND e.occurred_at >= w.since
          AND e.occurred_at < w.last AND e.kind <> 'presence' AND e.voided_at IS NULL
        OFFSET 0
    ) h ON true
"""
HISTORY_COLUMNS: dict[str, Kind] = {
    "person": "int",
    "site": "int",
    "device": "int",
    "kind": "int",
    "time": "time",
    **_PAYLOAD,
}

RECENT = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT id, person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT p.id, r.site_id, r.occurred_at,
        coalesce(r.lat, 'NaN'), coalesce(r.lon, 'NaN'), coalesce(r.gps_accuracy, 'NaN'),
        coalesce(r.biometric_quality_score, 'NaN'), coalesce(r.phone_signal_strength, 'NaN'),
        coalesce(r.battery_level, 'NaN')
    FROM p
    JOIN LATERAL (
        SELECT e.* FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.person_id = p.person_id AND e.voided_at IS NULL
          AND (e.occurred_at, e.id) < (p.occurred_at, p.id)
          AND e.occurred_at > p.occurred_at - interval '14 days'
        ORDER BY e.occurred_at DESC, e.id DESC LIMIT 8
    ) r ON true
"""
RECENT_COLUMNS: dict[str, Kind] = {"punch": "int", "site": "int", "time": "time", **_PAYLOAD}

FIXES = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT id, person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT p.id, c.fixes, f.occurred_at, f.lat, f.lon, coalesce(f.accuracy, 0)
    FROM p
    JOIN LATERAL (
        SELECT l.occurred_at, l.lat, l.lon, l.accuracy FROM location_update l
        WHERE l.tenant_id = :tenant AND l.person_id = p.person_id
          AND l.occurred_at < p.occurred_at AND l.occurred_at >= p.occurred_at - interval '7 days'
        ORDER BY l.occurred_at DESC LIMIT 1
    ) f ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS fixes FROM location_update l
        WHERE l.tenant_id = :tenant AND l.person_id = p.person_id
          AND l.occurred_at < p.occurred_at AND l.occurred_at >= p.occurred_at - interval '2 hours'
    ) c
"""
FIX_COLUMNS: dict[str, Kind] = {
    "punch": "int",
    "fixes": "int",
    "time": "time",
    "lat": "float",
    "lon": "float",
    "accuracy": "float",
}

SHARING = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT id, person_id, device_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT p.id, o.person_id, o.occurred_at,
        array_position(ARRAY['in', 'out', 'presence'], o.kind)::bigint - 1, s.people
    FROM p
    JOIN LATERAL (
        SELECT e.person_id, e.occurred_at, e.kind FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.device_id = p.device_id AND e.voided_at IS NULL
          AND e.person_id <> p.person_id AND (e.occurred_at, e.id) < (p.occurred_at, p.id)
          AND e.occurred_at > p.occurred_at - interval '15 minutes'
        ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1
    ) o ON true
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT e.person_id) AS people FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.device_id = p.device_id AND e.voided_at IS NULL
          AND e.occurred_at < p.occurred_at - interval '1 hour'
          AND e.occurred_at > p.occurred_at - interval '30 days'
    ) s
"""
SHARING_COLUMNS: dict[str, Kind] = {
    "punch": "int",
    "other": "int",
    "time": "time",
    "kind": "int",
    "people": "int",
}

SHIFTS = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT id, person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT p.id, r.site_id, r.starts_at, r.ends_at
    FROM p
    JOIN LATERAL (
        SELECT s.site_id, s.starts_at, s.ends_at FROM shift s
        WHERE s.tenant_id = :tenant AND s.person_id = p.person_id AND s.swapped_with_id IS NULL
          AND s.starts_at > p.occurred_at - interval '36 hours'
          AND s.starts_at < p.occurred_at + interval '12 hours'
        UNION ALL
        SELECT s.site_id, s.starts_at, s.ends_at FROM shift s
        WHERE s.tenant_id = :tenant AND s.swapped_with_id = p.person_id
          AND s.starts_at > p.occurred_at - interval '36 hours'
          AND s.starts_at < p.occurred_at + interval '12 hours'
    ) r ON true
"""
SHIFT_COLUMNS: dict[str, Kind] = {"punch": "int", "site": "int", "start": "time", "end": "time"}

LABELS = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT l.person_id, l.labelled_at, l.occurred_at, l.actual_fraud_detected
    FROM (
        SELECT p.person_id, max(p.occurred_at) AS last,
            min(p.occurred_at) - :label_days * interval '1 day' AS since
        FROM p GROUP BY p.person_id
    ) w
    JOIN LATERAL (
        SELECT * FROM fraud_prediction_log
        WHERE tenant_id = :tenant AND person_id = w.person_id
          AND labelled_at >= w.since AND labelled_at < w.last
          AND actual_fraud_detected IS NOT NULL AND NOT is_shadow
        OFFSET 0
    ) l ON true
"""
LABEL_COLUMNS: dict[str, Kind] = {
    "person": "int",
    "time": "time",
    "punched": "time",
    "fraud": "flag",
}

ROUNDS = """
    WITH p AS MATERIALIZED (
        SELECT e.* FROM unnest(CAST(:ids AS bigint[])) AS wanted (punch_id)
        CROSS JOIN LATERAL (
            SELECT person_id, occurred_at FROM attendance_event
            WHERE tenant_id = :tenant AND id = wanted.punch_id AND voided_at IS NULL LIMIT 1
        ) e
    )
    SELECT j.person_id, j.expires_at, coalesce(j.endtime <= j.expires_at, false)
    FROM (
        SELECT p.person_id, max(p.occurred_at) AS last,
            min(p.occurred_at) - :round_days * interval '1 day' AS since
        FROM p GROUP BY p.person_id
    ) w
    JOIN LATERAL (
        SELECT * FROM jobneed
        WHERE tenant_id = :tenant AND person_id = w.person_id
          AND expires_at >= w.since AND expires_at < w.last
          AND kind = 'checkpoint' AND parent_id IS NOT NULL
        OFFSET 0
    ) j ON true
"""
ROUND_COLUMNS: dict[str, Kind] = {"person": "int", "time": "time", "done": "flag"}
