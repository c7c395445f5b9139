"""Lines of files: values out of text, and where in the file each came from."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
from collections import Counter
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

    Every row is one line of the file: a quote that is not closed, or a byte that is not UTF-8,
    costs its own line and no other. ValueError where the header lacks one of ``required``, has
    a column twice, or cannot be read.
    """
    lines = enumerate(stream, start=1)
    header: list[str] | None = None
    for number_, raw in lines:
        cells = _cells(raw.removeprefix(codecs.BOM_UTF8) if number_ == 1 else raw)
        if header is None:
            header = _header(cells, required)
        elif isinstance(cells, Unreadable):
            yield Line(number_, cells)
        elif any(cells):
            yield Line(number_, _row(header, cells))
    if header is None:
        raise ValueError("is empty; a header is needed")


def _cells(raw: bytes) -> list[str] | Unreadable:
    try:
        return next(csv.reader([raw.decode().rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError as error:
        return Unreadable(f"is not UTF-8: byte {error.object[error.start]:#04x}")
    except csv.Error as error:
        return Unreadable(f"is not CSV: {error}")


def _header(cells: list[str] | Unreadable, required: Iterable[str]) -> list[str]:
    if isinstance(cells, Unreadable):
        raise ValueError(f"has a header that {cells.reason}")
    header = [cell.strip().lower() for cell in cells]
    missing = [name for name in required if name not in header]
    if missing:
        raise ValueError(f"has no column {', '.join(missing)} in its header")
    twice = sorted(name for name, count in Counter(header).items() if name and count > 1)
    if twice:
        raise ValueError(f"has the column {', '.join(twice)} more than once in its header")
    return header


def _row(header: list[str], cells: list[str]) -> Any:
    if len(cells) > len(header):
        return Unreadable(f"has {len(cells)} cells; the header has {len(header)}")
    pairs = zip(header, (cell.strip() for cell in cells), strict=False)
    return {name: cell for name, cell in pairs if cell}
