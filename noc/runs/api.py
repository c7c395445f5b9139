"""REST of runs: what is under way, how far it is, and its end; and of jobs that failed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import QUEUES, session
from noc.identity.capabilities import ADMIN, ML_TRAIN, PLATFORM
from noc.identity.guard import check_whole_tenant, require
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, encode_cursor, success
from noc.rest.keyset import uuid_cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found
from noc.runs import asking, backstage, queries, schemas

bp = APIBlueprint("runs", __name__, url_prefix=API_PREFIX)
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/jobs/")
@bp.doc(security=_SECURITY)
@require(ADMIN, ML_TRAIN)
@bp.input(schemas.RunQuery, location="query", arg_name="query")
def list_jobs(query: schemas.RunQuery) -> Any:
    """Long work of the tenant, latest first: state, progress, reason, result."""
    limit = query.limit or DEFAULT_LIMIT
    items, after = queries.list_runs(
        query, tenant_id=check_whole_tenant().tenant_id, limit=limit, after=uuid_cursor_key()
    )
    next_cursor = encode_cursor(after[0], str(after[1])) if after else None
    return success(items, pagination={"next_cursor": next_cursor, "limit": limit})


@bp.get("/jobs/<uuid:job_id>/")
@bp.doc(security=_SECURITY)
@require(ADMIN, ML_TRAIN)
def show_job(job_id: uuid.UUID) -> Any:
    """One piece of long work."""
    return success(_found(job_id))


@bp.post("/jobs/<uuid:job_id>/cancel/")
@bp.doc(
    description="One that waits ends at once, one under way within seconds; one that is over "
    "stays as it ended.",
    security=_SECURITY,
)
@require(ADMIN, ML_TRAIN)
@bp.input(schemas.NothingIn, arg_name="body")
def cancel_job(job_id: uuid.UUID, body: schemas.NothingIn) -> Any:
    """Ask for its end."""
    tenant_id = check_whole_tenant().tenant_id
    if asking.cancel(job_id, tenant_id=tenant_id, now=utcnow()) is None:
        raise not_found("job")
    session().commit()
    return success(_found(job_id))


@bp.get("/jobs/failed/")
@bp.doc(
    description=f"Work in the background that broke, the latest {backstage.LOOKED_AT} of each "
    "queue. Of its trouble the kind is told, the rest is in the log. A platform admin sees what "
    "belongs to no company as well (`ours` is false).",
    security=_SECURITY,
)
@require(ADMIN)
def list_failed_jobs() -> Any:
    """Jobs that failed, latest first."""
    principal = check_whole_tenant()
    with _queue():
        found = backstage.failed(tenant_id=principal.tenant_id, platform=principal.may(PLATFORM))
    pagination = {"next_cursor": None, "limit": backstage.LOOKED_AT * len(QUEUES)}
    return success([one._asdict() for one in found], pagination=pagination)


@bp.post("/jobs/failed/<job_id>/retry/")
@bp.doc(
    description="It is queued again, and its work is done once however often it is queued. 404 "
    "for one that did not fail, or was tried again by somebody else.",
    security=_SECURITY,
)
@require(ADMIN)
@bp.input(schemas.NothingIn, arg_name="body")
def retry_failed_job(job_id: str, body: schemas.NothingIn) -> Any:
    """Try a failed job again."""
    principal = check_whole_tenant()
    with _queue():
        backstage.retry(
            job_id,
            tenant_id=principal.tenant_id,
            platform=principal.may(PLATFORM),
            now=utcnow(),
        )
    session().commit()
    return success({"id": job_id, "state": "queued"})


@contextmanager
def _queue() -> Iterator[None]:
    """503 where Redis is away."""
    try:
        yield
    except redis.RedisError as error:
        detail = "The queue cannot be reached; try again."
        raise Problem(503, detail, headers={"Retry-After": "2"}) from error


def _found(job_id: uuid.UUID) -> dict[str, Any]:
    run = queries.find_run(job_id, tenant_id=check_whole_tenant().tenant_id)
    if run is None:
        raise not_found("job")
    return run
