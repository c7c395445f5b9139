"""REST of the audit trail."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from noc.identity import trail
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check_whole_tenant, require
from noc.rest.body import Line
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.quantities import UtcMoment

bp = APIBlueprint("audit_trail", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


class TrailQuery(BaseModel):
    """Filters, and which page. `since` is included, `until` not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actor: Line | None = Field(None, description="A part of the name.")
    action: str | None = Field(
        None,
        pattern=r"^[a-z_]{1,60}([.][a-z_]{1,60})?$",
        description="`user.created`, or `user` for all of them.",
    )
    target: Line | None = Field(None, description="A part of the name, or the whole id.")
    since: UtcMoment | None = None
    until: UtcMoment | None = None
    limit: int | None = Field(None, ge=1, le=500, description="Rows on a page; 50 by default.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")


@bp.get("/audit-trail/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(TrailQuery, location="query", arg_name="query")
def list_trail(query: TrailQuery) -> Any:
    """Who changed what in how the company is run, latest first; kept for ever."""
    tenant_id = check_whole_tenant().tenant_id
    limit = query.limit or DEFAULT_LIMIT
    filters = query.model_dump(exclude={"limit", "cursor"})
    page = trail.read(tenant_id=tenant_id, limit=limit, after=cursor_key(), **filters)
    return success(page.items, pagination=page.pagination(limit))
