"""What a resolution of alerts set off elsewhere: kept in their histories, and taken back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from noc.aftermath import joined, set_off
from noc.alerts.models import Alert
from noc.alerts.signals import alert_resolved, alerts_reopened
from noc.alerts.transitions import Step
from noc.database.tenancy import required_tenant
from noc.extensions import session

_KEEP = text(
    """
    UPDATE noc_alert_change c
    SET detail = coalesce(c.detail, '{}') || jsonb_build_object(CAST(:name AS text), r.told)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id bigint, told jsonb)
    WHERE c.tenant_id = :tenant AND c.id = r.id
    """
)
_LATEST = text(
    """
    SELECT DISTINCT ON (alert_id) alert_id, detail->'set_off' AS set_off
    FROM noc_alert_change
    WHERE tenant_id = :tenant AND alert_id = ANY(CAST(:alerts AS bigint[]))
      AND new_status = 'RESOLVED' AND old_status <> 'RESOLVED'
    ORDER BY alert_id, id DESC
    """
)


def resolved(step: Step, alerts: Sequence[Alert]) -> dict[int, dict[str, Any]]:
    """Tell those above that each is over; what that set off, where it did."""
    told = {
        alert.id: set_off(
            alert_resolved.send(
                "alerts",
                alert=alert,
                resolution=step.resolution,
                user_id=step.user_id,
                now=step.now,
            ),
            step.now,
        )
        for alert in alerts
    }
    return {key: one for key, one in told.items() if one}


def reopened(step: Step, alert_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Tell those above that these are open again; what was taken back with each.

    One query, and none where none was resolved before.
    """
    if not alert_ids:
        return {}
    asked = {"tenant": required_tenant(), "alerts": sorted(alert_ids)}
    rows = session().execute(_LATEST, asked)
    resolutions = {row.alert_id: row.set_off for row in rows if row.set_off}
    if not resolutions:
        return {}
    sent = alerts_reopened.send(
        "alerts",
        resolutions=resolutions,
        exact=step.action == "undo",
        user_id=step.user_id,
        now=step.now,
    )
    answers = [answer or {} for _, answer in sent]
    told = {key: joined(answer.get(key) for answer in answers) for key in resolutions}
    return {key: one for key, one in told.items() if one}


def keep(name: str, told: Mapping[int, Mapping[str, Any]]) -> None:
    """Write it under ``name`` into the entries of histories with these ids. One statement."""
    if told:
        rows = json.dumps([{"id": key, "told": one} for key, one in told.items()])
        session().execute(_KEEP, {"tenant": required_tenant(), "name": name, "rows": rows})
