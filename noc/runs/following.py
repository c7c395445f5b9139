"""The work on a run: begun, heard of, ended, put back, taken up where its process was lost.

What people ask for is in :mod:`noc.runs.asking`. Whoever does the work says so every few seconds;
a run that is not heard of for :data:`SILENT_SECONDS` has lost its process, and another may take it
up.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, update

from noc.events.log import emit
from noc.extensions import session
from noc.runs.models import OPEN_STATES, JobRun

SILENT_SECONDS = 120
"""A run says something every few seconds; after so long its process is taken to be gone."""

ATTEMPTS = 3
"""A run that was begun so often, and whose process ended each time, is not begun again."""

Ending = Literal["succeeded", "refused", "failed", "cancelled"]


class RunCancelled(Exception):
    """Somebody asked for the run to end; its work stops where it is."""


class RunInterrupted(Exception):
    """The process has to stop; the run waits for another."""


class RunLost(Exception):
    """The run is no longer this process's: it ended, or another process took it up."""


def begin(run_id: uuid.UUID, *, tenant_id: int, now: dt.datetime) -> JobRun | None:
    """Take up a run that waits, or one whose process fell silent; None where there is none.

    Of two workers with the same run one gets it: the row's lock decides. The caller commits.
    """
    silent = now - dt.timedelta(seconds=SILENT_SECONDS)
    run = session().scalar(
        update(JobRun)
        .where(
            JobRun.tenant_id == tenant_id,
            JobRun.id == run_id,
            or_(JobRun.state == "queued", (JobRun.state == "running") & (JobRun.beat_at < silent)),
            JobRun.attempts < ATTEMPTS,
        )
        .values(
            state="running",
            started_at=now,
            beat_at=now,
            progress=0,
            stage=None,
            attempts=JobRun.attempts + 1,
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is not None:
        tell(run)
    return run


def beat(
    run_id: uuid.UUID,
    progress: float,
    stage: str,
    *,
    tenant_id: int,
    started_at: dt.datetime,
    now: dt.datetime,
    announce: bool = True,
) -> None:
    """Say how far it is (0 to 1) and at what. The caller commits.

    Emits ``job_updated`` where it is to be announced: what is said each second to be known as
    alive need not take up a tenant's share of the feed.

    :class:`RunCancelled` where somebody asked for its end, :class:`RunLost` where the run that
    began at ``started_at`` is over or another's.
    """
    run = session().scalar(
        update(JobRun)
        .where(_ours(run_id, tenant_id, started_at))
        .values(
            progress=func.greatest(JobRun.progress, min(max(progress, 0.0), 1.0)),
            stage=stage,
            beat_at=now,
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is None:
        raise RunLost("the run is over, or another process has taken it up")
    if run.cancel_requested_at is not None:
        raise RunCancelled("cancelled by a person")
    if announce:
        tell(run)


def end(
    run_id: uuid.UUID,
    state: Ending,
    *,
    tenant_id: int,
    started_at: dt.datetime,
    now: dt.datetime,
    reason: str | None = None,
    result: dict[str, Any] | None = None,
) -> bool:
    """End the run that began at ``started_at``; False where it is no longer ours to end.

    :class:`RunCancelled` where somebody has asked for its end before it succeeded: what it brought
    about is not wanted. Emits ``job_updated``. The caller commits, with whatever the run brought
    about.
    """
    unwanted = JobRun.cancel_requested_at.is_not(None)
    wanted = ~unwanted if state == "succeeded" else true()
    run = session().scalar(
        update(JobRun)
        .where(_ours(run_id, tenant_id, started_at), wanted)
        .values(
            state=state,
            finished_at=now,
            reason=reason,
            result=result or {},
            progress=case(
                (JobRun.progress < 1, 1.0 if state == "succeeded" else JobRun.progress),
                else_=JobRun.progress,
            ),
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is None:
        if session().scalar(select(unwanted).where(_ours(run_id, tenant_id, started_at))):
            raise RunCancelled("cancelled by a person")
        return False
    tell(run)
    return True


def put_back(
    run_id: uuid.UUID, *, tenant_id: int, started_at: dt.datetime, now: dt.datetime
) -> bool:
    """Let another process take the run up at once; False where it is no longer ours.

    For a process that has to stop. The caller commits, and queues the work anew.
    """
    run = session().scalar(
        update(JobRun)
        .where(_ours(run_id, tenant_id, started_at))
        .values(
            state="queued",
            progress=0,
            stage=None,
            beat_at=now,
            attempts=func.greatest(JobRun.attempts - 1, 0),
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is not None:
        tell(run)
    return run is not None


def take_back(name: str, *, tenant_id: int, now: dt.datetime) -> uuid.UUID | None:
    """Let the open run of this name wait anew where nobody works on it; its id, None for none.

    Its queue lost it, or its process is gone. Once in two minutes at most. The caller commits, and
    queues the work.
    """
    run = session().scalar(
        update(JobRun)
        .where(_left_alone(name, tenant_id, now), JobRun.attempts < ATTEMPTS)
        .values(state="queued", beat_at=now, stage=None)
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is None:
        return None
    tell(run)
    return run.id


def give_up(name: str, *, tenant_id: int, now: dt.datetime) -> JobRun | None:
    """End the open run of this name as failed where it ended its process too often already.

    The caller commits.
    """
    run = session().scalar(
        update(JobRun)
        .where(_left_alone(name, tenant_id, now), JobRun.attempts >= ATTEMPTS)
        .values(
            state="failed",
            finished_at=now,
            reason=f"It was begun {ATTEMPTS} times, and each time its process ended without a "
            "word: it may have been killed for want of memory.",
        )
        .returning(JobRun)
        .execution_options(populate_existing=True)
    )
    if run is not None:
        tell(run)
    return run


def _left_alone(name: str, tenant_id: int, now: dt.datetime) -> ColumnElement[bool]:
    silent = now - dt.timedelta(seconds=SILENT_SECONDS)
    return and_(
        JobRun.tenant_id == tenant_id,
        JobRun.name == name,
        JobRun.state.in_(OPEN_STATES),
        func.coalesce(JobRun.beat_at, JobRun.requested_at) < silent,
    )


def _ours(run_id: uuid.UUID, tenant_id: int, started_at: dt.datetime) -> ColumnElement[bool]:
    """The run, as long as nobody else has taken it up: the moment it was begun tells."""
    return and_(
        JobRun.tenant_id == tenant_id,
        JobRun.id == run_id,
        JobRun.state == "running",
        JobRun.started_at == started_at,
    )


def tell(run: JobRun) -> None:
    """Tell the feed where a run stands (``job_updated``)."""
    emit(
        "job_updated",
        {
            "job_id": str(run.id),
            "name": run.name,
            "state": run.state,
            "progress": round(run.progress, 3),
            "stage": run.stage,
            "reason": run.reason,
        },
        tenant_id=run.tenant_id,
    )
