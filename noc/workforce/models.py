"""Tables of sites, people, devices and the roster."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Double, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)


class Site(IntKeyed, Base):
    """A client's place that guards watch. ``timezone`` is an IANA name; lengths are metres.

    The geofence is ``geofence_polygon`` (a ring of [lon, lat]) where there is one, else the
    circle of ``geofence_radius`` around ``lat``, ``lon``.
    """

    __tablename__ = "site"

    code: Mapped[str]
    name: Mapped[str]
    timezone: Mapped[str]
    lat: Mapped[float] = mapped_column(Double)
    lon: Mapped[float] = mapped_column(Double)
    geofence_radius: Mapped[float] = mapped_column(Double, server_default=text("150"))
    geofence_polygon: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    security_manager_id: Mapped[int | None]
    site_manager_id: Mapped[int | None]
    noc_supervisor_id: Mapped[int | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("security_manager_id", "noc_user", ondelete="SET NULL"),
        belongs_to("site_manager_id", "noc_user", ondelete="SET NULL"),
        belongs_to("noc_supervisor_id", "noc_user", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("lat BETWEEN -90 AND 90", name="lat"),
        CheckConstraint("lon BETWEEN -180 AND 180", name="lon"),
        CheckConstraint("geofence_radius > 0", name="radius"),
    )


class Person(IntKeyed, Base):
    """A guard or a member of staff. ``home_site_id`` is where they usually work."""

    __tablename__ = "person"

    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=text("'guard'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    home_site_id: Mapped[int | None]
    created_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("home_site_id", "site", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint(one_of("kind", ("guard", "staff")), name="kind"),
        index("ix_person_home_site", "home_site_id"),
    )


class Device(IntKeyed, Base):
    """A phone, and who used it when last."""

    __tablename__ = "device"

    code: Mapped[str]
    model: Mapped[str | None]
    person_id: Mapped[int | None]
    last_person_id: Mapped[int | None]
    last_used_at: Mapped[dt.datetime | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person", ondelete="SET NULL"),
        belongs_to("last_person_id", "person", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "code"),
    )


class Shift(IntKeyed, Base):
    """A person is on duty at a site from ``starts_at`` to ``ends_at``.

    A swapped shift is worked by ``swapped_with_id`` instead of ``person_id``.
    """

    __tablename__ = "shift"

    code: Mapped[str | None]
    person_id: Mapped[int]
    site_id: Mapped[int]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    swapped_with_id: Mapped[int | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person", ondelete="CASCADE"),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        belongs_to("swapped_with_id", "person", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("ends_at > starts_at", name="span"),
        index("ix_shift_person", "person_id", "starts_at"),
        index("ix_shift_site", "site_id", "starts_at"),
        index(
            "ix_shift_swapped",
            "swapped_with_id",
            "starts_at",
            where="swapped_with_id IS NOT NULL",
        ),
        index("ix_shift_ends", "ends_at"),
    )


class Absence(IntKeyed, Base):
    """Leave; only ``approved`` leave excuses a guard."""

    __tablename__ = "absence"

    code: Mapped[str | None]
    person_id: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default=text("'leave'"))
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    approved: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("ends_at > starts_at", name="span"),
        index("ix_absence_person", "person_id", "starts_at"),
    )
