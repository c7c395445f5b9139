"""What people ask of long work: that it is done, and that it ends.

At most one run of a name is open in a tenant: a partial unique index decides, however many ask at
once. How it is worked on is in :mod:`noc.runs.following`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from noc.database.base import new_uuid
from noc.extensions import session
from noc.identity.trail import Target, record
from noc.runs.following import tell
from noc.runs.models import OPEN_STATES, JobRun

Trigger = Literal["schedule", "manual", "demo"]


def request(
    name: str,
    *,
    tenant_id: int,
    trigger: Trigger,
    parameters: dict[str, Any],
    requested_by: int | None,
    now: dt.datetime,
) -> tuple[JobRun, bool]:
    """A new run that waits for a worker, or the one that is open already; whether it is new.

    Emits ``job_updated``. The caller commits, and queues the work after that.
    """
    found = insert(JobRun).values(
        tenant_id=tenant_id,
        id=new_uuid(),
        name=name,
        trigger=trigger,
        parameters=parameters,
        requested_by=requested_by,
        requested_at=now,
    )
    created = session().scalar(
        found.on_conflict_do_nothing(
            index_elements=["tenant_id", "name"],
            index_where=JobRun.state.in_(OPEN_STATES),
        ).returning(JobRun)
    )
    if created is not None:
        if trigger == "manual":
            record("job.requested", Target("job", created.id, name), parameters, now=now)
        tell(created)
        return created, True
    open_run = session().scalar(
        select(JobRun).where(
            JobRun.tenant_id == tenant_id, JobRun.name == name, JobRun.state.in_(OPEN_STATES)
        )
    )
    if open_run is None:
        # It ended between the two statements: now the place is free.
        return request(
            name,
            tenant_id=tenant_id,
            trigger=trigger,
            parameters=parameters,
            requested_by=requested_by,
            now=now,
        )
    return open_run, False


def cancel(run_id: uuid.UUID, *, tenant_id: int, now: dt.datetime) -> JobRun | None:
    """End a run that waits at once, ask one under way to end; None for no such run.

    A run that is over stays as it ended. The caller commits.
    """
    waiting = JobRun.state == "queued"
    run = session().scalar(
        update(JobRun)
        .where(JobRun.tenant_id == tenant_id, JobRun.id == run_id, JobRun.state.in_(OPEN_STATES))
        .values(
            state=case((waiting, "cancelled"), else_=JobRun.state),
            finished_at=case((waiting, now), else_=None),
            reason=case((waiting, "Cancelled before it began."), else_=JobRun.reason),
            cancel_requested_at=func.coalesce(JobRun.cancel_requested_at, now),
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is not None:
        record("job.cancelled", Target("job", run.id, run.name), now=now)
        tell(run)
        return run
    return session().get(JobRun, (tenant_id, run_id))
