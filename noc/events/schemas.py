"""Query strings of the feed and of REST of events."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from noc.events.log import EventType
from noc.rest.envelope import DEFAULT_LIMIT, MAX_LIMIT
from noc.rest.keyset import BIGGEST_ID

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

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


class StatsQuery(BaseModel):
    """How far back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: int = Field(24, ge=1, le=MAX_HOURS)
