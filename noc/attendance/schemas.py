"""What a punch must satisfy to be taken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from noc.rest import text
from noc.rest.body import Id, Identifier, Prose
from noc.rest.keyset import BIGGEST_ID
from noc.rest.quantities import Latitude, Longitude, Metres, Number, UtcMoment


def _device(value: Any) -> int | str | None:
    if isinstance(value, str):
        if not 1 <= len(value) <= 200:
            raise PydanticCustomError("device", "must have 1 to 200 characters")
        return text.code(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= BIGGEST_ID:
            raise PydanticCustomError("device", "is not an id")
        return value
    if value is None:
        return None
    raise PydanticCustomError("device", "must be the id of a device, or its code as text")


DeviceRef = Annotated[
    int | str | None,
    PlainValidator(_device),
    WithJsonSchema({"type": ["integer", "string", "null"]}),
]
"""A number is the id of a known device; text is a device's own code."""


class Punch(BaseModel):
    """A punch, as a phone sends it.

    Fields that are not listed are ignored rather than refused, so that a newer phone can talk
    to an older server. Lengths are metres, ``phone_signal_strength`` dBm, ``battery_level`` per
    cent.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    external_id: Identifier | None = None
    person_id: Id
    site_id: Id
    kind: Literal["in", "out", "presence"]
    occurred_at: UtcMoment
    lat: Latitude | None = None
    lon: Annotated[Longitude | None, Field(validate_default=True)] = None
    gps_accuracy: Metres | None = None
    biometric_quality_score: Annotated[Number, Field(ge=0, le=1)] | None = None
    mock_location: Annotated[bool, Field(strict=True)] | None = None
    device_id: DeviceRef = None
    phone_signal_strength: Annotated[Number, Field(ge=-200, le=50)] | None = None
    battery_level: Annotated[Number, Field(ge=0, le=100)] | None = None

    @field_validator("lon")
    @classmethod
    def _lat_and_lon_come_together(cls, value: float | None, info: ValidationInfo) -> float | None:
        if "lat" in info.data and (info.data["lat"] is None) != (value is None):
            raise ValueError("lat and lon come together, and only one of them was given")
        return value


class TakeQuery(BaseModel):
    """The query of a request that brings punches."""

    model_config = ConfigDict(extra="forbid")

    score: Literal["now"] | None = Field(None, description="Score before answering.")


class VoidRequest(BaseModel):
    """Why a punch shall no longer count, and on whose word.

    ``by`` is a user of the tenant, for a token that acts for one; a signed-in user is always
    the one who voids.
    """

    model_config = ConfigDict(extra="forbid")

    reason: Prose
    by: Id | None = None


PUNCHES = TypeAdapter(list[Punch])
