"""What the REST interface of suppression windows takes."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from noc.alerts.schemas import AlertType, QueryId
from noc.alerts.suppression.recurrence import LONGEST, MAX_RULE, checked_rule
from noc.domain import Severity
from noc.rest.body import Id, Line, Name, Prose
from noc.rest.quantities import UtcMoment

MAX_TYPES = 50
MAX_OCCURRENCES = 50
OCCURRENCES = 5

_LONGEST_MINUTES = int(LONGEST.total_seconds() // 60)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime"})


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("is not an IANA time zone, such as Asia/Kolkata")
    return name


def _day(value: object) -> object:
    # Pydantic would take a number for seconds since 1970.
    if not isinstance(value, str):
        raise ValueError("must be a day as text, as in 2026-11-16")
    return value


Zone = Annotated[str, AfterValidator(_timezone)]
Day = Annotated[dt.date, BeforeValidator(_day)]


class RecurrenceIn(BaseModel):
    """When it comes again, by the clocks of the site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rrule: Annotated[
        str, Field(min_length=1, max_length=MAX_RULE), AfterValidator(checked_rule)
    ] = Field(description="RFC 5545; FREQ of DAILY, WEEKLY or MONTHLY.")
    start_time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM, local.")
    duration_minutes: int = Field(strict=True, ge=1, le=_LONGEST_MINUTES)
    starts_on: Day | None = Field(None, description="First day, from which is counted; today.")


class SuppressionIn(BaseModel):
    """What is muted, when and why: either `starts_at` and `ends_at`, or a `recurrence`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    reason: Prose
    site_id: Id | None = Field(None, description="Left out: all sites, and alerts of none.")
    alert_types: Annotated[list[AlertType], Field(max_length=MAX_TYPES)] = Field(
        default_factory=list, description="Left out: all."
    )
    least_severity: Severity | None = None
    most_severity: Severity | None = None
    include_critical: bool = Field(False, description="Mute CRITICAL alerts, too.")
    include_sos: bool = Field(False, description="Mute calls for help, too.")
    starts_at: UtcMoment | None = None
    ends_at: UtcMoment | None = None
    recurrence: RecurrenceIn | None = None
    timezone: Zone | None = Field(
        None, description="IANA name; the site's. A recurrence without a site needs one."
    )


class SuppressionQuery(BaseModel):
    """The query of the list: filters, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Line | None = Field(None, description="A part of the name or of the reason.")
    active: bool | None = Field(None, description="Muting at this moment, or not.")
    cancelled: bool | None = None
    site_id: QueryId | None = None
    limit: int | None = Field(None, ge=1, le=500, description="Rows on a page; 50 by default.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class OccurrencesQuery(BaseModel):
    """How many of the next times are told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    occurrences: int = Field(OCCURRENCES, ge=0, le=MAX_OCCURRENCES)


class CancelIn(BaseModel):
    """Nothing."""

    model_config = ConfigDict(extra="forbid")
