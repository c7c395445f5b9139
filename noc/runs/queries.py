"""Reading runs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Row, Select, select, tuple_

from noc.extensions import session
from noc.identity.models import User
from noc.runs.models import JobRun
from noc.runs.schemas import RunQuery

_SHOWN = (
    JobRun.id,
    JobRun.name,
    JobRun.state,
    JobRun.progress,
    JobRun.stage,
    JobRun.reason,
    JobRun.trigger,
    JobRun.parameters,
    JobRun.result,
    JobRun.requested_by,
    User.name.label("requested_by_name"),
    JobRun.requested_at,
    JobRun.started_at,
    JobRun.finished_at,
    JobRun.cancel_requested_at,
)


def list_runs(
    asked: RunQuery, *, tenant_id: int, limit: int, after: tuple[dt.datetime, uuid.UUID] | None
) -> tuple[list[dict[str, Any]], tuple[dt.datetime, uuid.UUID] | None]:
    """Runs, latest first, and the key to go on from, None on the last page. One query."""
    query = _select(tenant_id)
    if asked.name is not None:
        query = query.where(JobRun.name == asked.name)
    if asked.state:
        query = query.where(JobRun.state.in_(asked.state))
    if after is not None:
        query = query.where(tuple_(JobRun.requested_at, JobRun.id) < tuple_(*after))
    rows = session().execute(
        query.order_by(JobRun.requested_at.desc(), JobRun.id.desc()).limit(limit + 1)
    )
    items = [_shown(row) for row in rows]
    more = len(items) > limit
    items = items[:limit]
    return items, ((items[-1]["requested_at"], items[-1]["job_id"]) if more else None)


def find_run(run_id: uuid.UUID, *, tenant_id: int) -> dict[str, Any] | None:
    """One run, or None."""
    row = session().execute(_select(tenant_id).where(JobRun.id == run_id)).one_or_none()
    return None if row is None else _shown(row)


def _select(tenant_id: int) -> Select[Any]:
    return (
        select(*_SHOWN)
        .outerjoin(User, (User.tenant_id == JobRun.tenant_id) & (User.id == JobRun.requested_by))
        .where(JobRun.tenant_id == tenant_id)
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    values: dict[str, Any] = row._asdict()
    return {"job_id": values.pop("id")} | values
