"""Times, places and measures as phones report them, and whether a time can be believed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from noc.settings import Settings

OLDEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""No phone has reported anything before; a file that says so has a broken clock."""

LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
"""Nobody plans beyond."""


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("moment", "is not a time of ISO 8601") from None
    if not isinstance(value, dt.datetime):
        # A bare number could be seconds or milliseconds; neither is guessed.
        raise PydanticCustomError("moment", "must be a time of ISO 8601 as text")
    if value.tzinfo is None:
        raise PydanticCustomError(
            "moment", "needs a zone, as in 2026-11-16T09:00:00Z or 2026-11-16T14:30:00+05:30"
        )
    if not OLDEST.year < value.year < LATEST.year:
        # Room to add a window or a time to live to it, in any zone.
        raise PydanticCustomError("moment", f"must lie between {OLDEST:%Y} and {LATEST:%Y}")
    return value.astimezone(dt.UTC)


UtcMoment = Annotated[
    dt.datetime,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment with a zone, as text of ISO 8601, of the years 1971 to 2199; it becomes UTC."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number; neither text nor true or false passes for one."""

Latitude = Annotated[Number, Field(ge=-90, le=90)]
"""Degrees north."""

Longitude = Annotated[Number, Field(ge=-180, le=180)]
"""Degrees east."""

Metres = Annotated[Number, Field(ge=0, le=1_000_000)]
"""A length; no phone means an accuracy beyond 1,000 km, and scoring could not add it up."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Which times of a phone's clock are believed."""

    earliest: dt.datetime
    latest: dt.datetime

    def refusal(self, moment: dt.datetime) -> str | None:
        """Why ``moment`` is refused, None where it is not."""
        if moment > self.latest:
            return f"lies in the future: later than {self.latest:%Y-%m-%dT%H:%M:%SZ} is not taken"
        if moment < self.earliest:
            return f"is too old: earlier than {self.earliest:%Y-%m-%dT%H:%M:%SZ} is not taken"
        return None


def clock(settings: Settings, now: dt.datetime, *, limits: bool) -> Clock:
    """The clock at ``now``; without ``limits`` any age since 1970 is taken, never the future."""
    return Clock(
        earliest=now - dt.timedelta(days=settings.clock_oldest_days) if limits else OLDEST,
        latest=now + dt.timedelta(minutes=settings.clock_skew_minutes),
    )
