"""Lines of files: values out of text, and where in the file each came from."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from noc.rest.batches import Unreadable


@dataclass(frozen=True, slots=True)
class Line:
    """An item of a file, as it would stand in a request, and the line it was read from.

    What cannot be read is an :class:`Unreadable`, to be rejected like any other bad item.
    """

    number: int
    item: Any


def number(cell: str) -> float | str:
    """The cell as a number; text that is none stays, for the check of the item to name it."""
    try:
        return float(cell)
    except ValueError:
        return cell


def moment(cell: str) -> dt.datetime | str:
    """The cell as a moment; text that is none stays, for the check of the item to name it."""
    try:
        return dt.datetime.fromisoformat(cell)
    except ValueError:
        return cell


def read_csv(stream: BinaryIO, required: Iterable[str]) -> Iterator[Line]:
    """The rows of a CSV in UTF-8 as dicts by header, in lower case; empty cells are left out.

    Every row is one :class:`Line`, numbered as an editor numbers the row's end. ValueError
    where the header lacks one of ``required``.
    """
    rows = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
    header: list[str] | None = None
    for number_, cells in _rows(rows):
        if isinstance(cells, Unreadable):
            yield Line(number_, cells)
        elif header is None:
            header = _header(cells, required)
        elif any(cells):
            yield Line(number_, _row(header, cells))
    if header is None:
        raise ValueError("is empty; a header is needed")


def _rows(rows: Any) -> Iterator[tuple[int, list[str] | Unreadable]]:
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield rows.line_num, Unreadable(f"is not CSV: {error}")
        except UnicodeDecodeError as error:
            yield rows.line_num + 1, Unreadable(f"is not UTF-8, nor is the rest read: {error}")
            return
        else:
            yield rows.line_num, cells


def _header(cells: list[str], required: Iterable[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    missing = [name for name in required if name not in header]
    if missing:
        raise ValueError(f"has no column {', '.join(missing)} in its header")
    return header


def _row(header: list[str], cells: list[str]) -> Any:
    if len(cells) > len(header):
        return Unreadable(f"has {len(cells)} cells; the header has {len(header)}")
    pairs = zip(header, (cell.strip() for cell in cells), strict=False)
    return {name: cell for name, cell in pairs if cell}
