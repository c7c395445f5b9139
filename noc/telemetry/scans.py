"""A scanned checkpoint finds its place in the tour that was asked for.

A scan belongs to the rostered checkpoint of that person whose time window is nearest, whether
or not it has been scanned before; looking at open ones only, a tag scanned twice would tick off
a round that has not begun. Where the nearest is taken, or none is near enough, the scan is a
row of its own without a parent: it happened, and nobody had asked for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.extensions import session

EARLY = dt.timedelta(minutes=30)
"""A scan may come this long before its window opens: guards set out ahead of time."""

LATE = dt.timedelta(hours=4)
"""A scan this long after its window closed still is that round's, late; later it is none's."""

# One statement decides. A scan that another transaction is storing at this moment is either
# found in its row (the row lock, then endtime no longer NULL) or by the unique key.
_STORE = text(
    """
    WITH incoming AS (
        SELECT s.* FROM unnest(
            CAST(:external_id AS text[]), CAST(:occurred_at AS timestamptz[]),
            CAST(:person_id AS bigint[]), CAST(:checkpoint_id AS bigint[])
        ) AS s (external_id, occurred_at, person_id, checkpoint_id)
        WHERE NOT EXISTS (
            SELECT FROM jobneed k
             WHERE k.tenant_id = :tenant_id AND k.external_id = s.external_id
        )
    ), nearest AS (
        SELECT i.*, w.id AS jobneed_id, w.gap FROM incoming i CROSS JOIN LATERAL (
            SELECT j.id, greatest(
                       j.starts_at - i.occurred_at, i.occurred_at - j.expires_at, interval '0'
                   ) AS gap
              FROM jobneed j
             WHERE j.tenant_id = :tenant_id AND j.kind = 'checkpoint'
               AND j.parent_id IS NOT NULL
               AND j.person_id = i.person_id AND j.checkpoint_id = i.checkpoint_id
               AND j.starts_at <= i.occurred_at + CAST(:early AS interval)
               AND j.expires_at >= i.occurred_at - CAST(:late AS interval)
             ORDER BY gap, j.starts_at, j.id LIMIT 1
        ) w
    ), chosen AS (
        SELECT DISTINCT ON (jobneed_id) * FROM nearest
         ORDER BY jobneed_id, gap, occurred_at, external_id
    ), locked AS MATERIALIZED (
        SELECT j.id FROM jobneed j JOIN chosen c ON c.jobneed_id = j.id
         WHERE j.tenant_id = :tenant_id ORDER BY j.id FOR UPDATE OF j
    ), completed AS (
        UPDATE jobneed j
           SET endtime = c.occurred_at, external_id = c.external_id, received_at = :now
          FROM chosen c JOIN locked l ON l.id = c.jobneed_id
         WHERE j.tenant_id = :tenant_id AND j.id = c.jobneed_id AND j.endtime IS NULL
        RETURNING j.id, j.external_id, j.parent_id
    ), extra AS (
        INSERT INTO jobneed (
            tenant_id, kind, checkpoint_id, person_id, site_id, starts_at, expires_at, endtime,
            external_id, received_at
        )
        SELECT :tenant_id, 'checkpoint', i.checkpoint_id, i.person_id, p.site_id, i.occurred_at,
               i.occurred_at, i.occurred_at, i.external_id, :now
          FROM incoming i
          JOIN checkpoint p ON p.tenant_id = :tenant_id AND p.id = i.checkpoint_id
         WHERE NOT EXISTS (SELECT FROM completed c WHERE c.external_id = i.external_id)
         ORDER BY i.occurred_at, i.external_id
        ON CONFLICT (tenant_id, external_id) DO NOTHING
        RETURNING id, external_id, parent_id
    )
    SELECT id, external_id, parent_id FROM completed
    UNION ALL SELECT id, external_id, parent_id FROM extra
    """
)

_FIND = text(
    """
    SELECT id, external_id, parent_id FROM jobneed
     WHERE tenant_id = :tenant_id AND external_id = ANY(CAST(:external_ids AS text[]))
    """
)


# The rounds are locked before they are counted, in statements of their own: of two scans that
# end a round at the same moment the second sees the first.
_LOCK_ROUNDS = text(
    """
    SELECT id FROM jobneed
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:rounds AS bigint[]))
     ORDER BY id FOR NO KEY UPDATE
    """
)
_FINISH = text(
    """
    UPDATE jobneed r SET endtime = done.at
      FROM (
          SELECT c.parent_id, max(c.endtime) AS at FROM jobneed c
           WHERE c.tenant_id = :tenant_id AND c.parent_id = ANY(CAST(:rounds AS bigint[]))
           GROUP BY c.parent_id HAVING count(*) = count(c.endtime)
      ) done
     WHERE r.tenant_id = :tenant_id AND r.id = done.parent_id AND r.endtime IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class StoredScan:
    """Where a scan is kept, and the round it was asked for in; None where nobody had asked."""

    id: int
    round_id: int | None


def store_scans(
    scans: Sequence[Mapping[str, Any]], *, tenant_id: int, now: dt.datetime
) -> dict[str, StoredScan]:
    """The jobneed rows that now hold these scans, by ``external_id``; new scans only.

    Each scan has ``external_id`` (unique in ``scans``), ``occurred_at``, ``person_id`` and
    ``checkpoint_id``, the last two known to exist. A round whose last checkpoint this was ends
    with its latest scan. At most three queries; idempotent by ``external_id``.
    """
    columns = ("external_id", "occurred_at", "person_id", "checkpoint_id")
    rows = session().execute(
        _STORE,
        {"tenant_id": tenant_id, "now": now, "early": EARLY, "late": LATE}
        | {name: [scan[name] for scan in scans] for name in columns},
    )
    stored = {row.external_id: StoredScan(row.id, row.parent_id) for row in rows}
    rounds = sorted({scan.round_id for scan in stored.values() if scan.round_id is not None})
    if rounds:
        session().execute(_LOCK_ROUNDS, {"tenant_id": tenant_id, "rounds": rounds})
        session().execute(_FINISH, {"tenant_id": tenant_id, "rounds": rounds})
    return stored


def find_scans(external_ids: Sequence[str], *, tenant_id: int) -> dict[str, StoredScan]:
    """The jobneed rows that hold these scans. One query, or none."""
    if not external_ids:
        return {}
    parameters = {"tenant_id": tenant_id, "external_ids": list(external_ids)}
    rows = session().execute(_FIND, parameters)
    return {row.external_id: StoredScan(row.id, row.parent_id) for row in rows}
