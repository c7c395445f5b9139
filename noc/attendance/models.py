"""The table of punches."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Double, SmallInteger, UniqueConstraint, text
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

KINDS = ("in", "out", "presence")


class AttendanceEvent(IntKeyed, Base):
    """A punch, as the phone reported it.

    ``gps_accuracy`` is metres, ``biometric_quality_score`` 0..1, ``phone_signal_strength`` dBm,
    ``battery_level`` per cent; what a phone did not report is NULL. ``scored_at`` is when fraud
    scoring dealt with it, ``scoring_failures`` how often its values could not be worked with and
    ``score_again_at`` when that is tried again; a voided punch is never scored and never counted.
    """

    __tablename__ = "attendance_event"

    external_id: Mapped[str]
    person_id: Mapped[int]
    site_id: Mapped[int]
    kind: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = stored_now()
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    gps_accuracy: Mapped[float | None] = mapped_column(Double)
    biometric_quality_score: Mapped[float | None] = mapped_column(Double)
    mock_location: Mapped[bool | None]
    device_id: Mapped[int | None]
    phone_signal_strength: Mapped[float | None] = mapped_column(Double)
    battery_level: Mapped[float | None] = mapped_column(Double)
    source: Mapped[str] = mapped_column(server_default=text("'api'"))
    scored_at: Mapped[dt.datetime | None]
    scoring_failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    score_again_at: Mapped[dt.datetime | None]
    voided_at: Mapped[dt.datetime | None]
    voided_by: Mapped[int | None]
    void_reason: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        belongs_to("device_id", "device"),
        belongs_to("voided_by", "noc_user", ondelete="SET NULL"),
        UniqueConstraint("tenant_id", "external_id"),
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="place"),
        index("ix_attendance_event_person", "person_id", "occurred_at"),
        index(
            "ix_attendance_event_clock",
            "person_id",
            "occurred_at",
            where="kind <> 'presence' AND voided_at IS NULL",
        ),
        index("ix_attendance_event_voided", "occurred_at", where="voided_at IS NOT NULL"),
        index("ix_attendance_event_site", "site_id", "occurred_at"),
        index("ix_attendance_event_device", "device_id", "occurred_at"),
        index("ix_attendance_event_occurred", "occurred_at"),
        index(
            "ix_attendance_event_unscored",
            "id",
            where="scored_at IS NULL AND voided_at IS NULL",
        ),
    )
