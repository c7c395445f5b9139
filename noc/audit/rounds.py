"""Rounds whose time is over: walked, late, in part, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from noc.audit.drafts import Draft
from noc.audit.models import Finding
from noc.extensions import session
from noc.workforce.roster import shifts_around

GRACE = dt.timedelta(minutes=15)
"""A round is judged so long after its time: phones out of reach send a little later."""

LOOK_BACK = dt.timedelta(hours=3)
"""Rounds that ended up to so long before are judged; a cycle that did not run loses none."""

_ROUNDS = text(
    """
    SELECT t.id, t.person_id, t.site_id, t.starts_at, t.expires_at,
           coalesce(tour.name, 'Round') AS tour_name, p.name AS person_name, s.name AS site_name,
           count(c.id) AS due,
           count(c.id) FILTER (WHERE c.endtime <= :at) AS scanned,
           count(c.id) FILTER (WHERE c.endtime <= :at AND c.endtime > t.expires_at) AS late,
           max(c.endtime) FILTER (WHERE c.endtime <= :at) AS last_scan_at
    FROM jobneed t
    JOIN jobneed c ON c.tenant_id = t.tenant_id AND c.parent_id = t.id
    JOIN person p ON p.tenant_id = t.tenant_id AND p.id = t.person_id
    JOIN site s ON s.tenant_id = t.tenant_id AND s.id = t.site_id
    LEFT JOIN tour ON tour.tenant_id = t.tenant_id AND tour.id = t.tour_id
    WHERE t.tenant_id = :tenant AND t.kind = 'tour'
      AND t.expires_at > :since AND t.expires_at <= :until
      AND (CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites))
    GROUP BY t.tenant_id, t.id, tour.name, p.name, s.name
    ORDER BY t.person_id, t.starts_at, t.id
    """
)
_WALKERS = text(
    """
    SELECT DISTINCT person_id FROM jobneed
    WHERE tenant_id = :tenant AND kind = 'tour' AND person_id = ANY(:people)
      AND starts_at < :at AND expires_at > :since AND expires_at <= :at
    """
)


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it was planned, and how many of its checkpoints were scanned."""

    id: int
    person_id: int
    site_id: int
    starts_at: dt.datetime
    expires_at: dt.datetime
    tour_name: str
    person_name: str
    site_name: str
    due: int
    scanned: int
    late: int
    last_scan_at: dt.datetime | None

    @property
    def on_time(self) -> bool:
        """Whether every checkpoint was scanned in its time."""
        return self.scanned == self.due and not self.late


def judge_rounds(
    at: dt.datetime, *, tenant_id: int, site_ids: Collection[int] | None = None
) -> list[Draft]:
    """TOUR_MISSED and TOUR_LATE for the rounds that ended lately. Two queries.

    Whoever was not on duty then, on leave or because the shift was swapped, missed nothing.
    """
    rounds = [
        one
        for one in read_rounds(
            at - LOOK_BACK - GRACE, at - GRACE, at, tenant_id=tenant_id, site_ids=site_ids
        )
        if not one.on_time
    ]
    if not rounds:
        return []
    duties = shifts_around(
        sorted({one.person_id for one in rounds}),
        min(one.starts_at for one in rounds),
        max(one.expires_at for one in rounds),
        tenant_id=tenant_id,
    )
    return [
        _judged(one)
        for one in rounds
        if any(
            duty.person_id == one.person_id
            and duty.starts_at <= one.starts_at
            and duty.ends_at >= one.expires_at
            for duty in duties
        )
    ]


def walked_after_all(
    findings: Collection[Finding], at: dt.datetime, *, tenant_id: int
) -> dict[int, str]:
    """Which findings of missed rounds are wrong by now, as scans arrived late; and why.

    One query, or none.
    """
    jobs = {finding.evidence.get("tour_job_id"): finding for finding in findings}
    if not jobs:
        return {}
    since = min(finding.window_end for finding in findings) - dt.timedelta(microseconds=1)
    until = max(finding.window_end for finding in findings)
    sites = {finding.site_id for finding in findings if finding.site_id is not None}
    over = {}
    for one in read_rounds(since, until, at, tenant_id=tenant_id, site_ids=sites):
        finding = jobs.get(one.id)
        if finding is not None and one.scanned == one.due:
            when = "in time" if one.on_time else "late"
            over[finding.id] = f"The scans arrived afterwards: the round was walked {when}."
    return over


def read_rounds(
    since: dt.datetime,
    until: dt.datetime,
    at: dt.datetime,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
) -> list[Round]:
    """Rounds that ended after ``since`` and by ``until``, with the scans made by ``at``."""
    rows = session().execute(
        _ROUNDS,
        {
            "tenant": tenant_id,
            "since": since,
            "until": until,
            "at": at,
            "sites": None if site_ids is None else list(site_ids),
        },
    )
    return [Round(**row) for row in rows.mappings()]


def walkers(
    people: Collection[int], since: dt.datetime, at: dt.datetime, *, tenant_id: int
) -> set[int]:
    """Those of the people whose round came to its end between the two moments. One query."""
    if not people:
        return set()
    parameters = {"tenant": tenant_id, "people": sorted(people), "since": since, "at": at}
    return set(session().scalars(_WALKERS, parameters))


def _judged(one: Round) -> Draft:
    evidence = {
        "tour_job_id": one.id,
        "checkpoints_due": one.due,
        "checkpoints_scanned": one.scanned,
        "checkpoints_late": one.late,
        "last_scan_at": one.last_scan_at.isoformat() if one.last_scan_at else None,
    }
    named = one.tour_name
    if one.site_name not in named:
        named = f"{named} at {one.site_name}"
    span = f"{one.starts_at:%H:%M} to {one.expires_at:%H:%M} UTC"
    if one.scanned == one.due:
        return Draft(
            "TOUR_LATE",
            "LOW",
            f"{named} was walked late",
            f"{one.late} of {one.due} checkpoints were scanned after the round's time, {span}.",
            one.site_id,
            one.person_id,
            one.starts_at,
            one.expires_at,
            evidence,
        )
    nothing = one.scanned == 0
    how = "no checkpoint" if nothing else f"{one.scanned} of {one.due} checkpoints"
    return Draft(
        "TOUR_MISSED",
        "HIGH" if nothing else "MEDIUM",
        f"{named} was {'missed' if nothing else 'not finished'}",
        f"{one.person_name} scanned {how} in the round's time, {span}.",
        one.site_id,
        one.person_id,
        one.starts_at,
        one.expires_at,
        evidence,
    )
