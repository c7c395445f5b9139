"""Which window mutes which alert, as SQL for the statements that decide it."""

from __future__ import annotations

SOS = "SOS"
"""A call for help: muted only by a window that says so."""

ACTIVE = """
    active AS MATERIALIZED (
        SELECT w.id, w.site_id, w.alert_types, w.least_severity, w.most_severity,
               w.include_critical, w.include_sos, s.ends_at
        FROM alert_suppression_span s
        JOIN alert_suppression w ON w.tenant_id = s.tenant_id AND w.id = s.suppression_id
        WHERE s.tenant_id = :tenant_id AND s.starts_at <= :now AND s.ends_at > :now
          AND w.cancelled_at IS NULL
    )"""
"""A common table: the windows that are active at ``:now``, and until when."""


def window_for(alert: str) -> str:
    """A query for the id and the end of the window that mutes ``alert``, the last to end.

    ``alert`` is an alias with site_id, alert_type and severity; ``:severities`` are all of them,
    least first. A window without a site is about all, and alerts of no site.
    """
    return f"""
        SELECT w.id, w.ends_at FROM active w
        WHERE (w.site_id IS NULL OR w.site_id = {alert}.site_id)
          AND (w.alert_types IS NULL OR {alert}.alert_type = ANY(w.alert_types))
          AND (w.least_severity IS NULL
               OR array_position(CAST(:severities AS text[]), {alert}.severity)
                  >= array_position(CAST(:severities AS text[]), w.least_severity))
          AND (w.most_severity IS NULL
               OR array_position(CAST(:severities AS text[]), {alert}.severity)
                  <= array_position(CAST(:severities AS text[]), w.most_severity))
          AND CASE WHEN upper({alert}.alert_type) = '{SOS}' THEN w.include_sos
                   WHEN {alert}.severity = 'CRITICAL' THEN w.include_critical
                   ELSE true END
        ORDER BY w.ends_at DESC, w.id LIMIT 1"""  # noqa: S608 (an alias that the caller writes)
