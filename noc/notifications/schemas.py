"""What the REST interface of notifications takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from noc.domain import Severity
from noc.events.news import NewsKind
from noc.rest.body import Id, Line, Name
from noc.rest.by_id import ListQuery, QueryId
from noc.rest.envelope import MAX_LIMIT

Channel = Literal["email", "slack", "webhook"]
State = Literal["pending", "sent", "dead"]

Url = Annotated[str, Field(min_length=1, max_length=2000)]
Addresses = Annotated[list[Line], Field(max_length=50)]
SiteIds = Annotated[list[Id], Field(max_length=1000, description="Empty: every site, and none.")]
Kinds = Annotated[list[NewsKind], Field(max_length=20, description="Empty: every kind.")]


class RouteCreate(BaseModel):
    """A new route: `addresses` for email, `url` for slack and webhook.

    An email route of a user may leave them out: it leads to the address the user signs in with.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    user_id: Id | None = Field(
        None, description="A personal route: it takes only what is addressed to this user."
    )
    channel: Channel
    url: Url | None = None
    addresses: Addresses = []
    site_ids: SiteIds = []
    min_severity: Severity = "INFO"
    kinds: Kinds = []
    active: StrictBool = True


class RouteChange(BaseModel):
    """What is to be different; what is left out stays as it is. A channel stays what it is."""

    model_config = ConfigDict(extra="forbid")

    # What is unset is never looked at; null is refused, and no default is told.
    name: Name = Field(default_factory=str)
    url: Url = Field(default_factory=str)
    addresses: Addresses = []
    site_ids: SiteIds = []
    min_severity: Severity = "INFO"
    kinds: Kinds = []
    active: StrictBool = True


class RouteQuery(ListQuery):
    """Filters of the list of routes."""

    search: Line | None = Field(None, description="A part of the name or of an address.")
    channel: Channel | None = None
    user_id: QueryId | None = None
    active: bool | None = None


class DeliveryQuery(BaseModel):
    """The query of the list: filters, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Line | None = Field(None, description="A part of the name of the route or site.")
    state: State | None = None
    route_id: QueryId | None = None
    limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


class NothingIn(BaseModel):
    """No field."""

    model_config = ConfigDict(extra="forbid")
