"""Reads tracks: GeoLife's .plt, GPX, and CSV with the header ``lat,lon,time[,accuracy]``.

Each reader takes a binary stream and gives :class:`noc.rest.cells.Line` items whose dicts have
``lat``, ``lon``, ``occurred_at`` and, where the file knows it, ``accuracy`` in metres. ValueError
where the file is no such thing at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from noc.rest.batches import Unreadable
from noc.rest.cells import Line, moment, number, read_csv

_HEADER_LINES = 6
_CHUNK = 64 * 1024


def read_geolife(stream: BinaryIO) -> Iterator[Line]:
    """GeoLife's trajectories: six header lines, then

    ``lat,lon,0,altitude in feet,days since 1899-12-30,date,time``, both last in GMT.
    """
    fixes = 0
    for number_, raw in enumerate(stream, start=1):
        line = raw.decode("ascii", errors="replace").strip()
        if number_ == 1 and not line.lower().startswith("geolife"):
            raise ValueError("does not begin as a GeoLife track does")
        if number_ > _HEADER_LINES and line:
            fixes += 1
            yield Line(number_, _geolife_fix(line))
    if not fixes:
        raise ValueError("has no fix: a GeoLife track has them below its six header lines")


def _geolife_fix(line: str) -> Any:
    cells = line.split(",")
    if len(cells) != 7:
        return Unreadable(f"has {len(cells)} cells; a fix of GeoLife has 7")
    return {
        "lat": number(cells[0]),
        "lon": number(cells[1]),
        "occurred_at": moment(f"{cells[5]}T{cells[6]}Z"),
    }


def read_csv_track(stream: BinaryIO) -> Iterator[Line]:
    """CSV with a header; further columns are ignored, times need a zone."""
    for line in read_csv(stream, required=("lat", "lon", "time")):
        if isinstance(line.item, dict):
            cells = line.item
            fix: dict[str, Any] = {
                name: number(cells[name]) for name in ("lat", "lon", "accuracy") if name in cells
            }
            if "time" in cells:
                fix["occurred_at"] = moment(cells["time"])
            yield Line(line.number, fix)
        else:
            yield line


def read_gpx(stream: BinaryIO) -> Iterator[Line]:
    """The track points of a GPX 1.0 or 1.1, in order; routes and waypoints were never walked.

    Streams, and refuses a bad point alone. A time without a zone is UTC, as GPX says. GPX has
    no accuracy in metres, and none is made up from its dilution of precision.
    """
    points = _GpxPoints()
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        yield from points.feed(chunk)
    yield from points.feed(b"", last=True)


class _GpxPoints:
    """Collects points while expat reads; expat knows the line, which XML trees forget."""

    def __init__(self) -> None:
        self._found: list[Line] = []
        self._point: dict[str, Any] | None = None
        self._line = 0
        self._time: list[str] | None = None
        self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes, *, last: bool = False) -> Iterator[Line]:
        """The points that end in ``chunk``, up to a fault in it; then ValueError says which."""
        fault: expat.ExpatError | None = None
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            fault = error
        yield from self._found
        self._found = []
        if fault:
            raise ValueError(f"is not XML: {fault}") from fault

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        tag = name.rpartition(":")[2]
        if self._depth == 1 and tag != "gpx":
            raise ValueError("is not GPX")
        if tag == "trkpt":
            self._line = self._parser.CurrentLineNumber
            self._point = {
                axis: number(attributes[axis]) for axis in ("lat", "lon") if axis in attributes
            }
        elif tag == "time" and self._point is not None:
            self._time = []

    def _text(self, text: str) -> None:
        if self._time is not None:
            self._time.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        tag = name.rpartition(":")[2]
        if tag == "time" and self._time is not None and self._point is not None:
            self._point["occurred_at"] = moment(_zoned("".join(self._time).strip()))
            self._time = None
        elif tag == "trkpt" and self._point is not None:
            self._found.append(Line(self._line, self._point))
            self._point = None


def _zoned(time: str) -> str:
    return time if re.search(r"(Z|[+-]\d\d:?\d\d)$", time) else f"{time}Z"


READERS: dict[str, Callable[[BinaryIO], Iterator[Line]]] = {
    "geolife": read_geolife,
    "gpx": read_gpx,
    "csv": read_csv_track,
}
"""Readers by the name of their format."""

EXTENSIONS = {".plt": "geolife", ".gpx": "gpx", ".csv": "csv"}
"""The format that a file's extension speaks of."""
