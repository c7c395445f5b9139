"""REST of what other systems send."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import INGEST
from noc.identity.guard import require
from noc.integrations import alertmanager, schemas
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX

bp = APIBlueprint("integrations", __name__, url_prefix=f"{API_PREFIX}/integrations")

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.post("/alertmanager/")
@bp.doc(
    summary="Prometheus Alertmanager's webhook",
    description="A group of alerts, payload version 4. Answers item by item: `stored` opened an "
    "alert, `duplicate` added to the open one of the same fingerprint, `resolved` ended it, "
    "`unknown` was not open, `rejected` says why. 200 whatever single alerts are like, since "
    "Alertmanager would drop the whole group for a 4xx; 503 where it is to send it again.",
    responses={200: "Taken, see each item", 400: "Not JSON"},
    security=_SECURITY,
)
@require(INGEST)
@bp.input(schemas.AlertmanagerIn, arg_name="body")
def receive_alertmanager(body: schemas.AlertmanagerIn) -> Any:
    """Take a group of Alertmanager's alerts; 2xx only once it is committed."""
    result = alertmanager.take_group(body, now=utcnow())
    session().commit()
    return success(result)
