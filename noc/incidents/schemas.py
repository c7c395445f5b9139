"""What the REST interface of incidents takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from noc.domain import Severity
from noc.rest.body import Prose
from noc.rest.by_id import QueryId
from noc.rest.envelope import MAX_LIMIT
from noc.rest.quantities import UtcMoment

Status = Literal["OPEN", "INVESTIGATING", "CLOSED"]

MAX_HOURS = 24 * 366


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class IncidentFilters(BaseModel):
    """What a list of incidents keeps; ``since`` and ``until`` bound ``detected_at``.

    ``unresolved`` keeps those that are not closed; ``older_than_hours`` those detected so long
    ago or longer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[tuple[Status, ...], BeforeValidator(_split)] = ()
    unresolved: bool = False
    site_id: Annotated[tuple[QueryId, ...], BeforeValidator(_split)] = ()
    person_id: QueryId | None = None
    min_severity: Severity | None = None
    min_score: float | None = Field(None, ge=0, le=1)
    root_cause_identified: bool | None = None
    older_than_hours: float | None = Field(None, ge=0, le=MAX_HOURS)
    since: UtcMoment | None = None
    until: UtcMoment | None = None


class IncidentQuery(IncidentFilters):
    """The query of the list: filters, and which page."""

    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class CorrelationQuery(BaseModel):
    """Which correlations of the last ``hours`` are told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site_id: QueryId | None = None
    min_severity: Severity | None = None
    hours: float = Field(24, gt=0, le=MAX_HOURS)
    limit: int | None = Field(None, ge=1, le=MAX_LIMIT)
    cursor: str | None = None
    fresh: bool = False


class InvestigateIn(BaseModel):
    """What was looked into, and what was found."""

    model_config = ConfigDict(extra="forbid")

    note: Prose


class RootCauseIn(BaseModel):
    """What was behind it."""

    model_config = ConfigDict(extra="forbid")

    description: Prose


class CloseIn(BaseModel):
    """A last word, if there is one."""

    model_config = ConfigDict(extra="forbid")

    note: Prose | None = None
