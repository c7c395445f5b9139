"""What the REST interface of what-if and backtests takes."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from noc.rest.body import Identifier
from noc.rest.envelope import MAX_LIMIT
from noc.rest.quantities import Number

Days = Annotated[int, Field(ge=1, le=180, description="How many days back.")]


class WhatIfQuery(BaseModel):
    """A threshold, or the tickets a day that there is time for."""

    model_config = ConfigDict(extra="forbid")

    threshold: float | None = Field(
        None, ge=0, le=1, description="The score from which a ticket opens; not with a budget."
    )
    budget: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="Tickets a day; the lowest threshold that keeps it is found.",
    )
    days: Days = 30
    fresh: bool = Field(False, description="Compute anew instead of taking a kept answer.")


class BacktestIn(BaseModel):
    """Whom to test, on which days. Without a version or an id: the rules."""

    model_config = ConfigDict(extra="forbid")

    version: Identifier | None = Field(None, description="Of the registry, or `rules`.")
    model_id: uuid.UUID | None = Field(None, description="Instead of the version.")
    threshold: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        None, description="The score from which it says fraud; its own by default."
    )
    days: Annotated[int, Field(strict=True, ge=1, le=180)] = 30


class BacktestQuery(BaseModel):
    """The list: of one version, and which page."""

    model_config = ConfigDict(extra="forbid")

    version: str | None = Field(None, max_length=200)
    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")
