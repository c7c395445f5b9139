"""What the REST interface of models takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from noc.rest.body import Prose
from noc.rest.envelope import MAX_LIMIT

Status = Literal["shadow", "active", "retired", "rejected"]


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class ModelQuery(BaseModel):
    """Which versions, and which page; several statuses are separated by commas."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[tuple[Status, ...], BeforeValidator(_split)] = ()
    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class TrainIn(BaseModel):
    """What to train on; left out, 180 days with a fifth of the labels in the last window."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    days: int = Field(180, ge=1, le=3650, strict=True, description="How many days of punches.")
    test_size: float = Field(
        0.2, ge=0.05, le=0.5, strict=True, description="Share of the labels in the last window."
    )


class ActivateIn(BaseModel):
    """Why, for those who come after; who it was, and that the gate was against it, is added."""

    model_config = ConfigDict(extra="forbid")

    note: Prose | None = None


class RollBackIn(BaseModel):
    """Why, for those who come after; a body is not needed."""

    model_config = ConfigDict(extra="forbid")

    note: Prose | None = None
