"""Rounds: a tour that somebody is to walk within a time, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator
from pydantic_core import to_json
from sqlalchemy import text

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.batches import BatchResult, Rejection, check_items, outcome
from noc.rest.body import Id, Identifier
from noc.rest.by_id import QueryId
from noc.rest.envelope import MAX_LIMIT
from noc.rest.keyset import Key, Page, page_of
from noc.rest.quantities import UtcMoment
from noc.workforce.references import look_up

LONGEST = dt.timedelta(hours=24)
"""A round is walked within a shift."""

State = Literal["done", "late", "open", "missed"]
By = Literal["tour", "person", "site"]


class RoundIn(BaseModel):
    """Who walks the tour, from when to when; ``external_id`` makes sending twice safe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    external_id: Identifier
    person_id: Id
    starts_at: UtcMoment
    expires_at: UtcMoment

    @field_validator("expires_at")
    @classmethod
    def _within_a_day(cls, expires_at: dt.datetime, info: ValidationInfo) -> dt.datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and not starts_at < expires_at <= starts_at + LONGEST:
            raise ValueError("must be later than starts_at, by at most a day")
        return expires_at


ROUNDS = TypeAdapter(list[RoundIn])


class RoundQuery(BaseModel):
    """Which rounds a list shows; ``since`` and ``until`` bound ``starts_at``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tour_id: QueryId | None = None
    person_id: QueryId | None = None
    site_id: QueryId | None = None
    state: State | None = None
    since: UtcMoment | None = None
    until: UtcMoment | None = None
    limit: int | None = Field(None, ge=1, le=MAX_LIMIT)
    cursor: str | None = None


class CompletionQuery(BaseModel):
    """By what rounds are added up; ``since`` and ``until`` bound ``expires_at``, a week if open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: By = "tour"
    tour_id: QueryId | None = None
    person_id: QueryId | None = None
    site_id: QueryId | None = None
    since: UtcMoment | None = None
    until: UtcMoment | None = None


_PLAN = text(
    """
    WITH planned AS (
        INSERT INTO jobneed (tenant_id, kind, tour_id, person_id, site_id, starts_at, expires_at,
                             external_id, received_at)
        SELECT t.tenant_id, 'tour', t.id, r.person_id, t.site_id, r.starts_at, r.expires_at,
               r.external_id, :now
          FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
                   external_id text, person_id bigint, starts_at timestamptz,
                   expires_at timestamptz)
          JOIN tour t ON t.tenant_id = :tenant AND t.id = :tour
         ORDER BY r.external_id
        ON CONFLICT (tenant_id, external_id) DO NOTHING
        RETURNING id, person_id, site_id, starts_at, expires_at, external_id
    ), children AS (
        INSERT INTO jobneed (tenant_id, kind, parent_id, tour_id, checkpoint_id, person_id,
                             site_id, starts_at, expires_at)
        SELECT :tenant, 'checkpoint', p.id, :tour, c.id, p.person_id, p.site_id, p.starts_at,
               p.expires_at
          FROM planned p JOIN checkpoint c ON c.tenant_id = :tenant AND c.tour_id = :tour
               AND c.active
         ORDER BY p.id, c.position, c.id
    )
    SELECT id, external_id FROM planned
    """
)
_HELD = text(
    """
    SELECT id, external_id, tour_id, kind FROM jobneed
     WHERE tenant_id = :tenant AND external_id = ANY(CAST(:names AS text[]))
    """
)

# A round is what its checkpoints are: each state is told by counting them.
_COUNTED = """
    SELECT r.id, r.tour_id, r.person_id, r.site_id, r.starts_at, r.expires_at, r.endtime,
           count(c.id) AS due, count(c.endtime) AS scanned,
           count(*) FILTER (WHERE c.endtime > r.expires_at) AS late,
           max(c.endtime) AS last_scan_at
      FROM jobneed r
      LEFT JOIN jobneed c ON c.tenant_id = r.tenant_id AND c.parent_id = r.id
     WHERE r.tenant_id = :tenant AND r.kind = 'tour'
       AND (CAST(:tour AS bigint) IS NULL OR r.tour_id = :tour)
       AND (CAST(:person AS bigint) IS NULL OR r.person_id = :person)
       AND (CAST(:site AS bigint) IS NULL OR r.site_id = :site)
       AND (CAST(:sites AS bigint[]) IS NULL OR r.site_id = ANY(:sites))
       {more}
     GROUP BY r.tenant_id, r.id
"""
_STATE = """
    CASE WHEN scanned = due AND late = 0 THEN 'done' WHEN scanned = due THEN 'late'
         WHEN expires_at > :now THEN 'open' ELSE 'missed' END
"""
_LIST = text(
    f"""
    WITH counted AS ({
        _COUNTED.format(
            more='''AND (CAST(:since AS timestamptz) IS NULL OR r.starts_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR r.starts_at < :until)
       AND (CAST(:after_at AS timestamptz) IS NULL
            OR (r.starts_at, r.id) < (:after_at, CAST(:after_id AS bigint)))'''
        )
    })
    SELECT k.*, {_STATE} AS state, t.code AS tour_code, t.name AS tour_name,
           p.name AS person_name, s.name AS site_name
      FROM counted k
      JOIN person p ON p.tenant_id = :tenant AND p.id = k.person_id
      JOIN site s ON s.tenant_id = :tenant AND s.id = k.site_id
      LEFT JOIN tour t ON t.tenant_id = :tenant AND t.id = k.tour_id
     WHERE CAST(:state AS text) IS NULL OR {_STATE} = :state
     ORDER BY k.starts_at DESC, k.id DESC LIMIT :limit
    """  # noqa: S608
)
_NAMED = {
    "tour": "LEFT JOIN tour n ON n.tenant_id = :tenant AND n.id = k.tour_id",
    "person": "JOIN person n ON n.tenant_id = :tenant AND n.id = k.person_id",
    "site": "JOIN site n ON n.tenant_id = :tenant AND n.id = k.site_id",
}
_COMPLETION = {
    by: text(
        f"""
    WITH counted AS ({_COUNTED.format(more="AND r.expires_at >= :since AND r.expires_at < :until")})
    SELECT k.{by}_id AS id, n.code, n.name, count(*) AS rounds,
           count(*) FILTER (WHERE {_STATE} = 'done') AS done,
           count(*) FILTER (WHERE {_STATE} = 'late') AS late,
           count(*) FILTER (WHERE {_STATE} = 'missed') AS missed,
           count(*) FILTER (WHERE {_STATE} = 'open') AS open,
           CAST(sum(k.due) AS bigint) AS checkpoints_due,
           CAST(sum(k.scanned) AS bigint) AS checkpoints_scanned,
           CAST(sum(k.late) AS bigint) AS checkpoints_late
      FROM counted k {join}
     GROUP BY 1, n.code, n.name ORDER BY n.name, 1
    """  # noqa: S608
    )
    for by, join in _NAMED.items()
}


def plan_rounds(
    tour_id: int, items: Sequence[Any], *, tenant_id: int, now: dt.datetime
) -> BatchResult:
    """Put rounds of a tour on the roster, each with the tour's checkpoints of this moment.

    Idempotent by ``external_id``, also under two equal batches at once. A round is refused where
    there is no such person, or where its ``external_id`` belongs to something else. Three
    queries. The caller commits.
    """
    checked, rejected = check_items(ROUNDS, items)
    people = look_up((one.person_id for _, one in checked), ()).people
    accepted: list[tuple[int, RoundIn]] = []
    for index, one in checked:
        if one.person_id in people:
            accepted.append((index, one))
        else:
            reason = "there is no such person"
            rejected.append(Rejection(index=index, field="person_id", reason=reason))
    first: dict[str, int] = {}
    for index, one in accepted:
        first.setdefault(one.external_id, index)
    by_index = dict(accepted)
    rows = [by_index[index].model_dump() for index in first.values()]
    new = session().execute(
        _PLAN,
        {"tenant": tenant_id, "tour": tour_id, "now": now, "rows": to_json(rows).decode()},
    )
    stored = {row.external_id: row.id for row in new}
    held = session().execute(_HELD, {"tenant": tenant_id, "names": list(first)})
    known = {row.external_id: row for row in held}
    outcomes: dict[int, dict[str, Any]] = {}
    for index, one in accepted:
        row = known[one.external_id]
        if row.kind != "tour" or row.tour_id != tour_id:
            reason = "belongs to something else already"
            rejected.append(Rejection(index=index, field="external_id", reason=reason))
            continue
        is_new = one.external_id in stored and first[one.external_id] == index
        outcomes[index] = {"id": row.id, "status": "stored" if is_new else "duplicate"}
    return outcome(len(items), outcomes, rejected)


def list_rounds(
    asked: RoundQuery,
    *,
    now: dt.datetime,
    limit: int,
    after: Key | None = None,
    site_ids: Collection[int] | None = None,
) -> Page:
    """A page of rounds, latest first, each with its state and counts. One query.

    ``state``: done and late are walked whole, open has time left, missed has not.
    """
    rows = session().execute(
        _LIST,
        _narrowed(asked, site_ids)
        | {
            "now": now,
            "state": asked.state,
            "since": asked.since,
            "until": asked.until,
            "after_at": after[0] if after else None,
            "after_id": after[1] if after else None,
            "limit": limit + 1,
        },
    )
    return page_of([dict(row) for row in rows.mappings()], "starts_at", limit=limit)


def completion(
    asked: CompletionQuery, *, now: dt.datetime, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """How many rounds were walked, by tour, person or site. One query.

    ``completion_rate`` is the share of the rounds whose time is over that were walked whole, in
    time or late; ``on_time_rate`` that of those walked in time. None where none is over.
    """
    until = asked.until or now
    since = asked.since or until - dt.timedelta(days=7)
    rows = session().execute(
        _COMPLETION[asked.by],
        _narrowed(asked, site_ids) | {"now": now, "since": since, "until": until},
    )
    return {
        "by": asked.by,
        "from": since.isoformat(),
        "to": until.isoformat(),
        "rows": [dict(row) | _rates(row) for row in rows.mappings()],
    }


def _narrowed(
    asked: RoundQuery | CompletionQuery, site_ids: Collection[int] | None
) -> dict[str, Any]:
    return {
        "tenant": required_tenant(),
        "tour": asked.tour_id,
        "person": asked.person_id,
        "site": asked.site_id,
        "sites": None if site_ids is None else list(site_ids),
    }


def _rates(row: Any) -> dict[str, float | None]:
    over = row["done"] + row["late"] + row["missed"]

    def share(part: int) -> float | None:
        return round(part / over, 4) if over else None

    return {
        "completion_rate": share(row["done"] + row["late"]),
        "on_time_rate": share(row["done"]),
    }
