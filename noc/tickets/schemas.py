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
Standing = Literal["none", "on_time", "at_risk", "overdue", "paused", "met", "missed"]
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
    sla: Annotated[tuple[Standing, ...], BeforeValidator(_split)] = ()
    due_before: UtcMoment | None = None
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


class ChangeIn(BaseModel):
    """A change of a ticket, as the one who makes it has read it."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(gt=0, le=BIGGEST_ID)] | None = Field(
        None, description="The version that was read; 409 if there is a newer one."
    )


class TransitionIn(ChangeIn):
    """Where the ticket goes, and what is said of it there."""

    status: Status = Field(validation_alias=AliasChoices("status", "new_status"))
    resolution: Resolution | None = None
    comment: Prose | None = None
    verdicts: dict[
        Annotated[int, Field(gt=0, le=BIGGEST_ID)], Literal["CONFIRMED", "FALSE_POSITIVE"]
    ] = Field(default_factory=dict, description="Punch id to verdict, where punches differ.")


class AssignIn(ChangeIn):
    """To whom; left out, to whoever asks."""

    assignee_id: Id | None = None
    comment: Prose | None = None


class PriorityIn(ChangeIn):
    """How urgent it is, and by when it is to be done."""

    priority: Priority
    due_at: UtcMoment | None = Field(
        None, description="Left out, by the hours of its priority (TICKET_DUE_HOURS_*)."
    )
    comment: Prose | None = None


class CommentIn(ChangeIn):
    """Something to write down. ``said_by``: the guard's side, whoever writes it."""

    comment: Prose
    said_by: Literal["guard"] | None = None


class EvidencesIn(ChangeIn):
    """What belongs to the ticket, too."""

    evidence: Annotated[list[EvidenceIn], Field(min_length=1, max_length=MAX_EVIDENCE)]
    note: Prose | None = None


class UnlinkQuery(BaseModel):
    """As whom the ticket has been read, and why it does not belong there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(gt=0, le=BIGGEST_ID)] | None = Field(
        None, description="The version that was read; 409 if there is a newer one."
    )
    comment: Prose | None = None


class UndoIn(BaseModel):
    """Which change is to be taken back: the one that made this version."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(gt=0, le=BIGGEST_ID)] = Field(
        description="The version that the change made; 409 if there is a newer one."
    )
    comment: Prose | None = None


class MergeIn(ChangeIn):
    """Which ticket goes on."""

    into: Id
    comment: Prose | None = None
