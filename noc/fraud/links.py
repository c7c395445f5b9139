"""Who a guard is linked with: by phones they both used, and by punching at the same moment.

A link is a hint where to look and never a finding: a post may have one phone for all, and a couple
comes to work together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.intervals import wilson

DAYS = 90
"""Period of the links."""

TOGETHER_SECONDS = 60
"""Punches of two people at one site, of one kind, this close are together."""

MET_SECONDS = 300
"""Within this they came or left at the same change of shift, and could have been together.

Short, so that who works the same shift is not thereby unusual: among five minutes each minute is
about as likely.
"""

LEAST = 5
"""Fewer punches together are no link, however few there could have been."""

CHANCE = TOGETHER_SECONDS / MET_SECONDS
"""The share together were the two independent and even over the minutes; never less is usual."""

SURE = 3.2905267314919255
"""Two-sided 99.9 % of the normal distribution: of dozens of colleagues of hundreds of guards some
always stand out by chance."""

MOST = 12
"""People shown by each kind of link, strongest first."""

_PHONES = text(
    """
    WITH own AS (
        SELECT DISTINCT device_id FROM attendance_event
        WHERE tenant_id = :tenant AND person_id = :person AND voided_at IS NULL
          AND device_id IS NOT NULL AND occurred_at >= :since AND occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(:sites))
    ), others AS (
        SELECT e.person_id FROM attendance_event e
        JOIN own USING (device_id)
        WHERE e.tenant_id = :tenant AND e.person_id <> :person AND e.voided_at IS NULL
          AND e.occurred_at >= :since AND e.occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
        GROUP BY e.person_id ORDER BY count(*) DESC, e.person_id LIMIT :most
    ), uses AS (
        SELECT e.person_id, e.device_id, count(*) AS punches, max(e.occurred_at) AS last_at
        FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.voided_at IS NULL AND e.device_id IS NOT NULL
          AND (e.person_id = :person OR e.person_id IN (SELECT person_id FROM others))
          AND e.occurred_at >= :since AND e.occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
        GROUP BY 1, 2
    )
    SELECT a.person_id AS a, b.person_id AS b, p.name AS a_name, q.name AS b_name,
        count(*) AS phones, sum(least(a.punches, b.punches))::int AS punches,
        array_agg(d.code ORDER BY d.code) AS codes, max(least(a.last_at, b.last_at)) AS last_at
    FROM uses a
    JOIN uses b ON b.device_id = a.device_id AND b.person_id > a.person_id
    JOIN device d ON d.tenant_id = :tenant AND d.id = a.device_id
    JOIN person p ON p.tenant_id = :tenant AND p.id = a.person_id
    JOIN person q ON q.tenant_id = :tenant AND q.id = b.person_id
    GROUP BY 1, 2, 3, 4
    """
)
# What one and the same punch has in common with a person counts once, by the nearest of theirs.
_TOGETHER = text(
    """
    WITH own AS (
        SELECT id, site_id, kind, occurred_at FROM attendance_event
        WHERE tenant_id = :tenant AND person_id = :person AND voided_at IS NULL
          AND kind <> 'presence' AND occurred_at >= :since AND occurred_at <= :now
          AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(:sites))
    ), met AS (
        SELECT o.id, e.person_id,
            min(abs(extract(epoch FROM e.occurred_at - o.occurred_at))) AS apart,
            max(e.occurred_at) AS last_at
        FROM own o
        JOIN attendance_event e ON e.tenant_id = :tenant AND e.site_id = o.site_id
            AND e.kind = o.kind AND e.person_id <> :person AND e.voided_at IS NULL
            AND e.occurred_at >= o.occurred_at - CAST(:window AS interval)
            AND e.occurred_at <= o.occurred_at + CAST(:window AS interval)
        GROUP BY 1, 2
    )
    SELECT m.person_id, p.name, count(*) AS met,
        count(*) FILTER (WHERE m.apart <= :close) AS together,
        max(m.last_at) FILTER (WHERE m.apart <= :close) AS last_at,
        (SELECT count(*) FROM own) AS punches
    FROM met m
    JOIN person p ON p.tenant_id = :tenant AND p.id = m.person_id
    GROUP BY 1, 2
    """
)


def links(
    person_id: int,
    *,
    tenant_id: int,
    now: dt.datetime,
    days: int = DAYS,
    site_ids: Collection[int] | None = None,
) -> dict[str, Any]:
    """People linked with a guard over the last ``days``, and how these are linked among themselves.

    ``people``: id, name, ``phones`` (codes of phones both used), ``shared`` (punches that each
    made on them, at least), ``together`` of ``met`` (punches within :data:`TOGETHER_SECONDS` of
    those within :data:`MET_SECONDS`), ``low`` and ``high`` of that share (Wilson, 99.9 %),
    ``usual`` (the share among all the other colleagues) and ``unusual``: at least :data:`LEAST`
    together, and even ``low`` above ``usual``. Listed are those who shared a phone or are
    unusual. ``edges``: pairs (a, b) with ``shared`` phones' punches. ``colleagues`` met at all,
    ``punches`` of the guard. Two queries.
    """
    scope = {
        "tenant": tenant_id,
        "person": person_id,
        "now": now,
        "since": now - dt.timedelta(days=days),
        "sites": None if site_ids is None else sorted(site_ids),
    }
    pairs = session().execute(_PHONES, scope | {"most": MOST}).all()
    window = {"window": dt.timedelta(seconds=MET_SECONDS), "close": TOGETHER_SECONDS}
    met = session().execute(_TOGETHER, scope | window).all()
    people: dict[int, dict[str, Any]] = {}
    for pair in pairs:
        if person_id in (pair.a, pair.b):
            other, name = (pair.b, pair.b_name) if pair.a == person_id else (pair.a, pair.a_name)
            people[other] = _linked(other, name) | {
                "phones": pair.codes,
                "shared": pair.punches,
                "last_at": pair.last_at,
            }
    _add_met(people, met)
    return {
        "days": days,
        "punches": met[0].punches if met else 0,
        "colleagues": len(met),
        "people": sorted(people.values(), key=lambda one: (-one["shared"], -one["together"])),
        "edges": [
            {"a": pair.a, "b": pair.b, "shared": pair.punches}
            for pair in pairs
            if person_id not in (pair.a, pair.b)
        ],
    }


def _add_met(people: dict[int, dict[str, Any]], met: Sequence[Any]) -> None:
    all_met, all_together = sum(row.met for row in met), sum(row.together for row in met)
    found = []
    for row in met:
        others = all_met - row.met
        usual = max((all_together - row.together) / others if others else 0.0, CHANCE)
        low, high = wilson(row.together / row.met, row.met, SURE)
        unusual = row.together >= LEAST and low > usual
        if unusual or row.person_id in people:
            found.append((unusual, row, {"usual": usual, "low": low, "high": high}))
    found.sort(key=lambda one: (not one[0], -one[1].together))
    kept = [one for one in found if one[0]][:MOST] + [one for one in found if not one[0]]
    for unusual, row, shares in kept:
        one = people.setdefault(row.person_id, _linked(row.person_id, row.name))
        one |= shares | {"met": row.met, "together": row.together, "unusual": unusual}
        if row.last_at is not None and unusual:
            one["last_at"] = max(filter(None, (one["last_at"], row.last_at)))


def _linked(person_id: int, name: str) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "name": name,
        "phones": [],
        "shared": 0,
        "met": 0,
        "together": 0,
        "usual": None,
        "low": None,
        "high": None,
        "unusual": False,
        "last_at": None,
    }
