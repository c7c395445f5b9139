"""What the REST interface of on-call takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from noc.alerts.schemas import AlertType
from noc.alerts.suppression.schemas import Day, Zone
from noc.domain import Severity
from noc.rest.body import Id, Name
from noc.rest.by_id import ListQuery, QueryId
from noc.rest.envelope import MAX_LIMIT
from noc.rest.quantities import UtcMoment

MOST_STEPS = 10
MOST_TARGETS = 20
MOST_MINUTES = 1440
MOST_REPEATS = 5
MOST_MEMBERS = 100

State = Literal["active", "answered", "exhausted", "ended"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Body(BaseModel):
    """A field that the body does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleIn(Body):
    """Whose turn it is: the members in their order, one turn each."""

    name: Name
    timezone: Zone
    members: Annotated[
        list[Id], Field(min_length=1, max_length=MOST_MEMBERS, description="Users, in order.")
    ]
    rotation: Literal["daily", "weekly"]
    handover_time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM, local.")
    handover_weekday: Weekday | None = Field(None, description="Of a weekly rotation.")
    starts_on: Day | None = Field(None, description="First day of the first turn; today.")


class ScheduleQuery(ListQuery):
    """Filters of the list of schedules."""

    name: Name | None = None


class ShiftQuery(Body):
    """The period; the next 14 days."""

    since: UtcMoment | None = Field(None, alias="from")
    until: UtcMoment | None = Field(None, description="At most 92 days after `from`.")


class OverrideIn(Body):
    """For this time the user is on call in place of whose turn it is."""

    user_id: Id | None = Field(None, description="Left out: whoever is signed in.")
    starts_at: UtcMoment
    ends_at: UtcMoment


class StepIn(Body):
    """Whom to tell, so long after the step before."""

    after_minutes: int = Field(strict=True, ge=0, le=MOST_MINUTES)
    users: Annotated[list[Id], Field(max_length=MOST_TARGETS)] = []
    schedules: Annotated[list[Id], Field(max_length=MOST_TARGETS)] = []
    routes: Annotated[list[Id], Field(max_length=MOST_TARGETS)] = []


class PolicyIn(Body):
    """Which alerts, and whom to tell until somebody answers."""

    name: Name
    position: int = Field(strict=True, ge=0, le=10_000, description="The first that fits is taken.")
    min_severity: Severity
    site_ids: Annotated[list[Id], Field(max_length=1000)] = Field([], description="Empty: all.")
    alert_types: Annotated[list[AlertType], Field(max_length=50)] = Field(
        [], description="Empty: all."
    )
    active: StrictBool = True
    steps: Annotated[list[StepIn], Field(min_length=1, max_length=MOST_STEPS)]
    repeats: int = Field(
        0, strict=True, ge=0, le=MOST_REPEATS, description="How often all of it is gone over again."
    )


class PolicyQuery(ListQuery):
    """Filters of the list of policies."""

    active: bool | None = None


class TrialQuery(Body):
    """The alert that is supposed to open now."""

    severity: Severity = "CRITICAL"
    site_id: QueryId | None = None
    alert_type: AlertType | None = None


class EscalationQuery(Body):
    """The query of the list: filters, and which page."""

    state: State | None = None
    alert_id: QueryId | None = None
    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")
