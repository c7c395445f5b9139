"""What the REST interface of findings and baselines takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from noc.audit.drafts import Category, FindingType
from noc.domain import Severity
from noc.rest.body import Prose
from noc.rest.by_id import ListQuery, QueryId
from noc.rest.envelope import MAX_LIMIT
from noc.rest.quantities import Number, UtcMoment

Status = Literal["NEW", "ACKNOWLEDGED", "RESOLVED"]
Resolution = Literal["CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE", "EXPIRED"]
Metric = Literal[
    "phone_events_count",
    "location_updates_count",
    "movement_distance_meters",
    "tasks_completed_count",
    "tour_checkpoints_scanned",
]


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class FindingFilters(BaseModel):
    """What a list of findings keeps; several values of one filter are separated by commas.

    ``since`` and ``until`` bound ``detected_at``, the first inclusive, the second not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    finding_type: Annotated[tuple[FindingType, ...], BeforeValidator(_split)] = ()
    category: Annotated[tuple[Category, ...], BeforeValidator(_split)] = ()
    severity: Annotated[tuple[Severity, ...], BeforeValidator(_split)] = ()
    status: Annotated[tuple[Status, ...], BeforeValidator(_split)] = ()
    resolution: Annotated[tuple[Resolution, ...], BeforeValidator(_split)] = ()
    site_id: Annotated[tuple[QueryId, ...], BeforeValidator(_split)] = ()
    open: bool | None = None
    person_id: QueryId | None = None
    alert_id: QueryId | None = None
    escalated_to_ticket: bool | None = None
    escalation_ticket_id: QueryId | None = None
    since: UtcMoment | None = None
    until: UtcMoment | None = None


class FindingQuery(FindingFilters):
    """The query of the list: filters, and which page."""

    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class StatsQuery(BaseModel):
    """The period, and perhaps one site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(30, ge=1, le=366)
    site_id: QueryId | None = None


class ResolveIn(BaseModel):
    """How it ended."""

    model_config = ConfigDict(extra="forbid")

    resolution: Resolution
    note: Prose | None = None


class ReopenIn(BaseModel):
    """Why it is not over."""

    model_config = ConfigDict(extra="forbid")

    note: Prose | None = None
    exact: bool = Field(
        False,
        description="Leave its alert and its ticket as they were before, as if it had never been "
        "resolved, instead of taking them up again.",
    )


class NothingIn(BaseModel):
    """No field."""

    model_config = ConfigDict(extra="forbid")


class BaselineQuery(ListQuery):
    """Filters of the list of baselines."""

    site_id: QueryId | None = None
    metric_type: Metric | None = None
    level: Literal["hour_of_week", "hour_of_day", "all"] | None = None
    slot: int | None = Field(None, ge=0, lt=168)
    is_stable: bool | None = None
    pinned: bool | None = None


class PinIn(BaseModel):
    """The threshold to hold, in standard deviations; null lets the rule hold again."""

    model_config = ConfigDict(extra="forbid")

    threshold: Annotated[Number, Field(ge=1.5, le=5.0)] | None
    reason: Prose


class ResetIn(BaseModel):
    """Why it is to learn anew."""

    model_config = ConfigDict(extra="forbid")

    reason: Prose
