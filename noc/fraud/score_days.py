"""The scores of a tenant as columns, quickly: days that are over are kept packed.

An answer from half a million rows takes more than twice as long as one from packed days
(``python -m tests.bench heatmap`` has both). A UTC day that has been over for two days hardly
changes any more, so its punches are packed into one row (``fraud_score_day``): the sites in order,
how many punches each has, and the times and scores of all of them, as PostgreSQL sends such
numbers. The rest is read from the table.

What is read is always the same as the table would give. Whoever scores, scores again, removes or
voids a punch of an old day takes the packed day away in the same transaction (the triggers of
migration 0013), and a lock keeps a day from being packed while that is under way. Verdicts change
for weeks and are few: they are read from their index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from sqlalchemy import text

from noc.database.binary import binary
from noc.database.locks import try_hold
from noc.extensions import session
from noc.fraud.clocks import DAY, Span
from noc.fraud.columns import Columns, Kind, read_columns, unpack

AFTER = dt.timedelta(days=2)
"""A day is packed so long after its end: the triggers heed what is older than half of that."""

LONGEST = 180
"""Days that are packed, counted back from now: the longest that anybody may ask for."""

# Served scores of punches that count.
_COUNTED = """
    FROM fraud_prediction_log l
    WHERE l.tenant_id = :tenant AND NOT l.is_shadow
      AND l.occurred_at >= :since AND l.occurred_at < :until
      AND l.attendance_event_id NOT IN (
        SELECT e.id FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL
          AND e.occurred_at >= :since AND e.occurred_at < :until)
"""
# Only constants are put into the texts.
SCORES = f"SELECT l.site_id, l.occurred_at, l.fraud_score {_COUNTED}"
_OF_SITE = f"{SCORES} AND l.site_id = :site"
_VERDICTS = (
    f"SELECT l.site_id, l.occurred_at, l.actual_fraud_detected {_COUNTED}"
    " AND l.actual_fraud_detected IS NOT NULL"
)
_KINDS: dict[str, Kind] = {"site": "int", "at": "time", "score": "float"}
_VERDICT_KINDS: dict[str, Kind] = {"site": "int", "at": "time", "fraud": "flag"}

_PACK = text(
    f"""
    INSERT INTO fraud_score_day (tenant_id, day, site_ids, punches, times, scores)
    SELECT :tenant, :day,
        coalesce(string_agg(int8send(s.site_id), ''::bytea ORDER BY s.site_id), ''),
        coalesce(string_agg(int8send(s.punches), ''::bytea ORDER BY s.site_id), ''),
        coalesce(string_agg(s.times, ''::bytea ORDER BY s.site_id), ''),
        coalesce(string_agg(s.scores, ''::bytea ORDER BY s.site_id), '')
    FROM (
        SELECT l.site_id, count(*) AS punches,
            string_agg(timestamptz_send(l.occurred_at), ''::bytea) AS times,
            string_agg(float8send(l.fraud_score), ''::bytea) AS scores
        {_COUNTED}
        GROUP BY l.site_id) AS s
    ON CONFLICT DO NOTHING
    """  # noqa: S608
)
_MISSING = text(
    """
    SELECT CAST(:last AS date) - n FROM generate_series(0, :days) AS n
    WHERE NOT EXISTS (
        SELECT FROM fraud_score_day p
        WHERE p.tenant_id = :tenant AND p.day = CAST(:last AS date) - n)
      AND CAST(:last AS date) - n >= (
        SELECT (min(l.occurred_at) AT TIME ZONE 'UTC')::date
        FROM fraud_prediction_log l WHERE l.tenant_id = :tenant)
    ORDER BY n
    """
)
_PACKED = binary(
    """
    SELECT day, site_ids, punches, times, scores FROM fraud_score_day
    WHERE tenant_id = :tenant AND day >= :first AND day < :until ORDER BY day
    """
)


def missing_days(*, tenant_id: int, now: dt.datetime) -> list[dt.date]:
    """The days to pack, latest first: over for :data:`AFTER`, and not before the first score."""
    last = (now - AFTER).astimezone(dt.UTC).date() - DAY
    named = {"tenant": tenant_id, "last": last, "days": LONGEST}
    return list(session().scalars(_MISSING, named))


def pack(day: dt.date, *, tenant_id: int) -> bool:
    """Pack the day, one of :func:`missing_days`, unless it is by now; False while old days change.

    The transaction must be new and is committed soon after: it keeps others from changing old
    days. Two queries.
    """
    # A statement of its own: what has the lock must see what was committed before it was had.
    if not try_hold(session(), f"score-days:{tenant_id}"):
        return False
    session().execute(_PACK, _named(tenant_id, *_of(day)) | {"day": day})
    return True


def read_scores(
    since: dt.datetime, until: dt.datetime, *, tenant_id: int, site_id: int | None = None
) -> Columns:
    """``at`` (microseconds of Unix time) and ``score`` of the punches that count, in no order.

    From ``since`` to before ``until``. Whose they are is written as runs: as many ``punches`` in
    a row at ``site``. One query for what is packed, and one for each stretch of days that are
    not: two, as a rule, the first day's part and the last days. Of one site: one query, of its
    rows, which are few beside all that is packed.
    """
    if site_id is not None:
        named = _named(tenant_id, since, until) | {"site": site_id}
        return _in_runs(read_columns(_OF_SITE, named, _KINDS))
    first = since.astimezone(dt.UTC).date()
    first = first if _of(first)[0] == since else first + DAY
    named = {"tenant": tenant_id, "first": first, "until": until.astimezone(dt.UTC).date()}
    parts: list[Columns] = []
    at = since
    for day, *packed in session().execute(_PACKED, named):
        parts += _read_rows(at, _of(day)[0], tenant_id)
        parts.append(_unpacked(*packed))
        at = _of(day)[1]
    parts += _read_rows(at, until, tenant_id)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def read_verdicts(since: dt.datetime, until: dt.datetime, *, tenant_id: int) -> Columns:
    """``at`` and ``fraud`` of the reviewed punches that count, and whose, as above. One query."""
    return _in_runs(read_columns(_VERDICTS, _named(tenant_id, since, until), _VERDICT_KINDS))


def _read_rows(since: dt.datetime, until: dt.datetime, tenant_id: int) -> Sequence[Columns]:
    if since >= until:
        return ()
    return (_in_runs(read_columns(SCORES, _named(tenant_id, since, until), _KINDS)),)


def _in_runs(read: Columns) -> Columns:
    return read | {"punches": np.ones(len(read["site"]), dtype=np.int64)}


def _unpacked(site_ids: bytes, punches: bytes, times: bytes, scores: bytes) -> Columns:
    return {
        "site": unpack(site_ids, "int"),
        "punches": unpack(punches, "int"),
        "at": unpack(times, "time"),
        "score": unpack(scores, "float"),
    }


def _named(tenant_id: int, since: dt.datetime, until: dt.datetime) -> dict[str, object]:
    return {"tenant": tenant_id, "since": since, "until": until}


def _of(day: dt.date) -> Span:
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    return start, start + DAY
