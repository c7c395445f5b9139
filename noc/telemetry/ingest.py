"""Takes phone signals in: checked as a batch, stored in bulk, each once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.database.partitions import ensure_partitions
from noc.extensions import session, settings
from noc.monitoring import metrics
from noc.rest.batches import BatchResult, Rejection, check_items, outcome
from noc.rest.quantities import Clock, clock
from noc.telemetry import scans, storage
from noc.telemetry.announcements import sos_received
from noc.telemetry.schemas import KINDS, SIGNALS
from noc.telemetry.storage import Key, Table

_KNOWN = text(
    """
    SELECT 'person' AS kind, id FROM person
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:people AS bigint[]))
    UNION ALL
    SELECT 'checkpoint', id FROM checkpoint
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:checkpoints AS bigint[]))
    """
)

_TABLES: dict[str, Table] = {
    "phone_event": storage.PHONE_EVENTS,
    "heartbeat": storage.PHONE_EVENTS,
    "sos": storage.PHONE_EVENTS,
    "location": storage.LOCATIONS,
    "task_completed": storage.TASKS,
}
"""Where each kind is kept; a checkpoint_scan has its place among the tours."""

_MEASURED = ("lat", "lon", "accuracy", "battery_level", "phone_signal_strength")
"""What an sos or a heartbeat carries besides its detail; it joins the detail."""


@dataclass(slots=True)
class _Row:
    index: int
    kind: str
    values: dict[str, Any]

    @property
    def key(self) -> Key:
        return self.values["external_id"], self.values["occurred_at"]


_Outcomes = dict[int, dict[str, Any]]


def store_signals(
    items: Sequence[Any], *, tenant_id: int, now: dt.datetime, limits: bool = True
) -> BatchResult:
    """Store the signals among ``items`` (JSON values as received), each once.

    Idempotent by ``external_id`` and ``occurred_at`` within a table, also within the batch and
    under two equal batches at once; a signal without ``external_id`` gets one derived from its
    content. Scans complete the rostered checkpoint (:mod:`noc.telemetry.scans`); new ``sos``
    signals are announced. ``limits=False`` takes any age.

    A constant number of queries, whatever the size. Flushes; the caller commits.
    """
    checked, rejected = check_items(SIGNALS, items, depth=2)
    rows = _resolve(checked, rejected, clock(settings(), now, limits=limits), tenant_id)
    _make_months(rows)
    outcomes: _Outcomes = {}
    for table in (storage.PHONE_EVENTS, storage.LOCATIONS, storage.TASKS):
        members = [row for row in rows if _TABLES.get(row.kind) is table]
        if members:
            _store_rows(table, members, outcomes, tenant_id=tenant_id, now=now)
    scanned = [row for row in rows if row.kind == "checkpoint_scan"]
    if scanned:
        _store_scans(scanned, outcomes, tenant_id=tenant_id, now=now)
    _announce_sos(rows, outcomes, tenant_id=tenant_id, now=now)
    _count(rows, outcomes, rejected, items)
    return outcome(len(items), outcomes, rejected)


def _resolve(
    checked: list[tuple[int, Any]], rejected: list[Rejection], times: Clock, tenant_id: int
) -> list[_Row]:
    """Rows of the signals whose time is believed and whose person and checkpoint exist."""
    people, checkpoints = _known(checked, tenant_id)
    rows = []
    for index, signal in checked:
        refusal = _refusal(signal, people, checkpoints, times)
        if refusal is None:
            rows.append(_Row(index, signal["kind"], _values(signal)))
        else:
            rejected.append(Rejection(index=index, field=refusal[0], reason=refusal[1]))
    return rows


def _known(checked: list[tuple[int, Any]], tenant_id: int) -> tuple[set[int], set[int]]:
    if not checked:
        return set(), set()
    named = {signal["person_id"] for _, signal in checked}
    scanned = {s["checkpoint_id"] for _, s in checked if s["kind"] == "checkpoint_scan"}
    people: set[int] = set()
    checkpoints: set[int] = set()
    parameters = {"tenant_id": tenant_id, "people": list(named), "checkpoints": list(scanned)}
    for kind, key in session().execute(_KNOWN, parameters):
        (people if kind == "person" else checkpoints).add(key)
    return people, checkpoints


def _refusal(
    signal: Any, people: set[int], checkpoints: set[int], times: Clock
) -> tuple[str, str] | None:
    if reason := times.refusal(signal["occurred_at"]):
        return "occurred_at", reason
    if signal["person_id"] not in people:
        return "person_id", "there is no such person"
    kind = signal["kind"]
    if kind == "checkpoint_scan" and signal["checkpoint_id"] not in checkpoints:
        return "checkpoint_id", "there is no such checkpoint"
    if kind == "sos" and (signal.get("lat") is None) != (signal.get("lon") is None):
        return "lon", "lat and lon come together, and only one of them was given"
    return None


def _values(signal: Any) -> dict[str, Any]:
    values: dict[str, Any] = signal
    kind = signal["kind"]
    if values.get("external_id") is None:
        values["external_id"] = _derived_id(values)
    if kind == "phone_event":
        values["event_type"] = values.get("event_type") or kind
    elif kind in ("heartbeat", "sos"):
        values["event_type"] = kind
        measured = {name: values[name] for name in _MEASURED if values.get(name) is not None}
        values["detail"] = {**(values.get("detail") or {}), **measured} or None
    return values


def _derived_id(values: dict[str, Any]) -> str:
    content = {name: value for name, value in values.items() if value is not None}
    written = json.dumps(content, default=str, sort_keys=True)
    return f"derived:{hashlib.sha256(written.encode()).hexdigest()[:32]}"


def _make_months(rows: list[_Row]) -> None:
    moments = [row.values["occurred_at"] for row in rows if row.kind in _TABLES]
    months = {(moment.year, moment.month) for moment in moments}
    ensure_partitions(session(), [dt.datetime(y, m, 1, tzinfo=dt.UTC) for y, m in months])


def _store_rows(
    table: Table, rows: list[_Row], outcomes: _Outcomes, *, tenant_id: int, now: dt.datetime
) -> None:
    keys = [row.key for row in rows]
    first: dict[Key, _Row] = {}
    for key, row in zip(keys, rows, strict=True):
        first.setdefault(key, row)
    values = [row.values for row in first.values()]
    new = storage.insert(table, values, tenant_id=tenant_id, now=now)
    old = storage.find(table, [key for key in first if key not in new], tenant_id=tenant_id)
    for key, row in zip(keys, rows, strict=True):
        stored = key in new and first[key] is row
        outcomes[row.index] = {
            "id": new[key] if key in new else old[key],
            "status": "stored" if stored else "duplicate",
        }


def _store_scans(
    rows: list[_Row], outcomes: _Outcomes, *, tenant_id: int, now: dt.datetime
) -> None:
    first: dict[str, _Row] = {}
    for row in rows:
        first.setdefault(row.values["external_id"], row)
    values = [row.values for row in first.values()]
    new = scans.store_scans(values, tenant_id=tenant_id, now=now)
    old = scans.find_scans([name for name in first if name not in new], tenant_id=tenant_id)
    for row in rows:
        name = row.values["external_id"]
        stored = name in new and first[name] is row
        scan = new[name] if name in new else old[name]
        outcomes[row.index] = {
            "id": scan.id,
            "status": "stored" if stored else "duplicate",
            "round_id": scan.round_id,
        }


def _announce_sos(
    rows: list[_Row], outcomes: _Outcomes, *, tenant_id: int, now: dt.datetime
) -> None:
    events = [
        {name: row.values[name] for name in ("person_id", "occurred_at", "external_id")}
        | {"lat": row.values.get("lat"), "lon": row.values.get("lon")}
        for row in rows
        if row.kind == "sos" and outcomes[row.index]["status"] == "stored"
    ]
    if events:
        sos_received.send("telemetry", tenant_id=tenant_id, events=events, now=now)


def _count(
    rows: list[_Row], outcomes: _Outcomes, rejected: list[Rejection], items: Sequence[Any]
) -> None:
    counts = Counter((row.kind, outcomes[row.index]["status"]) for row in rows)
    counts.update((_kind_of(items[one["index"]]), "rejected") for one in rejected)
    for (kind, status), count in counts.items():
        metrics.INGESTED.labels(kind, status).inc(count)


def _kind_of(item: Any) -> str:
    """A rejected item's kind as a metric's label: what is no known kind has none of its own."""
    kind = item.get("kind") if isinstance(item, dict) else None
    return kind if isinstance(kind, str) and kind in KINDS else "unknown"
