"""The table of runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Double, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import Base, UuidKeyed, belongs_to, index, one_of, stored_now, tenant_key

STATES = ("queued", "running", "succeeded", "refused", "failed", "cancelled")
"""``refused``: it did all it could, and says why there is no result; ``failed``: it broke."""

OPEN_STATES = ("queued", "running")

TRIGGERS = ("schedule", "manual", "demo")


class JobRun(UuidKeyed, Base):
    """One piece of long work.

    ``beat_at`` is the last time it was heard of while running, ``attempts`` how often it was
    begun without having been put back.
    """

    __tablename__ = "job_run"

    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    progress: Mapped[float] = mapped_column(Double, server_default=text("0"))
    stage: Mapped[str | None]
    reason: Mapped[str | None]
    trigger: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    requested_by: Mapped[int | None]
    requested_at: Mapped[dt.datetime] = stored_now()
    started_at: Mapped[dt.datetime | None]
    beat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    cancel_requested_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        tenant_key(),
        belongs_to("requested_by", "noc_user", ondelete="SET NULL"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint(one_of("trigger", TRIGGERS), name="trigger"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        CheckConstraint(
            "(finished_at IS NOT NULL) = (state NOT IN ('queued', 'running'))", name="finished"
        ),
        index("uq_job_run_open", "name", where="state IN ('queued', 'running')", unique=True),
        index("ix_job_run_recent", "name", "requested_at"),
    )
