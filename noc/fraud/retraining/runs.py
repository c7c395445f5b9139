"""Training as a run that people follow: asked for, one at a time per tenant, with progress."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import redis
import structlog
from rq.timeouts import JobTimeoutException
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from noc.database.base import new_uuid, utcnow
from noc.database.tenancy import after_commit
from noc.extensions import queue, session
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import pipeline
from noc.fraud.retraining.signals import training_keeps_failing
from noc.monitoring import metrics
from noc.runs import asking, following
from noc.runs.asking import Trigger
from noc.runs.following import RunCancelled, RunInterrupted, RunLost
from noc.runs.models import JobRun

log = structlog.get_logger(__name__)

NAME = "fraud_training"
JOB = "jobs.training.run"

WEEK = dt.timedelta(days=7)
DEFAULT_DAYS, DEFAULT_TEST_SIZE = 180, 0.2

FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, DBAPIError)
"""What odd data can raise where nobody thought of it: the run fails with a reason, not silently."""

_TIMEOUT_SECONDS = 3600
_FAILURE_SECONDS = 7 * 86_400
_BEAT_SECONDS = 1.0
_CANCELLED = "Cancelled; the old model stays."
_TOLD_SECONDS = 5.0
"""The feed hears of the progress so often; it has room for alerts, too."""


def ask(
    *,
    tenant_id: int,
    trigger: Trigger,
    now: dt.datetime,
    requested_by: int | None = None,
    days: int = DEFAULT_DAYS,
    test_size: float = DEFAULT_TEST_SIZE,
    queued: bool = True,
) -> tuple[JobRun, bool]:
    """A run that a worker will take up, or the one that is open; whether it is new.

    The caller commits; after that the work is queued, unless it is not to be ``queued`` because
    the caller carries it out. Without Redis the run waits, and the sweep queues it.
    """
    run, created = asking.request(
        NAME,
        tenant_id=tenant_id,
        trigger=trigger,
        parameters={"days": days, "test_size": test_size},
        requested_by=requested_by,
        now=now,
    )
    if created and queued:
        run_id = run.id

        def put() -> None:
            enqueue(run_id, tenant_id=tenant_id)

        after_commit(session(), put)
    return run, created


def enqueue(run_id: uuid.UUID, *, tenant_id: int) -> bool:
    """Queue the work of a run; whether it is queued. Queued twice, it still begins once."""
    name = f"run-{run_id}"
    try:
        waiting = queue("ml_queue")
        if any(job_id.startswith(name) for job_id in waiting.job_ids):
            return True
        waiting.enqueue(
            JOB,
            tenant_id,
            str(run_id),
            # A run whose process died is queued again while its job's name is still taken.
            job_id=f"{name}-{new_uuid().hex[-8:]}",
            job_timeout=_TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
        )
    except redis.RedisError as error:
        metrics.FAILURES.labels("training_enqueue").inc()
        log.warning("training_not_queued", tenant_id=tenant_id, error=str(error))
        return False
    return True


def carry_out(
    run_id: uuid.UUID,
    *,
    tenant_id: int,
    now: dt.datetime,
    also: pipeline.Progress | None = None,
    clock: Callable[[], dt.datetime] = utcnow,
) -> str | None:
    """Do the work of a run in this process; its final state, None where it is not to be taken up.

    ``clock`` tells when it is heard of and ends; a replay has its own. ``also`` is told of the
    progress, too, and may raise :class:`RunInterrupted`: the run waits for
    another process then, and is queued for it.

    Commits as it goes. Whatever happens the run ends with a state and a reason in words, and the
    active model stays unless a better one passed. A killed process leaves the run open; after two
    minutes of silence another takes it up and begins anew, three times in all. Ctrl-C is a wish
    to cancel it.
    """
    run = following.begin(run_id, tenant_id=tenant_id, now=now)
    session().commit()
    if run is None:
        return None
    started_at = now
    parameters = dict(run.parameters)
    beat = _Beat(run_id, tenant_id, started_at, also, clock)
    state: following.Ending = "succeeded"
    result: dict[str, Any] = {}
    try:
        trained = pipeline.train(
            tenant_id=tenant_id,
            now=now,
            days=int(parameters.get("days", DEFAULT_DAYS)),
            test_size=float(parameters.get("test_size", DEFAULT_TEST_SIZE)),
            progress=beat,
        )
        reason = trained.sentence
        result = {
            "model_id": str(trained.model_id),
            "version": trained.version,
            "activated": trained.activated,
            "passed": trained.gate.may_score,
            "labels": trained.labels,
        }
    except pipeline.NotTrained as error:
        session().rollback()
        state, reason = "refused", str(error)
    except (RunCancelled, KeyboardInterrupt):
        session().rollback()
        state, reason = "cancelled", _CANCELLED
    except RunInterrupted:
        session().rollback()
        return _interrupted(run_id, tenant_id, started_at)
    except RunLost:
        session().rollback()
        return None
    except JobTimeoutException:
        session().rollback()
        state, reason = "failed", "It took longer than the hour that a training may take."
    except FAULTS as error:
        session().rollback()
        metrics.FAILURES.labels("fraud_training").inc()
        log.exception("training_failed", tenant_id=tenant_id, error_type=type(error).__name__)
        # A statement and what it was given are for the log; the first line says what is wrong.
        told = str(error).splitlines()[0] if str(error) else "no more is known"
        state, reason = "failed", f"{type(error).__name__}: {told}"[:500]
    try:
        return _end(run_id, state, reason, result, tenant_id, started_at, clock())
    except RunCancelled:
        # Wished for in the last moment: the version that was made goes with the transaction.
        session().rollback()
        return _end(run_id, "cancelled", _CANCELLED, {}, tenant_id, started_at, clock())


def _interrupted(run_id: uuid.UUID, tenant_id: int, started_at: dt.datetime) -> str | None:
    if not following.put_back(run_id, tenant_id=tenant_id, started_at=started_at, now=utcnow()):
        session().rollback()
        return None
    session().commit()
    enqueue(run_id, tenant_id=tenant_id)
    return "queued"


def _end(
    run_id: uuid.UUID,
    state: following.Ending,
    reason: str,
    result: dict[str, Any],
    tenant_id: int,
    started_at: dt.datetime,
    now: dt.datetime,
) -> str | None:
    ours = following.end(
        run_id,
        state,
        tenant_id=tenant_id,
        started_at=started_at,
        now=now,
        reason=reason,
        result=result,
    )
    if not ours:
        # Somebody else has the run: what this one made goes with it.
        session().rollback()
        return None
    _tell_of_failures(tenant_id, now)
    session().commit()
    log.info("training_ended", tenant_id=tenant_id, state=state, reason=reason)
    return state


class _Beat:
    """Progress that commits what it says, once a second at most, and announces some of it."""

    def __init__(
        self,
        run_id: uuid.UUID,
        tenant_id: int,
        started_at: dt.datetime,
        also: pipeline.Progress | None,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._run_id, self._tenant_id, self._started_at = run_id, tenant_id, started_at
        self._also, self._clock = also, clock
        self._last = self._told = -_TOLD_SECONDS
        self._stage = ""

    def __call__(self, stage: str, share: float) -> None:
        if self._also is not None:
            self._also(stage, share)
        if stage == self._stage and time.monotonic() - self._last < _BEAT_SECONDS:
            return
        self._last, self._stage = time.monotonic(), stage
        announce = self._last - self._told >= _TOLD_SECONDS
        if announce:
            self._told = self._last
        following.beat(
            self._run_id,
            share,
            stage,
            tenant_id=self._tenant_id,
            started_at=self._started_at,
            now=self._clock(),
            announce=announce,
        )
        session().commit()


def take_up(*, tenant_id: int, now: dt.datetime) -> bool:
    """Queue the run that nobody works on, or end it where that was done too often; whether queued.

    Its queue was lost, or its process died. Commits.
    """
    if following.give_up(NAME, tenant_id=tenant_id, now=now) is not None:
        _tell_of_failures(tenant_id, now)
    run_id = following.take_back(NAME, tenant_id=tenant_id, now=now)
    session().commit()
    return run_id is not None and enqueue(run_id, tenant_id=tenant_id)


def due(*, tenant_id: int, now: dt.datetime) -> bool:
    """Whether the last training that came to its end is a week old, or there was none."""
    model = select(func.max(FraudModel.created_at)).where(FraudModel.tenant_id == tenant_id)
    # One that found nothing new to learn made no version, and need not be repeated tomorrow.
    run = select(func.max(JobRun.requested_at)).where(
        JobRun.tenant_id == tenant_id, JobRun.name == NAME, JobRun.state == "succeeded"
    )
    latest = [moment for query in (model, run) if (moment := session().scalar(query)) is not None]
    # The job runs daily: a model of last week's run is a few seconds short of seven days.
    return not latest or now - max(latest) >= WEEK - dt.timedelta(hours=12)


def _tell_of_failures(tenant_id: int, now: dt.datetime) -> None:
    """Announce the second run in a row that brought no model that may score."""
    rows = (
        session()
        .execute(
            select(JobRun.state, JobRun.result, JobRun.reason)
            .where(
                JobRun.tenant_id == tenant_id,
                JobRun.name == NAME,
                JobRun.state.in_(("succeeded", "refused", "failed")),
            )
            .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
            .limit(3)
        )
        .all()
    )
    bad = [row.state != "succeeded" or not row.result.get("passed") for row in rows]
    if bad[:2] == [True, True] and (len(bad) < 3 or not bad[2]):
        training_keeps_failing.send(
            "fraud", tenant_id=tenant_id, reasons=[row.reason or "" for row in rows[:2]], now=now
        )
