"""The counts of the page of findings: read beside the list, and again when something was done."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update

from dashboards import callbacks, queries, states, words
from dashboards.callbacks import Clicks
from dashboards.findings import filters, summary
from dashboards.findings.filters import COUNTED, LIST, PERIODS, Chosen
from noc.database.base import utcnow

_PART = "findings-summary"


def store() -> dcc.Store:
    """What the script changes when the counts are no longer true."""
    return dcc.Store(id="findings-changed", data=0)


def register(ui: Dash) -> None:
    """Count when a filter changes, and when somebody has done something."""
    callbacks.register(
        ui,
        count,
        Output(_PART, "children"),
        Output("findings-count", "children"),
        *[Output(f"findings-{name}", "data") for name in COUNTED],
        LIST.chosen(Input),
        Input("findings-changed", "data"),
        states.asked_again(_PART),
    )


def count(chosen: Chosen, _changed: Clicks = None, _again: Clicks = None) -> tuple[Any, ...]:
    """What became of them, where they are, and how many each choice of a filter would list."""
    built: Any = states.or_failed("The counts", _PART, lambda: _count(chosen))
    if isinstance(built, tuple):
        return built
    return (html.Div(built, className="panel"), "", *[no_update] * len(COUNTED))


def _count(chosen: Chosen) -> tuple[Any, ...]:
    wanted = filters.wanted(chosen)
    counts = queries.findings.counts(wanted)
    days = filters.days(chosen)
    became = queries.findings.became(days, chosen["site"], utcnow())
    cells = queries.findings.matrix(wanted)
    sites = queries.reader.sites()
    return (
        [
            html.Div(summary.sentence(became, f"in {PERIODS[str(days)]}"), className="lede"),
            summary.matrix(cells, sites, chosen["type"], chosen["site"]),
        ],
        words.count(counts["total"], "finding"),
        *filters.choices(counts),
    )
