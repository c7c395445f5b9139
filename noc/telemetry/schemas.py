"""What a phone's signal must satisfy to be taken, kind by kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Discriminator, Field, TypeAdapter
from typing_extensions import TypedDict

from noc.rest.body import Id, Identifier, Line, Metadata
from noc.rest.quantities import Latitude, Longitude, Metres, Number, UtcMoment


class _Signal(TypedDict):
    """What every signal has. Fields that are not listed are ignored."""

    external_id: NotRequired[Identifier | None]
    person_id: Id
    occurred_at: UtcMoment


class PhoneEventSignal(_Signal):
    """Something the phone did: ``event_type`` says what, in the phone's own words."""

    kind: Literal["phone_event"]
    event_type: NotRequired[Line | None]
    detail: NotRequired[Metadata | None]


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
    detail: NotRequired[Metadata | None]


class ScanSignal(_Signal):
    """A checkpoint's tag was scanned."""

    kind: Literal["checkpoint_scan"]
    checkpoint_id: Id


class HeartbeatSignal(_Signal):
    """The phone is alive; says nothing about the guard."""

    kind: Literal["heartbeat"]
    battery_level: NotRequired[Annotated[Number, Field(ge=0, le=100)] | None]
    phone_signal_strength: NotRequired[Annotated[Number, Field(ge=-200, le=50)] | None]
    detail: NotRequired[Metadata | None]


class SosSignal(_Signal):
    """The guard called for help; ``lat`` and ``lon`` come together or not at all."""

    kind: Literal["sos"]
    lat: NotRequired[Latitude | None]
    lon: NotRequired[Longitude | None]
    accuracy: NotRequired[Metres | None]
    detail: NotRequired[Metadata | None]


Signal = Annotated[
    PhoneEventSignal | LocationSignal | TaskSignal | ScanSignal | HeartbeatSignal | SosSignal,
    Discriminator("kind"),
]

SIGNALS: TypeAdapter[list[Any]] = TypeAdapter(list[Signal])
"""Checks a batch at once; a field stands two below the index in the location of an error."""

KINDS = ("phone_event", "location", "task_completed", "checkpoint_scan", "heartbeat", "sos")
