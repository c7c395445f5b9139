"""What a phone's signal must satisfy to be taken, kind by kind."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, NotRequired

from pydantic import (
    Discriminator,
    Field,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from noc.rest.body import Id, Line
from noc.rest.quantities import Latitude, Longitude, Metres, Number, UtcMoment

MAX_DETAIL_BYTES = 16 * 1024
"""Detail is a remark beside a signal; what is larger is a misplaced payload."""

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _detail(value: Any) -> str:
    """Open-ended detail as the JSON text that PostgreSQL's JSONB takes."""
    if not isinstance(value, dict):
        raise PydanticCustomError("detail", "must be a JSON object")
    try:
        written = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        raise PydanticCustomError("detail", "holds something that is not JSON") from None
    if len(written) > MAX_DETAIL_BYTES:
        raise PydanticCustomError("detail", "is larger than 16 KiB")
    if _NUL.search(written):
        raise PydanticCustomError("detail", "must not contain the character NUL")
    return written


Detail = Annotated[str, PlainValidator(_detail), WithJsonSchema({"type": "object"})]


class _Signal(TypedDict):
    """What every signal has. Fields that are not listed are ignored."""

    external_id: NotRequired[Line | None]
    person_id: Id
    occurred_at: UtcMoment


class PhoneEventSignal(_Signal):
    """Something the phone did: ``event_type`` says what, in the phone's own words."""

    kind: Literal["phone_event"]
    event_type: NotRequired[Line | None]
    detail: NotRequired[Detail | None]


class LocationSignal(_Signal):
    """A fix: degrees, and metres of accuracy where the phone knows it."""

    kind: Literal["location"]
    lat: Latitude
    lon: Longitude
    accuracy: NotRequired[Metres | None]


class TaskSignal(_Signal):
    """A task was reported done."""

    kind: Literal["task_completed"]
    task: NotRequired[Line | None]
    detail: NotRequired[Detail | None]


class ScanSignal(_Signal):
    """A checkpoint's tag was scanned."""

    kind: Literal["checkpoint_scan"]
    checkpoint_id: Id


class HeartbeatSignal(_Signal):
    """The phone is alive; says nothing about the guard."""

    kind: Literal["heartbeat"]
    battery_level: NotRequired[Annotated[Number, Field(ge=0, le=100)] | None]
    phone_signal_strength: NotRequired[Annotated[Number, Field(ge=-200, le=50)] | None]
    detail: NotRequired[Detail | None]


class SosSignal(_Signal):
    """The guard called for help; ``lat`` and ``lon`` come together or not at all."""

    kind: Literal["sos"]
    lat: NotRequired[Latitude | None]
    lon: NotRequired[Longitude | None]
    accuracy: NotRequired[Metres | None]
    detail: NotRequired[Detail | None]


Signal = Annotated[
    PhoneEventSignal | LocationSignal | TaskSignal | ScanSignal | HeartbeatSignal | SosSignal,
    Discriminator("kind"),
]

SIGNALS: TypeAdapter[list[Any]] = TypeAdapter(list[Signal])
"""Checks a batch at once; a field stands two below the index in the location of an error."""

KINDS = ("phone_event", "location", "task_completed", "checkpoint_scan", "heartbeat", "sos")
