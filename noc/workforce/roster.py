"""Who is on duty, where and when: shifts as they are worked, less approved leave.

A swapped shift is on duty for the person it was swapped with. Approved leave is taken out of a
shift: what is left of it may be nothing, an end, or two pieces. Leave not yet approved excuses
nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text

from noc.extensions import session


@dataclass(frozen=True, slots=True)
class Duty:
    """A piece of a shift that ``person_id`` works, from ``starts_at`` up to ``ends_at``.

    ``shift_starts_at`` and ``shift_ends_at`` are the whole shift's.
    """

    shift_id: int
    person_id: int
    site_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    shift_starts_at: dt.datetime
    shift_ends_at: dt.datetime


# Two halves, so that each has its index: by person, and by whom it was swapped with.
_OF_PEOPLE = """
    SELECT s.tenant_id, s.id, s.site_id, s.starts_at, s.ends_at, s.person_id
    FROM shift s
    WHERE s.tenant_id = :tenant_id AND s.starts_at <= :until AND s.ends_at > :since
      AND s.person_id = ANY(:people) AND s.swapped_with_id IS NULL
    UNION ALL
    SELECT s.tenant_id, s.id, s.site_id, s.starts_at, s.ends_at, s.swapped_with_id
    FROM shift s
    WHERE s.tenant_id = :tenant_id AND s.starts_at <= :until AND s.ends_at > :since
      AND s.swapped_with_id = ANY(:people)
"""

_AT_SITES = """
    SELECT s.tenant_id, s.id, s.site_id, s.starts_at, s.ends_at,
           coalesce(s.swapped_with_id, s.person_id) AS person_id
    FROM shift s
    WHERE s.tenant_id = :tenant_id AND s.starts_at <= :until AND s.ends_at > :since
      AND (CAST(:sites AS bigint[]) IS NULL OR s.site_id = ANY(:sites))
"""

_PIECES = """
    WITH shifts AS ({shifts}), pieces AS (
        SELECT shifts.*, unnest(
            tstzmultirange(tstzrange(shifts.starts_at, shifts.ends_at))
            - coalesce(
                (
                    SELECT range_agg(tstzrange(a.starts_at, a.ends_at)) FROM absence a
                    WHERE a.tenant_id = shifts.tenant_id AND a.person_id = shifts.person_id
                      AND a.approved
                      AND a.starts_at < shifts.ends_at AND a.ends_at > shifts.starts_at
                ),
                tstzmultirange()
            )
        ) AS piece
        FROM shifts
    )
    SELECT id AS shift_id, person_id, site_id, lower(piece) AS starts_at, upper(piece) AS ends_at,
           starts_at AS shift_starts_at, ends_at AS shift_ends_at
    FROM pieces
    WHERE piece && tstzrange(:since, :until, '[]')
    ORDER BY person_id, lower(piece), id
"""

_OF_PEOPLE_PIECES = text(_PIECES.format(shifts=_OF_PEOPLE))
_AT_SITES_PIECES = text(_PIECES.format(shifts=_AT_SITES))


def shifts_around(
    person_ids: Collection[int], start: dt.datetime, end: dt.datetime, *, tenant_id: int
) -> list[Duty]:
    """What these people work of the time from ``start`` to ``end``, both included.

    By person, then by time. One query, whatever the number of people.
    """
    if not person_ids:
        return []
    return _duties(
        _OF_PEOPLE_PIECES,
        {"people": list(set(person_ids)), "since": start, "until": end, "tenant_id": tenant_id},
    )


def shifts_between(
    start: dt.datetime,
    end: dt.datetime,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
) -> list[Duty]:
    """What anybody works of the time from ``start`` to ``end`` on all sites, or on ``site_ids``.

    By person, then by time. One query.
    """
    sites = None if site_ids is None else list(site_ids)
    return _duties(
        _AT_SITES_PIECES, {"sites": sites, "since": start, "until": end, "tenant_id": tenant_id}
    )


def on_duty(
    at: dt.datetime, *, tenant_id: int, site_ids: Collection[int] | None = None
) -> list[Duty]:
    """Who should be at work at the moment ``at``: on all sites, or on ``site_ids``. One query."""
    return shifts_between(at, at, tenant_id=tenant_id, site_ids=site_ids)


def _duties(statement: TextClause, parameters: dict[str, Any]) -> list[Duty]:
    return [Duty(**row) for row in session().execute(statement, parameters).mappings()]
