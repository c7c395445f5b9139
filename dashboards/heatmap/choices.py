"""What a reader chooses on the fraud heatmap; all of it stands in the address."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import dcc, html

from dashboards.heatmap.measures import MEASURES, Measure
from dashboards.marks import aria
from noc.fraud.heatmap import By, Clock
from noc.rest.keyset import BIGGEST_ID

PERIODS = (7, 30, 45)
_VIEWS = {"chart": "Chart", "table": "Table", "map": "Map"}
_BY = {"hour": "Hour of week", "day": "Day"}
_CLOCKS = {"site": "Site’s time", "company": "Company’s time"}

View = Literal["chart", "table", "map"]
At = tuple[int, int | dt.date]
"""A cell: the site, and the hour of its week or the day."""

CONTROLS = ("days", "by", "measure", "clock", "view", "site", "at")


def toolbar(query: dict[str, str], sites: dict[str, dict[str, str]]) -> html.Div:
    """The controls, as the address has them; what it does not have is the first choice."""
    chosen = query.get("site")
    return html.Div(
        [
            _choice("view", "Show as", _VIEWS, view(query.get("view"))),
            _choice(
                "days", "Period", {str(n): f"{n} days" for n in PERIODS},
                str(period(query.get("days"))),
            ),
            _choice("by", "Cells", _BY, by(query.get("by"))),
            _choice("measure", "Measure", MEASURES, measure(query.get("measure"))),
            _choice("clock", "Clock", _CLOCKS, clock(query.get("clock"))),
            dmc.Select(
                id="heatmap-site",
                placeholder="All sites",
                value=chosen if chosen in sites else None,
                data=[{"value": key, "label": site["name"]} for key, site in sites.items()],
                clearable=True,
                searchable=True,
                className="toolbar-select",
                **aria(label="Site"),
            ),
            dcc.Input(id="heatmap-at", type="hidden", value=query.get("at", "")),
        ],
        className="toolbar",
    )  # fmt: skip


def _choice(name: str, label: str, choices: Any, value: str) -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id=f"heatmap-{name}",
        value=value,
        data=[{"value": key, "label": text} for key, text in choices.items()],
        **aria(label=label),
    )


def measure(wanted: str | None) -> Measure:
    """The measure; the highest score unless another is named."""
    return next((name for name in MEASURES if name == wanted), "max")


def period(days: str | None) -> int:
    """The days; 30 unless others that are offered are named."""
    return int(days) if days and days in map(str, PERIODS) else 30


def by(wanted: str | None) -> By:
    """Hours of the week, or days."""
    return "day" if wanted == "day" else "hour"


def clock(wanted: str | None) -> Clock:
    """Each site's clock, or the company's."""
    return "company" if wanted == "company" else "site"


def view(wanted: str | None) -> View:
    """Chart, table or map."""
    return "table" if wanted == "table" else "map" if wanted == "map" else "chart"


def cell(wanted: str | None, cells: By) -> At | None:
    """The chosen cell, ``7.26`` or ``7.2026-11-03``; None for none, or one of the other kind."""
    found = re.fullmatch(r"([0-9]{1,19})\.([0-9]{1,3}|[0-9]{4}-[0-9]{2}-[0-9]{2})", wanted or "")
    if found is None:
        return None
    site_id, place = int(found[1]), found[2]
    if not 0 < site_id <= BIGGEST_ID:
        return None
    if cells == "hour":
        return (site_id, int(place)) if place.isdigit() and int(place) < 168 else None
    try:
        return site_id, dt.date.fromisoformat(place)
    except ValueError:
        return None
