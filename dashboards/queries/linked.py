"""What is linked to a ticket, in a line each; only what the reader may see."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from dashboards.queries.reader import seen_sites
from noc.alerts.models import Alert
from noc.extensions import session
from noc.identity.principal import required_principal
from noc.incidents.models import Incident


def alerts(alert_ids: Collection[int]) -> list[dict[str, Any]]:
    """``id``, ``severity``, ``alert_type``, ``status`` and ``at``, latest first. One query."""
    columns = (Alert.id, Alert.severity, Alert.alert_type, Alert.status)
    return _read(Alert, columns, Alert.occurred_at, alert_ids)


def incidents(incident_ids: Collection[uuid.UUID]) -> list[dict[str, Any]]:
    """``id``, ``severity``, ``status`` and ``at``, latest first. One query."""
    columns = (Incident.id, Incident.combined_severity.label("severity"), Incident.status)
    return _read(Incident, columns, Incident.detected_at, incident_ids)


def _read(model: Any, columns: Any, at: Any, keys: Collection[Any]) -> list[dict[str, Any]]:
    if not keys:
        return []
    query = select(*columns, at.label("at")).where(
        model.tenant_id == required_principal().tenant_id, model.id.in_(keys)
    )
    sites = seen_sites()
    if sites is not None:
        query = query.where(model.site_id.in_(sites))
    rows = session().execute(query.order_by(at.desc(), model.id.desc()))
    return [dict(row) for row in rows.mappings()]
