"""Tables of phone signals (partitioned by month) and of tours."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Double, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    TenantScoped,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)

PARTITIONED = ("phone_event", "location_update", "task_completion")
"""Tables partitioned by month of ``occurred_at``; see :mod:`noc.database.partitions`."""


class _Signal(TenantScoped):
    """Columns that every high-volume signal has.

    Unique by (tenant, external_id, occurred_at): the partition key must be part of it.
    """

    occurred_at: Mapped[dt.datetime] = mapped_column(primary_key=True, sort_order=-98)
    external_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-97)
    id: Mapped[int] = mapped_column(Identity())
    person_id: Mapped[int]
    received_at: Mapped[dt.datetime] = stored_now()


def _signal_table(table: str) -> tuple[Any, ...]:
    return (
        tenant_key(),
        belongs_to("person_id", "person"),
        index(f"ix_{table}_person", "person_id", "occurred_at"),
        Index(f"ix_{table}_time", "occurred_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )


class PhoneEvent(_Signal, Base):
    """Something the phone did: screen, network, app; also ``heartbeat`` and ``sos``."""

    __tablename__ = "phone_event"

    event_type: Mapped[str]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = _signal_table("phone_event")


class LocationUpdate(_Signal, Base):
    """A fix: degrees, and metres of accuracy where the phone reported it."""

    __tablename__ = "location_update"

    lat: Mapped[float] = mapped_column(Double)
    lon: Mapped[float] = mapped_column(Double)
    accuracy: Mapped[float | None] = mapped_column(Double)

    __table_args__ = (
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="place"),
        *_signal_table("location_update"),
    )


class TaskCompletion(_Signal, Base):
    """A task the person reported done."""

    __tablename__ = "task_completion"

    task: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = _signal_table("task_completion")


class Tour(IntKeyed, Base):
    """A round of a site's checkpoints, as planned."""

    __tablename__ = "tour"

    code: Mapped[str]
    name: Mapped[str]
    site_id: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "code"),
    )


class Checkpoint(IntKeyed, Base):
    """A tag on a site that guards scan; ``position`` is its place in the tour."""

    __tablename__ = "checkpoint"

    code: Mapped[str]
    name: Mapped[str]
    site_id: Mapped[int]
    tour_id: Mapped[int | None]
    position: Mapped[int] = mapped_column(server_default=text("0"))
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    active: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        belongs_to("tour_id", "tour", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "code"),
        index("ix_checkpoint_tour", "tour_id", "position"),
    )


class JobNeed(IntKeyed, Base):
    """A tour to be walked (``kind`` tour), or one checkpoint of it (``kind`` checkpoint).

    A scan is a checkpoint row whose ``endtime`` is set. A scan that no rostered tour asked for
    is a row without a parent. ``external_id`` is the scan's, and makes a retry safe.
    """

    __tablename__ = "jobneed"

    kind: Mapped[str]
    parent_id: Mapped[int | None]
    tour_id: Mapped[int | None]
    checkpoint_id: Mapped[int | None]
    person_id: Mapped[int]
    site_id: Mapped[int]
    starts_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    endtime: Mapped[dt.datetime | None]
    external_id: Mapped[str | None]
    received_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("parent_id", "jobneed", ondelete="CASCADE"),
        belongs_to("tour_id", "tour"),
        belongs_to("checkpoint_id", "checkpoint"),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        UniqueConstraint("tenant_id", "external_id"),
        CheckConstraint(one_of("kind", ("tour", "checkpoint")), name="kind"),
        CheckConstraint(
            "(kind = 'checkpoint') = (checkpoint_id IS NOT NULL)", name="checkpoint_named"
        ),
        index("ix_jobneed_person_parent_endtime", "person_id", "parent_id", "endtime"),
        index(
            "ix_jobneed_scanned",
            "person_id",
            "endtime",
            where="kind = 'checkpoint' AND endtime IS NOT NULL",
        ),
        index("ix_jobneed_due", "person_id", "expires_at"),
        index("ix_jobneed_parent", "parent_id"),
    )
