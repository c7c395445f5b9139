"""REST of suppression windows."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from noc.alerts.suppression import queries, schemas, windows
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE, VIEW
from noc.identity.guard import require
from noc.identity.principal import required_principal
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import not_found

bp = APIBlueprint("suppressions", __name__, url_prefix=f"{API_PREFIX}/alerts/suppressions")
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.SuppressionQuery, location="query", arg_name="query")
def list_suppressions(query: schemas.SuppressionQuery) -> Any:
    """Windows in which alerts are muted, the latest made first."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_windows(
        query,
        now=utcnow(),
        site_ids=required_principal().site_ids,
        limit=limit,
        after=cursor_key(),
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.post("/")
@bp.doc(
    description="Once, from `starts_at` to `ends_at`, or again and again with a `recurrence` by "
    "the clocks of the site. CRITICAL alerts and calls for help are muted only where "
    "`include_critical` and `include_sos` say so.",
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.SuppressionIn, arg_name="body")
def create_suppression(body: schemas.SuppressionIn) -> Any:
    """Mute what is known to happen; answers with the next times."""
    principal = required_principal()
    key = windows.create(body, user_id=principal.user_id, now=utcnow(), site_ids=principal.site_ids)
    session().commit()
    return success(_shown(key)), 201


@bp.get("/<int:suppression_id>/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.OccurrencesQuery, location="query", arg_name="query")
def show_suppression(suppression_id: int, query: schemas.OccurrencesQuery) -> Any:
    """One window with its next times, in UTC and local."""
    return success(_shown(suppression_id, query.occurrences))


@bp.post("/<int:suppression_id>/cancel/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
@bp.input(schemas.CancelIn, arg_name="body")
def cancel_suppression(suppression_id: int, body: schemas.CancelIn) -> Any:
    """End it; what it muted is heard of within a minute."""
    principal = required_principal()
    windows.cancel(
        suppression_id, user_id=principal.user_id, now=utcnow(), site_ids=principal.site_ids
    )
    session().commit()
    return success(_shown(suppression_id))


def _shown(suppression_id: int, occurrences: int = schemas.OCCURRENCES) -> dict[str, Any]:
    window = queries.find_window(
        suppression_id,
        now=utcnow(),
        occurrences=occurrences,
        site_ids=required_principal().site_ids,
    )
    if window is None:
        raise not_found("suppression window")
    return window
