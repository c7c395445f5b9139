"""Takes punches in: checked one by one, stored together, each once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text

from noc.attendance import references
from noc.attendance.schemas import PUNCHES, Punch
from noc.attendance.signals import punches_stored
from noc.extensions import session, settings
from noc.monitoring import metrics
from noc.rest.batches import BatchResult, Rejection, check_items, outcome
from noc.rest.quantities import Clock, clock

_COLUMNS = {
    "external_id": "text",
    "person_id": "bigint",
    "site_id": "bigint",
    "kind": "text",
    "occurred_at": "timestamptz",
    "lat": "float8",
    "lon": "float8",
    "gps_accuracy": "float8",
    "biometric_quality_score": "float8",
    "mock_location": "boolean",
    "device_id": "bigint",
    "phone_signal_strength": "float8",
    "battery_level": "float8",
}

# Inserted in an order that the rows themselves give: the same punches sent twice at the same
# moment, in whatever order, never deadlock.
_INSERT = text(
    f"""
    INSERT INTO attendance_event (tenant_id, received_at, source, {", ".join(_COLUMNS)})
    SELECT :tenant_id, :now, :source, {", ".join(_COLUMNS)}
      FROM json_to_recordset(CAST(:rows AS json))
           AS r ({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
     ORDER BY r.occurred_at, r.external_id
    ON CONFLICT (tenant_id, external_id) DO NOTHING
    RETURNING id, external_id
    """  # noqa: S608 (the names are the constants above)
)

_TAKEN = text(
    """
    SELECT id, external_id, person_id, site_id, kind, occurred_at FROM attendance_event
     WHERE tenant_id = :tenant_id AND external_id = ANY(CAST(:external_ids AS text[]))
    """
)

_IDENTITY = ("person_id", "site_id", "kind", "occurred_at")
"""Fields in which a punch that repeats an external_id should agree with the first."""


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    external_id: str
    device_id: int | None
    punch: Punch


def store_punches(
    items: Sequence[Any],
    *,
    tenant_id: int,
    now: dt.datetime,
    source: str = "api",
    score_now: bool = False,
    limits: bool = True,
) -> BatchResult:
    """Store the punches among ``items`` (JSON values as received), each once, and announce them.

    Idempotent by ``external_id``, also within the batch and under two equal batches at once. A
    punch without one gets one derived from person, site, kind, time and device. An
    ``external_id`` that is taken by another content is a duplicate too: the first stays, and
    the item's ``differs`` names the fields that disagree. ``limits=False`` takes any age.

    A constant number of queries, whatever the size. Flushes; the caller commits.
    """
    checked, rejected = check_items(PUNCHES, items)
    rows = _resolve(checked, rejected, clock(settings(), now, limits=limits), tenant_id)
    first: dict[str, _Row] = {}
    for row in rows:
        first.setdefault(row.external_id, row)
    stored = _insert(list(first.values()), tenant_id=tenant_id, now=now, source=source)
    _note_devices([first[name] for name in stored], tenant_id)
    outcomes = _outcomes(rows, first, stored, tenant_id)
    named = dict.fromkeys(one["id"] for one in outcomes.values())
    ids = list(named) if score_now else list(stored.values())
    scores = _announce(ids, tenant_id=tenant_id, now=now, score_now=score_now)
    result = outcome(len(items), outcomes, rejected, scores if score_now else None)
    _count(result)
    return result


def _resolve(
    checked: list[tuple[int, Punch]], rejected: list[Rejection], times: Clock, tenant_id: int
) -> list[_Row]:
    """Rows of the punches whose time is believed and whose people and places exist."""
    known = references.look_up((punch for _, punch in checked), tenant_id=tenant_id)
    accepted = []
    for index, punch in checked:
        too = times.refusal(punch.occurred_at)
        refusal = ("occurred_at", too) if too else known.refusal(punch)
        if refusal:
            rejected.append(Rejection(index=index, field=refusal[0], reason=refusal[1]))
        else:
            accepted.append((index, punch))
    references.register_devices((punch for _, punch in accepted), known, tenant_id=tenant_id)
    return [_row(index, punch, known.device_of(punch)) for index, punch in accepted]


def _row(index: int, punch: Punch, device_id: int | None) -> _Row:
    external_id = punch.external_id
    if external_id is None:
        identity = (
            f"{punch.person_id}|{punch.site_id}|{punch.kind}"
            f"|{punch.occurred_at.isoformat()}|{device_id}"
        )
        external_id = f"derived:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
    return _Row(index, external_id, device_id, punch)


def _insert(rows: list[_Row], *, tenant_id: int, now: dt.datetime, source: str) -> dict[str, int]:
    """The ids of the rows that were not there yet, by external id."""
    if not rows:
        return {}
    values = [
        vars(row.punch) | {"external_id": row.external_id, "device_id": row.device_id}
        for row in rows
    ]
    written = {"now": now, "source": source, "rows": to_json(values).decode()}
    new = session().execute(_INSERT, {"tenant_id": tenant_id} | written)
    return {external_id: key for key, external_id in new.all()}


def _note_devices(rows: list[_Row], tenant_id: int) -> None:
    uses = [
        references.Use(row.device_id, row.punch.person_id, row.punch.occurred_at)
        for row in rows
        if row.device_id is not None
    ]
    references.note_use(uses, tenant_id=tenant_id)


def _outcomes(
    rows: list[_Row], first: dict[str, _Row], stored: dict[str, int], tenant_id: int
) -> dict[int, dict[str, Any]]:
    """What each row became, by its index in the batch."""
    taken = _taken([name for name in first if name not in stored], tenant_id)
    outcomes: dict[int, dict[str, Any]] = {}
    for row in rows:
        name = row.external_id
        if name in stored and first[name] is row:
            outcomes[row.index] = {"id": stored[name], "status": "stored"}
            continue
        holder = taken[name] if name in taken else _identity(first[name].punch)
        outcomes[row.index] = {
            "id": stored[name] if name in stored else taken[name]["id"],
            "status": "duplicate",
        }
        own = _identity(row.punch)
        if differs := [field for field in _IDENTITY if own[field] != holder[field]]:
            outcomes[row.index]["differs"] = differs
    return outcomes


def _taken(external_ids: list[str], tenant_id: int) -> dict[str, dict[str, Any]]:
    if not external_ids:
        return {}
    rows = session().execute(_TAKEN, {"tenant_id": tenant_id, "external_ids": external_ids})
    return {row["external_id"]: dict(row) for row in rows.mappings()}


def _identity(punch: Punch) -> dict[str, Any]:
    return {name: getattr(punch, name) for name in _IDENTITY}


def _announce(
    punch_ids: list[int], *, tenant_id: int, now: dt.datetime, score_now: bool
) -> list[dict[str, Any]]:
    """Tell the listeners; what those that score return rides back."""
    if not punch_ids:
        return []
    answers = punches_stored.send(
        "attendance", tenant_id=tenant_id, punch_ids=punch_ids, score_now=score_now, now=now
    )
    return [score for _, scores in answers for score in scores or ()]


def _count(result: BatchResult) -> None:
    for status, count in result.counts().items():
        metrics.INGESTED.labels("punch", status).inc(count)
