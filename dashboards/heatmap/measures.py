"""What a cell of the heatmap can show, and how it adds up for a site."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.words import WEEKDAYS, count

Measure = Literal["max", "mean", "high", "share", "confirmed"]

MEASURES: dict[Measure, str] = {
    "max": "Highest score",
    "mean": "Mean score",
    "high": "Over threshold",
    "share": "Share over",
    "confirmed": "Confirmed",
}

TOLD: dict[Measure, str] = {
    "max": "Highest score",
    "mean": "Mean score",
    "high": "Punches over the threshold",
    "share": "Share of punches over the threshold",
    "confirmed": "Share of reviewed punches found fraud",
}

FEW = 5
"""Reviews below which a confirmed share is marked: one more could turn it over."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of a cell, or of a whole site. Scores are None where nobody punched."""

    count: int
    mean: float | None
    max: float | None
    high: int
    reviewed: int
    confirmed: int

    def value(self, measure: Measure) -> float | None:
        """The measure; None where there is nothing to measure."""
        if measure == "confirmed":
            return self.confirmed / self.reviewed if self.reviewed else None
        if not self.count:
            return None
        if measure == "share":
            return self.high / self.count
        return {"max": self.max, "mean": self.mean, "high": self.high}[measure]

    @property
    def few(self) -> bool:
        """Whether its confirmed share rests on few reviews."""
        return 0 < self.reviewed < FEW


def cell(site: dict[str, Any], at: int) -> Cell:
    """One cell of a site of the report."""
    return Cell(
        site["count"][at],
        site["mean"][at],
        site["max"][at],
        site["high"][at],
        site["reviewed"][at],
        site["confirmed"][at],
    )


def whole(site: dict[str, Any]) -> Cell:
    """All cells of a site together."""
    punches = sum(site["count"])
    weighed = sum(
        mean * n for mean, n in zip(site["mean"], site["count"], strict=True) if mean is not None
    )
    return Cell(
        punches,
        weighed / punches if punches else None,
        max((value for value in site["max"] if value is not None), default=None),
        sum(site["high"]),
        sum(site["reviewed"]),
        sum(site["confirmed"]),
    )


def told(value: float | None, measure: Measure) -> str:
    """The value as people read it."""
    if value is None:
        return "—"
    if measure == "high":
        return f"{value:,.0f}"
    return f"{value:.2f}" if measure in ("max", "mean") else f"{value:.0%}"


def sentences(one: Cell, threshold: float) -> list[str]:
    """What is known of a cell, line by line; intervals hold the true share 19 times in 20."""
    if not one.count:
        return ["Nobody punched: not measured"]
    low, top = share_interval(one.high, one.count)
    lines = [
        f"Highest {one.max:.2f}, mean {one.mean:.2f}",
        f"{count(one.count, 'punch', 'punches')}, {one.high} at {threshold:.2f} or more "
        f"({low:.0%} to {top:.0%})",
    ]
    if not one.reviewed:
        return [*lines, "Nobody has reviewed one"]
    low, top = share_interval(one.confirmed, one.reviewed)
    few = "; few reviews" if one.few else ""
    return [
        *lines,
        f"{one.confirmed} of {one.reviewed} reviewed were fraud ({low:.0%} to {top:.0%}{few})",
    ]


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which holds for few cases too; ``n`` at least 1."""
    z, share = 1.96, hits / n
    middle = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def when(report: dict[str, Any], at: int) -> str:
    """The cell's time in words: "Tuesday 02:00 to 03:00", "Tue 3 Nov 2026"."""
    if report["dates"] is not None:
        date = dt.date.fromisoformat(report["dates"][at])
        return f"{date:%a} {date.day} {date:%b %Y}"
    day, clock = divmod(at, 24)
    return f"{WEEKDAYS[day]} {clock:02}:00 to {clock + 1:02}:00"


def key(report: dict[str, Any], at: int) -> str:
    """The cell's time as the address has it: the hour of the week, or the date."""
    return str(at) if report["dates"] is None else str(report["dates"][at])


def label(report: dict[str, Any], at: int) -> str:
    """The cell's time as the chart's axis has it: "Tue 02:00", "2026-11-03"."""
    if report["dates"] is not None:
        return str(report["dates"][at])
    day, clock = divmod(at, 24)
    return f"{WEEKDAYS[day][:3]} {clock:02}:00"


def width(report: dict[str, Any]) -> int:
    """How many cells a site has."""
    return 168 if report["dates"] is None else len(report["dates"])
