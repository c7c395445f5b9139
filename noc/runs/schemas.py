"""What the REST interface of runs takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from noc.rest.envelope import MAX_LIMIT

State = Literal["queued", "running", "succeeded", "refused", "failed", "cancelled"]


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class RunQuery(BaseModel):
    """Which runs, and which page; several states are separated by commas."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, max_length=64, description="For example `fraud_training`.")
    state: Annotated[tuple[State, ...], BeforeValidator(_split)] = ()
    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class NothingIn(BaseModel):
    """A body is not needed; an empty object may come."""

    model_config = ConfigDict(extra="forbid")
