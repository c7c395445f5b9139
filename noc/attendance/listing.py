"""Lists of punches, newest first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, select

from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.envelope import MAX_LIMIT
from noc.rest.keyset import BIGGEST_ID, Key, Page, newest_first, page_of
from noc.rest.quantities import UtcMoment
from noc.workforce.models import Person, Site


class PunchFilter(BaseModel):
    """Which punches a list shows; ``since`` is included, ``until`` is not."""

    model_config = ConfigDict(extra="forbid")

    person_id: int | None = Field(default=None, gt=0, le=BIGGEST_ID)
    site_id: int | None = Field(default=None, gt=0, le=BIGGEST_ID)
    device_id: int | None = Field(default=None, gt=0, le=BIGGEST_ID)
    kind: Literal["in", "out", "presence"] | None = None
    external_id: str | None = Field(default=None, pattern=r"^[^\x00]{1,200}$")
    since: UtcMoment | None = None
    until: UtcMoment | None = None
    voided: bool | None = None
    scored: bool | None = None


class PunchQuery(PunchFilter):
    """The query of the list: filters, and which page."""

    limit: int | None = Field(
        default=None, ge=1, le=MAX_LIMIT, description="Rows on a page; 50 by default."
    )
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


_SHOWN = (
    "id",
    "external_id",
    "person_id",
    "site_id",
    "kind",
    "occurred_at",
    "received_at",
    "lat",
    "lon",
    "gps_accuracy",
    "biometric_quality_score",
    "mock_location",
    "device_id",
    "phone_signal_strength",
    "battery_level",
    "source",
    "scored_at",
    "scoring_failures",
    "voided_at",
    "voided_by",
    "void_reason",
)


def list_punches(
    wanted: PunchFilter,
    *,
    limit: int,
    after: Key | None = None,
    site_ids: Collection[int] | None = None,
) -> Page:
    """A page of the tenant's punches by ``occurred_at``, latest first. One query.

    ``site_ids`` are the only sites shown, None shows all.
    """
    query = _filtered(_punches(site_ids), wanted)
    query = newest_first(
        query, AttendanceEvent.occurred_at, AttendanceEvent.id, limit=limit, after=after
    )
    rows = [dict(row) for row in session().execute(query).mappings()]
    return page_of(rows, "occurred_at", limit=limit)


def find_punch(punch_id: int, *, site_ids: Collection[int] | None = None) -> dict[str, Any] | None:
    """One punch as the list shows it; None where the tenant, or the reader, has no such."""
    if not 0 < punch_id <= BIGGEST_ID:
        return None
    query = _punches(site_ids).where(AttendanceEvent.id == punch_id)
    row = session().execute(query).mappings().one_or_none()
    return dict(row) if row else None


def _punches(site_ids: Collection[int] | None) -> Select[Any]:
    query = (
        select(
            *(getattr(AttendanceEvent, name) for name in _SHOWN),
            Person.name.label("person_name"),
            Site.name.label("site_name"),
        )
        .join(
            Person,
            (Person.tenant_id == AttendanceEvent.tenant_id)
            & (Person.id == AttendanceEvent.person_id),
        )
        .join(
            Site,
            (Site.tenant_id == AttendanceEvent.tenant_id) & (Site.id == AttendanceEvent.site_id),
        )
        .where(AttendanceEvent.tenant_id == required_tenant())
    )
    if site_ids is not None:
        query = query.where(AttendanceEvent.site_id.in_(site_ids))
    return query


def _filtered(query: Select[Any], wanted: PunchFilter) -> Select[Any]:
    for name in ("person_id", "site_id", "device_id", "kind", "external_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(AttendanceEvent, name) == value)
    if wanted.since is not None:
        query = query.where(AttendanceEvent.occurred_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AttendanceEvent.occurred_at < wanted.until)
    for column, asked in (
        (AttendanceEvent.voided_at, wanted.voided),
        (AttendanceEvent.scored_at, wanted.scored),
    ):
        if asked is not None:
            query = query.where(column.is_not(None) if asked else column.is_(None))
    return query
