"""What the feed is told about an alert."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from noc.database.tenancy import required_tenant
from noc.events.log import emit
from noc.events.news import News, NewsKind


class AlertFields(Protocol):
    """The columns of an alert that the feed shows, of a row or of the model."""

    id: Any
    alert_type: Any
    severity: Any
    message: Any
    status: Any
    person_id: Any
    site_id: Any
    assignee_id: Any
    muted_until: Any


class Announced(NamedTuple):
    """The event that was logged, and what it tells."""

    event_id: uuid.UUID
    payload: dict[str, Any]


def announce_alert(
    event_type: Literal["alert_created", "alert_updated"],
    alert: AlertFields,
    person_name: str | None,
    news: NewsKind | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Announced:
    """Log ``event_type`` with the caller's transaction, in the fields of the feed's frame.

    ``news``: what people who are not looking may want to be told; of a muted alert they are not.
    ``more``: fields beyond those of every alert's frame.
    """
    payload = {
        "alert_id": alert.id,
        "alert_type": alert.alert_type,
        "severity": alert.severity,
        "message": alert.message,
        "status": alert.status,
        "person_id": alert.person_id,
        "person_name": person_name,
        "muted": alert.muted_until is not None,
        "assignee_id": alert.assignee_id,
        **more,
    }
    event_id = emit(
        event_type,
        payload,
        tenant_id=required_tenant(),
        site_id=alert.site_id,
        alert_id=alert.id,
        news=News(news, alert.severity) if news and alert.muted_until is None else None,
    )
    return Announced(event_id, payload)
