"""Reading windows: lists, and one with its next times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import aliased

from noc.alerts.suppression.models import Suppression, SuppressionSpan
from noc.alerts.suppression.recurrence import LOOKED_AHEAD, Span
from noc.alerts.suppression.schemas import SuppressionQuery
from noc.alerts.suppression.windows import recurrence_of
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.keyset import Key, Page, newest_first, page_of
from noc.workforce.models import Site

_Creator = aliased(User, name="creator")


def list_windows(
    asked: SuppressionQuery,
    *,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    limit: int,
    after: Key | None = None,
) -> Page:
    """A page of windows, the latest made first. One query.

    ``site_ids``: the sites whoever asks is limited to, None for all; who is limited sees those
    of these sites, not those of all sites.
    """
    query = _windows(now, site_ids)
    if asked.active is not None:
        active = _active(now)
        query = query.where(active if asked.active else ~active)
    if asked.cancelled is not None:
        cancelled = Suppression.cancelled_at.is_not(None)
        query = query.where(cancelled if asked.cancelled else ~cancelled)
    if asked.site_id is not None:
        query = query.where(Suppression.site_id == asked.site_id)
    query = newest_first(query, Suppression.created_at, Suppression.id, limit=limit, after=after)
    rows = [_shown(*row) for row in session().execute(query)]
    return page_of(rows, "created_at", limit=limit)


def find_window(
    suppression_id: int,
    *,
    now: dt.datetime,
    occurrences: int,
    site_ids: Collection[int] | None = None,
) -> dict[str, Any] | None:
    """A window and its next ``occurrences`` times; None if it is not to be seen."""
    query = _windows(now, site_ids).where(Suppression.id == suppression_id)
    row = session().execute(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        return None
    window: Suppression = row[0]
    times = [] if window.cancelled_at else islice(_times(window, now), occurrences)
    return {**_shown(*row), "occurrences": [_told(span, window.timezone) for span in times]}


def _windows(now: dt.datetime, site_ids: Collection[int] | None) -> Select[Any]:
    columns: tuple[Any, ...] = (Suppression, Site.name, _Creator.name, _active(now))
    query = (
        select(*columns)
        .outerjoin(
            Site, (Site.tenant_id == Suppression.tenant_id) & (Site.id == Suppression.site_id)
        )
        .outerjoin(
            _Creator,
            (_Creator.tenant_id == Suppression.tenant_id) & (_Creator.id == Suppression.created_by),
        )
        .where(Suppression.tenant_id == required_tenant())
    )
    return query if site_ids is None else query.where(Suppression.site_id.in_(site_ids))


def _active(now: dt.datetime) -> ColumnElement[bool]:
    return Suppression.cancelled_at.is_(None) & exists().where(
        SuppressionSpan.tenant_id == Suppression.tenant_id,
        SuppressionSpan.suppression_id == Suppression.id,
        SuppressionSpan.starts_at <= now,
        SuppressionSpan.ends_at > now,
    )


def _times(window: Suppression, now: dt.datetime) -> Iterable[Span]:
    """The times that are not over."""
    if window.rrule is not None:
        return recurrence_of(window).spans(now, now + LOOKED_AHEAD)
    if window.starts_at is None or window.ends_at is None or window.ends_at <= now:
        return ()
    return (Span(window.starts_at, window.ends_at),)


def _told(span: Span, timezone: str) -> dict[str, str]:
    zone = ZoneInfo(timezone)
    return {
        "starts_at": span.starts_at.isoformat(),
        "ends_at": span.ends_at.isoformat(),
        "local_starts_at": span.starts_at.astimezone(zone).isoformat(),
        "local_ends_at": span.ends_at.astimezone(zone).isoformat(),
    }


def _shown(
    window: Suppression, site_name: str | None, creator: str | None, active: bool
) -> dict[str, Any]:
    recurrence = None
    if window.rrule is not None:
        names = ("rrule", "starts_on", "start_time", "duration_minutes")
        recurrence = {name: getattr(window, name) for name in names}
    return {
        "id": window.id,
        "name": window.name,
        "reason": window.reason,
        "site_id": window.site_id,
        "site_name": site_name,
        "alert_types": window.alert_types or [],
        "least_severity": window.least_severity,
        "most_severity": window.most_severity,
        "include_critical": window.include_critical,
        "include_sos": window.include_sos,
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "recurrence": recurrence,
        "timezone": window.timezone,
        "active": active,
        "created_at": window.created_at,
        "created_by": window.created_by,
        "created_by_name": creator,
        "cancelled_at": window.cancelled_at,
        "cancelled_by": window.cancelled_by,
    }
