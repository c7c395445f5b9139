"""Query strings of the feed and of REST of events."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from noc.events.log import EventType
from noc.rest.envelope import DEFAULT_LIMIT, MAX_LIMIT
from noc.rest.keyset import BIGGEST_ID
from noc.rest.quantities import UtcMoment

MAX_HOURS = 24 * 90


def _split_commas(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


class FeedQuery(BaseModel):
    """Which events; several sites or types are separated by commas, none given means all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[
        Annotated[int, Field(ge=0, le=BIGGEST_ID)] | None, BeforeValidator(_none_if_empty)
    ] = Field(None, description="Only events with a greater `seq`.")
    site_id: Annotated[
        tuple[Annotated[int, Field(gt=0, le=BIGGEST_ID)], ...], BeforeValidator(_split_commas)
    ] = Field((), description="Only events of these sites.")
    types: Annotated[tuple[EventType, ...], BeforeValidator(_split_commas)] = Field(
        (), description="Only events of these types."
    )


class EventQuery(FeedQuery):
    """A page of the log."""

    since: UtcMoment | None = Field(None, description="Only events logged at this time or later.")
    until: UtcMoment | None = Field(None, description="Only events logged before this time.")
    last: int | None = Field(
        None,
        ge=1,
        le=MAX_LIMIT,
        description="The newest so many in place of a page after a `seq`.",
    )
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(
        cls, value: dt.datetime | None, info: ValidationInfo
    ) -> dt.datetime | None:
        since = info.data.get("since")
        if value is not None and since is not None and value <= since:
            raise PydanticCustomError("period", "must be later than since")
        return value

    @field_validator("last")
    @classmethod
    def _goes_without_after(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("after") is not None:
            raise PydanticCustomError("either", "give either last or after, not both")
        return value


class StatsQuery(BaseModel):
    """How far back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: int = Field(24, ge=1, le=MAX_HOURS)
