"""What the overview's parts have in common: numbers that lead to their list, and spans."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import dcc, html

from dashboards.marks import aria


def address(page: str, **query: Any) -> str:
    """The address of a page with its choices; those that are None are left out."""
    chosen = {name: value for name, value in query.items() if value is not None}
    return f"/app/{page}" + (f"?{urlencode(chosen)}" if chosen else "")


def number(count: int, href: str, what: str, *, strong: bool = False) -> html.Span | dcc.Link:
    """A count that leads to the rows behind it; a zero leads nowhere. ``what`` is for readers."""
    if not count:
        return html.Span("0", className="count count-none")
    words = html.Span(f"{count:,}", **aria(label=f"{what}: {count:,}"))
    return dcc.Link(words, href=href, className="count count-strong" if strong else "count")


def long_span(seconds: float) -> str:
    """A length of time in its two largest units: ``3 h 12 min``."""
    left = max(int(seconds), 0)
    found = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= size:
            found.append(f"{left // size} {unit}")
            left %= size
        elif found:
            break
    return " ".join(found[:2]) or "0 s"
