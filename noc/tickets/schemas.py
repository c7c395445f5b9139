"""What the REST interface of tickets takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from noc.rest.body import Id, Line, Metadata, Prose
from noc.rest.keyset import BIGGEST_ID
from noc.rest.quantities import UtcMoment

Status = Literal["NEW", "ASSIGNED", "IN_PROGRESS", "ON_HOLD", "RESOLVED", "CLOSED", "CANCELLED"]
Resolution = Literal["CONFIRMED", "FALSE_POSITIVE", "INCONCLUSIVE", "DUPLICATE", "FIXED"]
Priority = Literal["LOW", "MEDIUM", "HIGH"]
Kind = Literal["punch", "finding", "alert", "incident"]
Category = Literal[
    "SECURITY_FRAUD",
    "SECURITY_AUDIT",
    "SECURITY",
    "SAFETY",
    "COMPLIANCE",
    "OPERATIONAL",
    "DEVICE_HEALTH",
    "OTHER",
]
Source = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]

MAX_EVIDENCE = 500


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


QueryId = Annotated[int, Field(gt=0, le=BIGGEST_ID)]


class TicketFilters(BaseModel):
    """What a list of tickets keeps; several values of one filter are separated by commas.

    ``since`` and ``until`` bound ``created_at``, the first inclusive, the second not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[tuple[Status, ...], BeforeValidator(_split)] = ()
    open: bool | None = None
    category: Annotated[tuple[Category, ...], BeforeValidator(_split)] = ()
    priority: Annotated[tuple[Priority, ...], BeforeValidator(_split)] = ()
    source: Annotated[tuple[Source, ...], BeforeValidator(_split)] = ()
    resolution: Annotated[tuple[Resolution, ...], BeforeValidator(_split)] = ()
    person_id: QueryId | None = None
    site_id: Annotated[tuple[QueryId, ...], BeforeValidator(_split)] = ()
    assignee_id: QueryId | None = None
    number: Line | None = None
    since: UtcMoment | None = None
    until: UtcMoment | None = None


class TicketQuery(TicketFilters):
    """The query of the list: filters, and which page."""

    limit: int | None = Field(None, ge=1, le=500, description="Rows on a page; 50 by default.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class EvidenceIn(BaseModel):
    """What a ticket is about: the id of a punch, a finding, an alert or an incident."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    ref: Annotated[str, Field(pattern=r"^[0-9a-f-]{1,36}$", coerce_numbers_to_str=True)]


class TicketIn(BaseModel):
    """A ticket opened by hand."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    description: Prose | Literal[""] = ""
    priority: Priority = "MEDIUM"
    category: Category = "OPERATIONAL"
    site_id: Id | None = None
    person_id: Id | None = None
    assignee_id: Id | None = None
    due_at: UtcMoment | None = None
    metadata: Metadata = Field(default_factory=dict)
    evidence: Annotated[list[EvidenceIn], Field(max_length=MAX_EVIDENCE)] = Field(
        default_factory=list
    )


class TransitionIn(BaseModel):
    """Where the ticket goes, and what is said of it there."""

    model_config = ConfigDict(extra="forbid")

    status: Status = Field(validation_alias=AliasChoices("status", "new_status"))
    resolution: Resolution | None = None
    comment: Prose | None = None
    verdicts: dict[
        Annotated[int, Field(gt=0, le=BIGGEST_ID)], Literal["CONFIRMED", "FALSE_POSITIVE"]
    ] = Field(default_factory=dict, description="Punch id to verdict, where punches differ.")


class AssignIn(BaseModel):
    """To whom; left out, to whoever asks."""

    model_config = ConfigDict(extra="forbid")

    assignee_id: Id | None = None
    comment: Prose | None = None


class CommentIn(BaseModel):
    """Something to write down."""

    model_config = ConfigDict(extra="forbid")

    comment: Prose


class EvidencesIn(BaseModel):
    """What belongs to the ticket, too."""

    model_config = ConfigDict(extra="forbid")

    evidence: Annotated[list[EvidenceIn], Field(min_length=1, max_length=MAX_EVIDENCE)]
    note: Prose | None = None


class MergeIn(BaseModel):
    """Which ticket goes on."""

    model_config = ConfigDict(extra="forbid")

    into: Id
    comment: Prose | None = None
