"""Schedules and their overrides: made, changed, deleted."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from zoneinfo import ZoneInfo

from psycopg.errors import UniqueViolation
from sqlalchemy import cast, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.words import BadField
from noc.oncall.models import EscalationPolicy, OnCallOverride, OnCallSchedule
from noc.oncall.people import must_be_able
from noc.oncall.schemas import OverrideIn, ScheduleIn
from noc.rest.problems import Problem, not_found

Lock = Literal["keep", "change", "delete"]

FURTHEST_DAY = dt.timedelta(days=366)
LONGEST_OVERRIDE = dt.timedelta(days=92)


def create(body: ScheduleIn, *, now: dt.datetime) -> OnCallSchedule:
    """A new schedule.

    BadField for a member who cannot be on call, what does not fit the rotation, a first day more
    than a year off, and a name that is taken.
    """
    schedule = OnCallSchedule(
        tenant_id=required_tenant(), created_at=now, updated_at=now, **_values(body, now)
    )
    session().add(schedule)
    _flush()
    return schedule


def change(schedule_id: int, body: ScheduleIn, *, now: dt.datetime) -> OnCallSchedule:
    """Have the schedule be as ``body`` says; overrides stay. 404; BadField as :func:`create`.

    Without a first day it begins on the day it began: so that turns stay where they were.
    """
    schedule = locked(schedule_id)
    for name, value in _values(body, now, schedule.starts_on).items():
        setattr(schedule, name, value)
    schedule.updated_at = now
    _flush()
    return schedule


def remove(schedule_id: int) -> None:
    """Delete the schedule with its overrides. 404; 409 while a policy names it."""
    schedule = locked(schedule_id, lock="delete")
    named = session().scalar(
        select(func.min(EscalationPolicy.name)).where(
            EscalationPolicy.tenant_id == required_tenant(),
            EscalationPolicy.steps.contains(cast([{"schedules": [schedule_id]}], JSONB)),
        )
    )
    if named is not None:
        raise Problem(409, f"The escalation policy {named!r} calls whoever is on call by it.")
    session().delete(schedule)
    session().flush()


def override(
    schedule_id: int,
    body: OverrideIn,
    *,
    user_id: int,
    created_by: int | None,
    now: dt.datetime,
) -> OnCallOverride:
    """Have the user be on call for a time. 404; BadField for a time or a user that cannot be."""
    if not body.starts_at < body.ends_at:
        raise BadField("ends_at", "must be later than starts_at")
    if body.ends_at <= now:
        raise BadField("ends_at", "must be in the future")
    if body.ends_at - body.starts_at > LONGEST_OVERRIDE:
        raise BadField("ends_at", f"must be at most {LONGEST_OVERRIDE.days} days after starts_at")
    if body.starts_at > now + FURTHEST_DAY:
        raise BadField("starts_at", f"must be at most {FURTHEST_DAY.days} days ahead")
    # A deletion at the same moment comes before or after, never between.
    locked(schedule_id, lock="keep")
    must_be_able([user_id], "user_id")
    made = OnCallOverride(
        tenant_id=required_tenant(),
        schedule_id=schedule_id,
        user_id=user_id,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        created_at=now,
        created_by=created_by,
    )
    session().add(made)
    session().flush()
    return made


def find_override(schedule_id: int, override_id: int) -> OnCallOverride:
    """The override of this schedule; 404 where there is none."""
    found = session().scalar(
        select(OnCallOverride).where(
            OnCallOverride.tenant_id == required_tenant(),
            OnCallOverride.schedule_id == schedule_id,
            OnCallOverride.id == override_id,
        )
    )
    if found is None:
        raise not_found("override")
    return found


def remove_override(schedule_id: int, override_id: int) -> None:
    """Delete an override; one that is gone already is gone."""
    session().execute(
        delete(OnCallOverride).where(
            OnCallOverride.tenant_id == required_tenant(),
            OnCallOverride.schedule_id == schedule_id,
            OnCallOverride.id == override_id,
        )
    )


def locked(schedule_id: int, *, lock: Lock = "change") -> OnCallSchedule:
    """The schedule, locked until the transaction ends; 404 where there is none.

    To ``keep`` it only holds up its deletion; to ``delete`` it, whatever points to it, too.
    """
    schedule = session().get(
        OnCallSchedule,
        (required_tenant(), schedule_id),
        with_for_update={"read": lock == "keep", "key_share": lock != "delete"},
        populate_existing=True,
    )
    if schedule is None:
        raise not_found("schedule")
    return schedule


def _values(body: ScheduleIn, now: dt.datetime, begun_on: dt.date | None = None) -> dict[str, Any]:
    today = now.astimezone(ZoneInfo(body.timezone)).date()
    starts_on = body.starts_on or begun_on or today
    if body.starts_on is not None and abs(starts_on - today) > FURTHEST_DAY:
        raise BadField("starts_on", f"must lie within {FURTHEST_DAY.days} days of today")
    if body.rotation == "weekly" and body.handover_weekday is None:
        raise BadField("handover_weekday", "is needed for a weekly rotation")
    if body.rotation == "daily" and body.handover_weekday is not None:
        raise BadField("handover_weekday", "is for a weekly rotation alone")
    must_be_able(body.members, "members")
    return {
        "name": body.name,
        "timezone": body.timezone,
        "rotation": body.rotation,
        "handover_time": body.handover_time,
        "handover_weekday": body.handover_weekday,
        "starts_on": starts_on,
        "members": list(body.members),
    }


def _flush() -> None:
    try:
        with session().begin_nested():
            session().flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise BadField("name", "another schedule has this name") from error
        raise
