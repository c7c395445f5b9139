"""Reads punches from CSV.

The header names the columns, in any order: ``person_id`` or ``person_code``, ``site_id`` or
``site_code``, ``kind``, ``occurred_at`` (with a zone), and, where known, ``external_id``,
``lat``, ``lon``, ``gps_accuracy``, ``biometric_quality_score``, ``mock_location``, ``device_id``
or ``device_code``, ``phone_signal_strength``, ``battery_level``. An empty cell is unknown;
further columns are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from sqlalchemy import text

from noc.extensions import session
from noc.rest.batches import Unreadable
from noc.rest.cells import Line, moment, number, read_csv
from noc.rest.keyset import BIGGEST_ID, ID_DIGITS
from noc.rest.text import code

_NUMBERS = (
    "lat",
    "lon",
    "gps_accuracy",
    "biometric_quality_score",
    "phone_signal_strength",
    "battery_level",
)
_IDS = ("person_id", "site_id", "device_id")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

_BY_CODE = text(
    """
    SELECT 'person' AS kind, code, id FROM person
     WHERE tenant_id = :tenant_id AND code = ANY(CAST(:person AS text[]))
    UNION ALL
    SELECT 'site', code, id FROM site
     WHERE tenant_id = :tenant_id AND code = ANY(CAST(:site AS text[]))
    """
)


def read_punches(stream: BinaryIO) -> Iterator[Line]:
    """The punches of a CSV, as they would stand in a request, but for codes.

    ValueError where the header lacks a column that a punch cannot be without.
    """
    for line in read_csv(stream, required=("kind", "occurred_at")):
        item = line.item
        yield Line(line.number, _punch(item) if isinstance(item, dict) else item)


def _punch(cells: dict[str, str]) -> dict[str, Any]:
    punch: dict[str, Any] = dict(cells)
    for name in _NUMBERS:
        if name in cells:
            punch[name] = number(cells[name])
    for name in _IDS:
        if (cell := cells.get(name, "")).isdecimal():
            punch[name] = int(cell) if len(cell) <= ID_DIGITS else BIGGEST_ID + 1
    if "mock_location" in cells:
        cell = cells["mock_location"]
        punch["mock_location"] = _TRUTH.get(cell.lower(), cell)
    punch["occurred_at"] = moment(cells.get("occurred_at", ""))
    if "device_code" in cells:
        punch.setdefault("device_id", cells["device_code"])
    return punch


def resolve_codes(items: Sequence[Any], *, tenant_id: int) -> list[Any]:
    """The items with ids in the place of the codes of people and sites. One query, or none.

    An item that names an unknown code, or what cannot be one, becomes an :class:`Unreadable`
    that says so.
    """
    items = [_readable(item) for item in items]
    named = {
        kind: sorted({item[f"{kind}_code"] for item in items if _needs(item, kind)})
        for kind in ("person", "site")
    }
    if not any(named.values()):
        return items
    rows = session().execute(_BY_CODE, {"tenant_id": tenant_id} | named)
    ids = {(row.kind, row.code): row.id for row in rows}
    return [_resolved(item, ids) for item in items]


def _needs(item: Any, kind: str) -> bool:
    return isinstance(item, dict) and f"{kind}_code" in item and f"{kind}_id" not in item


def _readable(item: Any) -> Any:
    for kind in ("person", "site"):
        if _needs(item, kind):
            try:
                code(item[f"{kind}_code"])
            except ValueError as error:
                return Unreadable(str(error), field=f"{kind}_code")
    return item


def _resolved(item: Any, ids: dict[tuple[str, str], int]) -> Any:
    for kind in ("person", "site"):
        if _needs(item, kind):
            key = ids.get((kind, item[f"{kind}_code"]))
            if key is None:
                return Unreadable(f"there is no such {kind}", field=f"{kind}_code")
            item = item | {f"{kind}_id": key}
    return item
