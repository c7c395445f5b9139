"""Who is on call, of the schedules as they are stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.oncall import people, rotation
from noc.oncall.models import OnCallOverride, OnCallSchedule
from noc.oncall.rotation import Override, Rotation, Schedule


@dataclass(frozen=True, slots=True)
class Stored:
    """A schedule as it is stored, and as it is worked out from."""

    row: OnCallSchedule
    schedule: Schedule

    @property
    def people(self) -> set[int]:
        """Everybody who may be on call by it."""
        overriding = {one.user_id for one in self.schedule.overrides}
        return overriding | set(self.schedule.rotation.members)


def rotation_of(row: OnCallSchedule) -> Rotation:
    """The rotation of a stored schedule."""
    return Rotation(
        row.timezone,
        "weekly" if row.rotation == "weekly" else "daily",
        dt.time.fromisoformat(row.handover_time),
        row.starts_on,
        tuple(row.members),
        rotation.WEEKDAYS.index(row.handover_weekday) if row.handover_weekday else 0,
    )


def load(
    schedule_ids: Collection[int] | None, since: dt.datetime, until: dt.datetime | None = None
) -> dict[int, Stored]:
    """Schedules (None: all), with the overrides that lie between the two moments, even in part.

    Two queries, none for no schedule.
    """
    if schedule_ids is not None and not schedule_ids:
        return {}
    tenant_id = required_tenant()
    query = select(OnCallSchedule).where(OnCallSchedule.tenant_id == tenant_id)
    overrides = select(OnCallOverride).where(
        OnCallOverride.tenant_id == tenant_id, OnCallOverride.ends_at > since
    )
    if schedule_ids is not None:
        query = query.where(OnCallSchedule.id.in_(schedule_ids))
        overrides = overrides.where(OnCallOverride.schedule_id.in_(schedule_ids))
    if until is not None:
        overrides = overrides.where(OnCallOverride.starts_at < until)
    rows = session().scalars(query.order_by(OnCallSchedule.id)).all()
    of: dict[int, list[Override]] = {row.id: [] for row in rows}
    for one in session().scalars(overrides.order_by(OnCallOverride.id)):
        if one.schedule_id in of:
            of[one.schedule_id].append(Override(one.id, one.user_id, one.starts_at, one.ends_at))
    return {row.id: Stored(row, Schedule(rotation_of(row), tuple(of[row.id]))) for row in rows}


def everybody(found: Iterable[Stored]) -> set[int]:
    """Everybody who may be on call by one of them."""
    return {user_id for one in found for user_id in one.people}


def on_call_now(now: dt.datetime) -> list[dict[str, Any]]:
    """Who is on call by each schedule, and until when at least. Three queries."""
    found = load(None, now)
    able = people.able(everybody(found.values()))
    answer = []
    for stored in found.values():
        ends_at = rotation.ends_after(stored.schedule, now)
        (shift,) = rotation.shifts(stored.schedule, now, ends_at, able)
        answer.append(
            {
                "schedule_id": stored.row.id,
                "schedule_name": stored.row.name,
                "user_id": shift.user_id,
                "user_name": able.get(shift.user_id or 0),
                "override_id": shift.override_id,
                "until": ends_at,
            }
        )
    return answer


def shifts_of(
    schedule_id: int, since: dt.datetime, until: dt.datetime
) -> list[dict[str, Any]] | None:
    """Who is on call when by the schedule; None if there is none. Three queries.

    As it stands now: whoever is disabled meanwhile is passed over. Times at which nobody is on
    call have no user.
    """
    stored = load([schedule_id], since, until).get(schedule_id)
    if stored is None:
        return None
    able = people.able(stored.people)
    return [
        {
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "user_id": shift.user_id,
            "user_name": able.get(shift.user_id or 0),
            "override_id": shift.override_id,
        }
        for shift in rotation.shifts(stored.schedule, since, until, able)
    ]


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a step calls: users by id with their names, and where there was nobody to call."""

    users: dict[int, str]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who can be called about something, by name or by schedule."""

    able: dict[int, str]
    found: dict[int, Stored]

    def called(
        self, user_ids: Collection[int], schedule_ids: Collection[int], at: dt.datetime
    ) -> Called:
        """Those named, and whoever is on call by the schedules at the moment; each once."""
        chosen: dict[int, str] = {}
        missing: list[str] = []
        for user_id in user_ids:
            if user_id in self.able:
                chosen[user_id] = self.able[user_id]
            else:
                missing.append(f"user {user_id}")
        for schedule_id in schedule_ids:
            stored = self.found.get(schedule_id)
            on_call = rotation.who(stored.schedule, at, self.able) if stored else None
            if on_call is not None:
                chosen[on_call] = self.able[on_call]
            else:
                missing.append(stored.row.name if stored else f"schedule {schedule_id}")
        return Called(chosen, missing)


def desk(
    user_ids: Collection[int], schedule_ids: Collection[int], *, site: int | None, now: dt.datetime
) -> Desk:
    """The desk for something of the site, at any moment from now on. At most three queries."""
    found = load(schedule_ids, now)
    return Desk(people.able({*user_ids, *everybody(found.values())}, site=site), found)
