"""What the REST interface of alerts takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from noc.alerts.dedup import MAX_KEY
from noc.domain import Severity
from noc.rest.body import Id, Line, Metadata, Prose
from noc.rest.keyset import BIGGEST_ID
from noc.rest.quantities import UtcMoment

Status = Literal["NEW", "ACKNOWLEDGED", "ASSIGNED", "SHELVED", "RESOLVED"]
Resolution = Literal["CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE", "EXPIRED"]
AlertType = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]{0,99}$")]

DedupKey = Annotated[str, Field(min_length=1, max_length=MAX_KEY, pattern=r"^[^\x00]*$")]

MAX_BULK = 500


def split_commas(value: Any) -> Any:
    """``a,b`` of a query as a list."""
    return value.split(",") if isinstance(value, str) else value


QueryId = Annotated[int, Field(gt=0, le=BIGGEST_ID)]


class AlertFilters(BaseModel):
    """What a list of alerts keeps; several values of one filter are separated by commas.

    ``since`` and ``until`` bound ``occurred_at``, the first inclusive, the second not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[tuple[Status, ...], BeforeValidator(split_commas)] = ()
    open: bool | None = None
    muted: bool | None = None
    severity: Annotated[tuple[Severity, ...], BeforeValidator(split_commas)] = ()
    min_severity: Severity | None = None
    alert_type: Annotated[tuple[AlertType, ...], BeforeValidator(split_commas)] = ()
    site_id: Annotated[tuple[QueryId, ...], BeforeValidator(split_commas)] = ()
    person_id: QueryId | None = None
    assignee_id: QueryId | None = None
    entity_type: Line | None = None
    entity_id: Line | None = None
    dedup_key: DedupKey | None = None
    resolution: Annotated[tuple[Resolution, ...], BeforeValidator(split_commas)] = ()
    since: UtcMoment | None = None
    until: UtcMoment | None = None


class AlertQuery(AlertFilters):
    """The query of the list: filters, and which page."""

    limit: int | None = Field(None, ge=1, le=500, description="Rows on a page; 50 by default.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class AlertIn(BaseModel):
    """A report, as monitors send it. Fields that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    alert_type: AlertType
    severity: Severity
    message: Prose
    site_id: Id | None = None
    person_id: Id | None = None
    entity_type: Line | None = None
    entity_id: Line | None = None
    dedup_key: DedupKey | None = None
    occurred_at: UtcMoment | None = Field(None, description="When it began; now, if left out.")
    metadata: Metadata = Field(default_factory=dict)


REPORTS = TypeAdapter(list[AlertIn])


class NoteIn(BaseModel):
    """An action that needs no more than, perhaps, a word on it."""

    model_config = ConfigDict(extra="forbid")

    note: Prose | None = None


class AssignIn(NoteIn):
    """To whom; left out, to whoever asks."""

    assignee_id: Id | None = None


class ShelveIn(NoteIn):
    """Until when it is out of sight."""

    until: UtcMoment


class ResolveIn(NoteIn):
    """How it ended."""

    resolution: Resolution


class NewNoteIn(BaseModel):
    """Something to write down."""

    model_config = ConfigDict(extra="forbid")

    note: Prose


class UndoIn(NoteIn):
    """Which step is to be taken back."""

    change_id: Id = Field(description="The `id` of its entry in the alert's `history`.")


class BulkIn(BaseModel):
    """One action for many alerts, with the fields that the action takes."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["acknowledge", "assign", "shelve", "resolve", "reopen", "note", "undo"]
    ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_BULK)]
    change_ids: Annotated[list[Id], Field(max_length=MAX_BULK)] | None = Field(
        None, description="For `undo`: the `change_id` of each of the `ids`, in their order."
    )
    note: Prose | None = None
    assignee_id: Id | None = None
    until: UtcMoment | None = None
    resolution: Resolution | None = None
