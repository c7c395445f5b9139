"""The statements of :mod:`noc.audit.story`, each a constant number of index look-ups.

``:sites`` are the sites a reader is limited to, NULL for all. ``known_at`` is never before ``at``.
"""

from __future__ import annotations

SITE = """
    SELECT id, name, timezone, lat, lon, geofence_radius, geofence_polygon
    FROM site WHERE tenant_id = :tenant AND id = :site
"""

# Two sets joined by UNION, not a condition with OR, so that each has its index.
ALERTS = """
    WITH linked AS (
        SELECT alert_id FROM noc_incident_alert
        WHERE tenant_id = :tenant AND incident_id = :incident
    ), around AS (
        SELECT alert_id AS id FROM linked
        UNION
        SELECT id FROM noc_alert_event
        WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
          AND CAST(:person AS bigint) IS NOT NULL
          AND occurred_at BETWEEN :start AND :end
        UNION
        SELECT id FROM noc_alert_event
        WHERE tenant_id = :tenant AND site_id = :site AND occurred_at BETWEEN :start AND :end
          AND (person_id IS NULL OR CAST(:person AS bigint) IS NULL)
    )
    SELECT a.id, a.alert_type, a.severity, a.status, a.message, a.occurred_at AS at,
           greatest(a.last_seen_at, a.occurred_at) AS until,
           greatest(a.created_at, a.occurred_at) AS known_at,
           a.id IN (SELECT alert_id FROM linked) AS linked
    FROM noc_alert_event a JOIN around USING (id)
    WHERE a.tenant_id = :tenant
      AND (CAST(:sites AS bigint[]) IS NULL OR a.site_id = ANY(:sites)
           OR a.id IN (SELECT alert_id FROM linked))
    ORDER BY a.occurred_at, a.id
"""

FINDINGS = """
    SELECT f.id, f.finding_type, f.severity, f.status, f.title, f.evidence_summary,
           f.window_start AS since, f.window_end AS until, f.detected_at AS at,
           f.detected_at AS known_at
    FROM audit_finding f
    WHERE f.tenant_id = :tenant AND f.detected_at BETWEEN :start AND :end
      AND (f.person_id = :person OR (f.site_id = :site
           AND (f.person_id IS NULL OR CAST(:person AS bigint) IS NULL)))
      AND (CAST(:sites AS bigint[]) IS NULL OR f.site_id = ANY(:sites))
    ORDER BY f.detected_at, f.id
"""

PUNCHES = """
    SELECT e.id, e.kind, e.person_id, p.name AS person_name, s.name AS site_name,
           e.site_id = :site AS here, e.occurred_at AS at,
           greatest(e.received_at, e.occurred_at) AS known_at
    FROM attendance_event e
    JOIN person p ON p.tenant_id = e.tenant_id AND p.id = e.person_id
    JOIN site s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
    WHERE e.tenant_id = :tenant AND e.occurred_at BETWEEN :start AND :end
      AND e.person_id = ANY(CAST(:people AS bigint[])) AND e.voided_at IS NULL
      AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
    ORDER BY e.occurred_at, e.id
"""

TICKETS = """
    SELECT t.id, t.number, t.title, t.priority, t.status, t.category, t.created_at AS at,
           t.created_at AS known_at
    FROM ticket t
    WHERE t.tenant_id = :tenant AND t.created_at BETWEEN :start AND :end
      AND t.id IN (
          SELECT e.ticket_id FROM ticket_evidence e
          JOIN unnest(CAST(:kinds AS text[]), CAST(:refs AS text[])) r (kind, ref)
              ON e.kind = r.kind AND e.ref = r.ref
          WHERE e.tenant_id = :tenant
          UNION
          SELECT id FROM ticket
          WHERE tenant_id = :tenant AND person_id = :person
            AND created_at BETWEEN :start AND :end)
      AND (CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites))
    ORDER BY t.created_at, t.id
"""

STEPS = """
    SELECT s.about, s.ref, s.action, s.new_status, s.note, s.at, u.name AS user_name
    FROM (
        SELECT 'alert' AS about, alert_id::text AS ref, action, new_status, note, at, user_id
        FROM noc_alert_change
        WHERE tenant_id = :tenant AND alert_id = ANY(CAST(:alerts AS bigint[]))
        UNION ALL
        SELECT 'ticket', ticket_id::text, action, new_status, comment, at, user_id
        FROM ticket_event
        WHERE tenant_id = :tenant AND ticket_id = ANY(CAST(:tickets AS bigint[]))
        UNION ALL
        SELECT 'finding', id::text, 'acknowledge', 'ACKNOWLEDGED', NULL, acknowledged_at,
               acknowledged_by
        FROM audit_finding
        WHERE tenant_id = :tenant AND id = ANY(CAST(:findings AS bigint[]))
        UNION ALL
        SELECT 'finding', id::text, 'resolve', 'RESOLVED', resolution_note, resolved_at, resolved_by
        FROM audit_finding
        WHERE tenant_id = :tenant AND id = ANY(CAST(:findings AS bigint[]))
        UNION ALL
        -- What noc.audit.reopening took back: how it was resolved before, and that it was reopened.
        SELECT 'finding', f.id::text, step.action, step.status, step.note, step.at, step.user_id
        FROM audit_finding f
        CROSS JOIN jsonb_to_recordset(f.evidence -> 'reopened') AS r (
            at timestamptz, user_id bigint, note text,
            resolved_at timestamptz, resolved_by bigint, resolution_note text)
        CROSS JOIN LATERAL (VALUES
            ('resolve', 'RESOLVED', r.resolution_note, r.resolved_at, r.resolved_by),
            ('reopen', 'NEW', r.note, r.at, r.user_id)
        ) AS step (action, status, note, at, user_id)
        WHERE f.tenant_id = :tenant AND f.id = ANY(CAST(:findings AS bigint[]))
    ) s
    JOIN noc_user u ON u.tenant_id = :tenant AND u.id = s.user_id
    WHERE s.at BETWEEN :start AND :end
    ORDER BY s.at
"""

# Of the same bin what arrived in another one stands apart: in a replay it is not yet known.
SIGNALS = """
    SELECT slot, known_slot, count(*) AS n, max(known_at) AS known_at
    FROM (
        SELECT floor(extract(epoch FROM at - :start) / :seconds)::int AS slot, known_at,
               floor(extract(epoch FROM known_at - :start) / :seconds)::int AS known_slot
        FROM (
            SELECT occurred_at AS at, greatest(received_at, occurred_at) AS known_at
            FROM phone_event
            WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
              AND occurred_at BETWEEN :start AND :end
            UNION ALL
            SELECT occurred_at, greatest(received_at, occurred_at)
            FROM location_update
            WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
              AND occurred_at BETWEEN :start AND :end
            UNION ALL
            SELECT occurred_at, greatest(received_at, occurred_at)
            FROM task_completion
            WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
              AND occurred_at BETWEEN :start AND :end
        ) heard
    ) placed
    GROUP BY slot, known_slot
    ORDER BY slot, known_slot
"""

FIXES = """
    SELECT person_id, lat, lon, accuracy, at, known_at, total
    FROM (
        SELECT person_id, lat, lon, accuracy, occurred_at AS at,
               greatest(received_at, occurred_at) AS known_at,
               row_number() OVER (ORDER BY occurred_at, external_id) AS n,
               count(*) OVER () AS total
        FROM location_update
        WHERE tenant_id = :tenant AND person_id = ANY(CAST(:people AS bigint[]))
          AND occurred_at BETWEEN :start AND :end
    ) numbered
    WHERE n % greatest(1, ceil(total / CAST(:limit AS float8))::bigint) = 0 OR n = total
    ORDER BY at, n
"""
