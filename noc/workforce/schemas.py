"""Bodies and queries of the REST interface of the workforce.

A reference to another row is given by id or by its own code (a user's: e-mail address); what
is left out of an upsert keeps its value, null clears it.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cache
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from noc.rest.body import Code, Id, Line, Name
from noc.rest.by_id import ListQuery, QueryId
from noc.rest.quantities import Latitude, Longitude, Number, UtcMoment
from noc.workforce.rings import Corner, fault

MAX_RADIUS_METERS = 50_000
MAX_SHIFT = dt.timedelta(days=7)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime"})


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("is not an IANA time zone, such as Asia/Kolkata")
    return name


def _ring(points: list[Corner]) -> list[Corner]:
    if reason := fault(points):
        raise ValueError(reason)
    return points


Ring = Annotated[
    list[tuple[Longitude, Latitude]], Field(min_length=3, max_length=1000), AfterValidator(_ring)
]
"""The corners of an area in order, each [lon, lat]; the last need not repeat the first."""


class Body(BaseModel):
    """A field that the body does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SitePut(Body):
    """A client's place that guards watch; lengths in metres."""

    name: Name
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(description="IANA name.")
    lat: Latitude
    lon: Longitude
    geofence_radius: Annotated[Number, Field(gt=0, le=MAX_RADIUS_METERS)] = Field(
        150.0, description="Metres."
    )
    geofence_polygon: Ring | None = Field(None, description="Goes before the radius.")
    security_manager_id: Id | None = None
    security_manager_email: Line | None = None
    site_manager_id: Id | None = None
    site_manager_email: Line | None = None
    noc_supervisor_id: Id | None = None
    noc_supervisor_email: Line | None = None
    active: bool = True


class PersonPut(Body):
    """A guard or a member of staff."""

    name: Name
    kind: Literal["guard", "staff"] = "guard"
    home_site_id: Id | None = None
    home_site_code: Code | None = None
    active: bool = True


class DevicePut(Body):
    """A phone, and whose it is."""

    model: Name | None = None
    person_id: Id | None = None
    person_code: Code | None = None
    active: bool = True


class Span(Body):
    """From one moment to a later one."""

    starts_at: UtcMoment
    ends_at: UtcMoment

    @field_validator("ends_at")
    @classmethod
    def _later(cls, ends_at: dt.datetime, info: ValidationInfo) -> dt.datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and ends_at <= starts_at:
            raise ValueError("must be later than starts_at")
        return ends_at


class ShiftPut(Span):
    """A person is on duty at a site; ``swapped_with`` works it instead, where given."""

    person_id: Id | None = None
    person_code: Code | None = None
    site_id: Id | None = None
    site_code: Code | None = None
    swapped_with_id: Id | None = None
    swapped_with_code: Code | None = None

    @field_validator("ends_at")
    @classmethod
    def _soon(cls, ends_at: dt.datetime, info: ValidationInfo) -> dt.datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and ends_at - starts_at > MAX_SHIFT:
            raise ValueError(f"must be within {MAX_SHIFT.days} days of starts_at")
        return ends_at


class AbsencePut(Span):
    """Leave; only approved leave excuses a guard."""

    person_id: Id | None = None
    person_code: Code | None = None
    kind: Name = "leave"
    approved: bool = False


class SiteQuery(ListQuery):
    """Filters of the list of sites."""

    code: Line | None = None
    name: Line | None = None
    timezone: Line | None = None
    security_manager_id: QueryId | None = None
    site_manager_id: QueryId | None = None
    noc_supervisor_id: QueryId | None = None
    active: bool | None = None


class PersonQuery(ListQuery):
    """Filters of the list of people."""

    code: Line | None = None
    name: Line | None = None
    kind: Literal["guard", "staff"] | None = None
    home_site_id: QueryId | None = None
    active: bool | None = None


class DeviceQuery(ListQuery):
    """Filters of the list of devices."""

    code: Line | None = None
    model: Line | None = None
    person_id: QueryId | None = None
    last_person_id: QueryId | None = None
    active: bool | None = None


class SpanQuery(ListQuery):
    """``since`` and ``until`` keep what overlaps the time between them."""

    code: Line | None = None
    person_id: QueryId | None = None
    since: UtcMoment | None = Field(None, description="Ends later than this.")
    until: UtcMoment | None = Field(None, description="Starts earlier than this.")


class ShiftQuery(SpanQuery):
    """Filters of the list of shifts."""

    site_id: QueryId | None = None
    swapped_with_id: QueryId | None = None


class AbsenceQuery(SpanQuery):
    """Filters of the list of absences."""

    kind: Line | None = None
    approved: bool | None = None
