"""Making and cancelling windows, and keeping their times ready ahead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from noc.alerts.suppression.models import Suppression, SuppressionSpan
from noc.alerts.suppression.muting import SOS
from noc.alerts.suppression.recurrence import LOOKED_AHEAD, Recurrence, Span, fault
from noc.alerts.suppression.schemas import SuppressionIn
from noc.database.tenancy import required_tenant
from noc.domain import severity_rank
from noc.extensions import session
from noc.identity.trail import Target, record
from noc.monitoring import metrics
from noc.rest.problems import Problem, not_found
from noc.workforce.models import Site

log = structlog.get_logger(__name__)

LONGEST_ONCE = dt.timedelta(days=90)
"""Of a window that comes once: what is to be quiet for longer is to be repaired."""

AHEAD = dt.timedelta(days=35)
"""Times of recurring windows are ready so far ahead; they hold though no job ran for weeks."""

REFILL = dt.timedelta(days=28)
"""Windows with less than this ready get more: about once a week."""

KEPT = dt.timedelta(hours=1)
"""Times that ended are dropped so long after, so that few are looked at for each alert."""

FURTHEST_DAY = dt.timedelta(days=366)
"""A recurrence is counted from a day at most so far off, either way."""


def create(
    body: SuppressionIn,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> int:
    """Make a window; its id. Problem 422 names what does not fit.

    ``site_ids``: the sites whoever asks is limited to, None for all; they name one of those.
    """
    zone, once, recurrence = _planned(body, now, site_ids)
    if recurrence is None or body.recurrence is None:
        times = once
        prepared = times[0].ends_at
        values: dict[str, Any] = {"starts_at": body.starts_at, "ends_at": body.ends_at}
    else:
        prepared = now + AHEAD
        times = list(recurrence.spans(now, prepared))
        values = {
            "rrule": recurrence.rule,
            "starts_on": recurrence.starts_on,
            "start_time": body.recurrence.start_time,
            "duration_minutes": body.recurrence.duration_minutes,
        }
    window = Suppression(
        tenant_id=required_tenant(),
        name=body.name,
        reason=body.reason,
        site_id=body.site_id,
        alert_types=sorted(set(body.alert_types)) or None,
        least_severity=body.least_severity,
        most_severity=body.most_severity,
        include_critical=body.include_critical,
        include_sos=body.include_sos,
        timezone=zone,
        prepared_until=prepared,
        created_at=now,
        created_by=user_id,
        **values,
    )
    session().add(window)
    session().flush()
    _store({window.id: times})
    detail = body.model_dump(exclude={"name"}, exclude_defaults=True)
    record("window.created", Target("window", window.id, window.name), detail, now=now)
    return window.id


def preview(
    body: SuppressionIn,
    *,
    now: dt.datetime,
    count: int,
    site_ids: Collection[int] | None = None,
) -> tuple[str, list[Span]]:
    """The zone and the next ``count`` times of a window that is not made yet.

    Refuses what :func:`create` would refuse.
    """
    zone, once, recurrence = _planned(body, now, site_ids)
    if recurrence is None:
        return zone, list(once)
    return zone, list(islice(recurrence.spans(now, now + LOOKED_AHEAD), count))


def cancel(
    suppression_id: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> None:
    """End a window; cancelling twice keeps the first. Problem 404 where it is not to be seen.

    What it muted is heard of within a minute, by the job that also sees windows end.
    """
    query = select(Suppression).where(
        Suppression.tenant_id == required_tenant(), Suppression.id == suppression_id
    )
    if site_ids is not None:
        query = query.where(Suppression.site_id.in_(site_ids))
    window = session().scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if window is None:
        raise not_found("suppression window")
    if window.cancelled_at is None:
        window.cancelled_at, window.cancelled_by = now, user_id
        record("window.cancelled", Target("window", window.id, window.name), now=now)


def prepare(*, now: dt.datetime) -> int:
    """Make the times ready of the tenant's recurring windows that run short; how many windows.

    Drops those that are over. What another process works on is left to it. A rule that cannot be
    read any more (it was checked when it was taken, but zones and libraries change) is logged and
    counted, and keeps no other window waiting.
    """
    tenant_id = required_tenant()
    session().execute(
        delete(SuppressionSpan).where(
            SuppressionSpan.tenant_id == tenant_id, SuppressionSpan.ends_at < now - KEPT
        )
    )
    windows = session().scalars(
        select(Suppression)
        .where(
            Suppression.tenant_id == tenant_id,
            Suppression.rrule.is_not(None),
            Suppression.cancelled_at.is_(None),
            Suppression.prepared_until < now + REFILL,
        )
        .order_by(Suppression.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    times: dict[int, Iterable[Span]] = {}
    for window in windows:
        # From now on alone: what lies between was missed by everybody.
        after = max(window.prepared_until, now)
        try:
            times[window.id] = list(recurrence_of(window).spans(after, now + AHEAD))
        except (ValueError, LookupError, OSError) as error:
            metrics.FAILURES.labels("suppression").inc()
            log.error("suppression_not_prepared", suppression_id=window.id, error=str(error))
            continue
        window.prepared_until = now + AHEAD
    _store(times)
    return len(times)


def recurrence_of(window: Suppression) -> Recurrence:
    """The recurrence of a window that has one; ValueError for one that comes once."""
    if window.rrule is None or window.starts_on is None or window.duration_minutes is None:
        raise ValueError(f"window {window.id} comes once")
    return Recurrence(
        window.rrule,
        window.starts_on,
        dt.time.fromisoformat(window.start_time or ""),
        dt.timedelta(minutes=window.duration_minutes),
        window.timezone,
    )


def refused(field: str, reason: str) -> Problem:
    """422: the window cannot be so."""
    return Problem(
        422,
        "The suppression window was not accepted.",
        errors=[{"field": field, "reason": reason}],
    )


def _planned(
    body: SuppressionIn, now: dt.datetime, site_ids: Collection[int] | None
) -> tuple[str, Sequence[Span], Recurrence | None]:
    """The zone, and either the one time or the recurrence. Problem 422 names what does not fit."""
    zone = _zone(body, site_ids)
    if reason := _mutes_nothing(body):
        raise refused(*reason)
    if body.recurrence is None:
        return zone, _once(body, now), None
    return zone, (), _recurrence(body, zone, now)


def _zone(body: SuppressionIn, site_ids: Collection[int] | None) -> str:
    """The zone of the window: the one it names, else its site's, else UTC if it comes once.

    Problem 422 for a site that cannot be named.
    """
    if body.site_id is None:
        if site_ids is not None:
            raise refused("site_id", "must be one of the sites you are limited to")
        if body.timezone is None and body.recurrence is not None:
            raise refused("timezone", "must be given where no site has one")
        return body.timezone or "UTC"
    query = select(Site.timezone).where(
        Site.tenant_id == required_tenant(), Site.id == body.site_id
    )
    if site_ids is not None:
        query = query.where(Site.id.in_(site_ids))
    zone = session().scalar(query)
    if zone is None:
        raise refused("site_id", f"there is no site {body.site_id}")
    return body.timezone or zone


def _mutes_nothing(body: SuppressionIn) -> tuple[str, str] | None:
    """Why a window would mute nothing, or less than it seems to, as field and reason."""
    least, most = body.least_severity, body.most_severity
    if least and most and severity_rank(least) > severity_rank(most):
        return "most_severity", f"must not be less than least_severity, {least}"
    if least == "CRITICAL" and not (body.include_critical or body.include_sos):
        return "least_severity", "CRITICAL is muted with include_critical alone"
    if any(one.upper() == SOS for one in body.alert_types) and not body.include_sos:
        return "alert_types", "SOS is muted with include_sos alone"
    return None


def _once(body: SuppressionIn, now: dt.datetime) -> Sequence[Span]:
    starts_at, ends_at = body.starts_at, body.ends_at
    if starts_at is None:
        raise refused("starts_at", "must be given, and ends_at, or a recurrence")
    if ends_at is None:
        raise refused("ends_at", "must be given with starts_at")
    if not starts_at < ends_at:
        raise refused("ends_at", "must be later than starts_at")
    if ends_at <= now:
        raise refused("ends_at", "must be in the future")
    if ends_at - starts_at > LONGEST_ONCE:
        raise refused("ends_at", f"must be at most {LONGEST_ONCE.days} days after starts_at")
    return [Span(starts_at, ends_at)]


def _recurrence(body: SuppressionIn, zone: str, now: dt.datetime) -> Recurrence:
    asked = body.recurrence
    if asked is None or body.starts_at is not None or body.ends_at is not None:
        raise refused("recurrence", "cannot go with starts_at and ends_at")
    today = now.astimezone(ZoneInfo(zone)).date()
    starts_on = asked.starts_on or today
    if abs(starts_on - today) > FURTHEST_DAY:
        raise refused("recurrence.starts_on", f"must lie within {FURTHEST_DAY.days} days of today")
    recurrence = Recurrence(
        asked.rrule,
        starts_on,
        dt.time.fromisoformat(asked.start_time),
        dt.timedelta(minutes=asked.duration_minutes),
        zone,
    )
    if wrong := fault(recurrence, now):
        raise refused(f"recurrence.{wrong[0]}", wrong[1])
    return recurrence


def _store(times: dict[int, Iterable[Span]]) -> None:
    rows = [
        {
            "tenant_id": required_tenant(),
            "suppression_id": key,
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
        }
        for key, spans in times.items()
        for span in spans
    ]
    if rows:
        session().execute(insert(SuppressionSpan).on_conflict_do_nothing(), rows)
