"""What happens to an alert without a step of its life: kept in its history, told to the feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from noc.alerts.frames import AlertFields, Announced, announce_alert
from noc.alerts.models import AlertChange
from noc.database.tenancy import required_tenant
from noc.events.news import NewsKind
from noc.extensions import session


def remark(
    alert: AlertFields,
    action: str,
    note: str,
    detail: Mapping[str, Any],
    *,
    person_name: str | None,
    now: dt.datetime,
    news: NewsKind | None = None,
    more: Mapping[str, Any],
) -> Announced:
    """Write ``action`` into the alert's history, and have the feed told with the fields ``more``.

    ``note`` says it to people, ``detail`` to programs. The alert stays as it is. ``news`` as
    :func:`noc.alerts.frames.announce_alert`. One statement.
    """
    session().execute(
        insert(AlertChange).values(
            tenant_id=required_tenant(),
            alert_id=alert.id,
            at=now,
            action=action,
            old_status=alert.status,
            new_status=alert.status,
            note=note,
            detail=dict(detail),
        )
    )
    return announce_alert("alert_updated", alert, person_name, news, more)
