"""What the REST interface of reviewing takes."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from noc.fraud.review.labelling import Said, Seen, Verdict
from noc.fraud.review.queue import MAX_DAYS
from noc.rest.body import Prose
from noc.rest.by_id import QueryId

MAX_VERDICTS = 200
"""Verdicts in one request."""

Held = Literal["CONFIRMED", "FALSE_POSITIVE"]
"""A verdict that a punch can have."""


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QueueQuery(_Query):
    """How many punches of how many days, and perhaps of one site."""

    limit: int = Field(50, ge=1, le=MAX_VERDICTS, description="Punches of the page.")
    days: int = Field(14, ge=1, le=MAX_DAYS, description="How many days back.")
    site_id: QueryId | None = None


class PrevalenceQuery(_Query):
    """The period, and perhaps one site."""

    days: int = Field(90, ge=1, le=366, description="How many days back.")
    site_id: QueryId | None = None
    fresh: bool = Field(False, description="Compute anew instead of taking a kept answer.")


class TakeBackQuery(_Query):
    """``expected``: the verdict that is to be taken back; another one stays."""

    expected: Held | None = None


class LabelIn(BaseModel):
    """A verdict. ``expected``: the one that was seen, null for none; if it changed since, 409."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Verdict
    note: Prose | None = None
    expected: Held | None = None

    def said(self, prediction_id: uuid.UUID) -> Said:
        """The verdict on this prediction. Left out, ``expected`` means: whatever holds now."""
        named = "expected" in self.model_fields_set
        seen = Seen(self.expected) if named else None
        return Said(prediction_id, self.verdict, self.note, seen)


class ItemIn(LabelIn):
    """A verdict on one of many."""

    prediction_id: uuid.UUID


ITEMS: TypeAdapter[list[ItemIn]] = TypeAdapter(list[ItemIn])
"""Checks a batch of verdicts."""
