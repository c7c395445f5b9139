"""Reading windows: lists, and one with its next times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, exists, func, select, tuple_
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

Standing = Literal["active", "next", "over"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""How a window stands at a moment, in the order of its list: muting, to come, or over."""

Place = tuple[int, dt.datetime, int]
"""The number of the standing, when it was made, and its id."""


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
    if asked.search is not None:
        query = query.where(_named(asked.search))
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


def list_by_standing(
    text: str,
    standing: Standing | None,
    *,
    now: dt.datetime,
    site_ids: Collection[int] | None,
    limit: int,
    after: Place | None = None,
) -> list[dict[str, Any]]:
    """Windows that mute now, then those to come, then those that are over, each the latest made
    first, from behind the ``after`` that :func:`place_of` gave. One query.

    ``text`` is a part of the name or of the reason; ``standing`` leaves out all others. Each has
    its ``standing``.
    """
    number = _standing(now)
    query = _windows(now, site_ids).add_columns(number).where(_named(text))
    if standing is not None:
        query = query.where(number == STANDINGS.index(standing))
    if after is not None:
        place, made_at, key = after
        later = tuple_(Suppression.created_at, Suppression.id) < tuple_(made_at, key)
        query = query.where((number > place) | ((number == place) & later))
    order = (number, Suppression.created_at.desc(), Suppression.id.desc())
    rows = session().execute(query.order_by(*order).limit(limit))
    return [{**_shown(*row[:-1]), "standing": STANDINGS[row[-1]]} for row in rows]


def place_of(window: Mapping[str, Any]) -> Place:
    """Where a window of :func:`list_by_standing` stands in its list."""
    return STANDINGS.index(window["standing"]), window["created_at"], window["id"]


def count_by_standing(
    text: str, *, now: dt.datetime, site_ids: Collection[int] | None
) -> dict[Standing, int]:
    """How many windows match, by how they stand. One query."""
    number = _standing(now).label("standing")
    seen = Suppression.tenant_id == required_tenant()
    query = select(number, func.count()).where(seen, _named(text)).group_by(number)
    if site_ids is not None:
        query = query.where(Suppression.site_id.in_(site_ids))
    found = {row[0]: row[1] for row in session().execute(query)}
    return {name: found.get(number, 0) for number, name in enumerate(STANDINGS)}


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


def _named(text: str) -> ColumnElement[bool]:
    by_name = Suppression.name.icontains(text, autoescape=True)
    return by_name | Suppression.reason.icontains(text, autoescape=True)


def _standing(now: dt.datetime) -> ColumnElement[int]:
    """The place in ``STANDINGS``; what comes again is over when it is cancelled."""
    over = Suppression.cancelled_at.is_not(None) | (Suppression.ends_at <= now)
    return case((_active(now), 0), (over, 2), else_=1)


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
