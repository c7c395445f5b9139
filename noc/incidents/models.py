"""Tables of incidents."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Double, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    TenantScoped,
    UuidKeyed,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)
from noc.domain import SEVERITIES

STATUSES = ("OPEN", "INVESTIGATING", "CLOSED")


class Incident(UuidKeyed, Base):
    """A low or odd signal and the alerts that belong to it (``CorrelatedIncident``).

    ``slot`` names person or site and window; at most one incident that is not closed exists
    for a slot. ``score_parts`` are the addends of ``correlation_score``, both in [0, 1].
    """

    __tablename__ = "noc_correlated_incident"

    slot: Mapped[str]
    person_id: Mapped[int | None]
    site_id: Mapped[int | None]
    signals: Mapped[dict[str, Any]]
    combined_severity: Mapped[str]
    correlation_score: Mapped[float] = mapped_column(Double)
    score_parts: Mapped[dict[str, Any]]
    correlation_type: Mapped[str]
    correlation_window_minutes: Mapped[int]
    window_start: Mapped[dt.datetime]
    window_end: Mapped[dt.datetime]
    status: Mapped[str] = mapped_column(server_default=text("'OPEN'"))
    detected_at: Mapped[dt.datetime] = stored_now()
    updated_at: Mapped[dt.datetime] = stored_now()
    investigated_at: Mapped[dt.datetime | None]
    investigated_by: Mapped[int | None]
    investigation_notes: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb")
    )
    root_cause_identified: Mapped[bool] = mapped_column(server_default=text("false"))
    root_cause_description: Mapped[str | None]
    closed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person"),
        belongs_to("site_id", "site"),
        belongs_to("investigated_by", "noc_user", ondelete="SET NULL"),
        CheckConstraint("correlation_score BETWEEN 0 AND 1", name="score"),
        CheckConstraint(one_of("combined_severity", SEVERITIES), name="severity"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint("num_nonnulls(person_id, site_id) >= 1", name="entity"),
        Index(
            "uq_noc_correlated_incident_open",
            "tenant_id",
            "slot",
            unique=True,
            postgresql_where=text("status <> 'CLOSED'"),
        ),
        index("ix_noc_correlated_incident_recent", "detected_at", "id"),
        index("ix_noc_correlated_incident_person", "person_id", "window_end"),
        index("ix_noc_correlated_incident_site", "site_id", "window_end"),
    )


class IncidentAlert(TenantScoped, Base):
    """An alert that belongs to an incident, with the parts of its score."""

    __tablename__ = "noc_incident_alert"

    incident_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    score_parts: Mapped[dict[str, Any]]
    added_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("incident_id", "noc_correlated_incident", ondelete="CASCADE"),
        belongs_to("alert_id", "noc_alert_event", ondelete="CASCADE"),
        index("ix_noc_incident_alert_alert", "alert_id"),
    )
