"""The overview: what a security manager opens first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import ALL, Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, marks, states, words
from dashboards.callbacks import Clicks
from dashboards.overview import ages_table, fraud, late, pulse, sites
from dashboards.overview.numbers import Numbers
from noc.database.base import utcnow
from noc.identity.capabilities import VIEW
from noc.identity.guard import check

TITLE = "Overview"

CLOCK_MS = 60_000
"""The page reads anew at least so often: ages and clocks go on without any news."""


def layout(_: dict[str, str]) -> html.Div:
    """The frame; its parts follow."""
    blocks = [
        html.Div(className=f"skeleton {name}", style={"height": f"{height}px"})
        for name, height in (
            ("over-half", 248),
            ("over-half", 248),
            ("over-wide", 330),
            ("over-narrow", 330),
            ("over-wide", 380),
            ("over-narrow", 380),
        )
    ]
    return html.Div(
        [
            dcc.Store(id="overview-tick"),
            dcc.Interval(id="overview-clock", interval=CLOCK_MS),
            html.Div(
                html.Div(blocks, className="over", role="status", **marks.aria(label="Loading")),
                id="overview-body",
            ),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Read anew by the feed, by the clock, and when asked to."""
    callbacks.register(
        ui,
        show,
        Output("overview-body", "children"),
        Input("overview-clock", "n_intervals"),
        Input("overview-tick", "data"),
        Input({"type": "retry", "page": "overview", "n": ALL}, "n_clicks"),
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "overviewShown", done, Input("overview-body", "children"))


def show(_clock: Any, _tick: Any, _retries: Clicks = None) -> Any:
    """Every part, each by itself: one that cannot be read leaves the others."""
    check(VIEW)
    numbers = Numbers(utcnow())

    def part(n: int, name: str, draw: Callable[[Numbers], Any], width: str) -> Any:
        retry = {"type": "retry", "page": "overview", "n": n}
        drawn = states.or_failed(name, retry, lambda: draw(numbers))
        # A part that failed takes the place that it would have had.
        return (
            drawn
            if isinstance(drawn, html.Section)
            else html.Div(drawn, className=f"panel {width}")
        )

    return html.Div(
        [
            part(0, "The summary", lede, "over-full"),
            part(1, "Open alerts", ages_table.alerts, "over-half"),
            part(2, "Open tickets", ages_table.tickets, "over-half"),
            part(3, "Late tickets", late.late, "over-wide"),
            html.Div(
                [
                    part(4, "Fraud today", fraud.fraud, ""),
                    part(5, "Who is on duty", pulse.duty, ""),
                ],
                className="stack over-narrow",
            ),
            part(6, "The rank of sites", sites.sites, "over-wide"),
            html.Div(
                [
                    part(7, "Times to answer", pulse.responses, ""),
                    part(8, "The feed", pulse.feed, ""),
                ],
                className="stack over-narrow",
            ),
        ],
        className="over",
    )


def lede(numbers: Numbers) -> html.Section:
    """What matters most, in a sentence, and as of when."""
    return html.Section(
        [html.H2(finding(numbers)), html.P(["As of ", marks.moment(numbers.now)])],
        className="lede over-full",
    )


def finding(numbers: Numbers) -> str:
    """The page's title: what waits, the worst first."""
    _, standing = numbers.tickets
    critical = numbers.alerts.get("CRITICAL")
    silent = sum(one.silent for one in numbers.duty)
    counted = (
        (critical.total() if critical else 0, "critical alert is open", "critical alerts are open"),
        (standing["overdue"], "ticket is overdue", "tickets are overdue"),
        (silent, "guard on duty is not heard of", "guards on duty are not heard of"),
    )
    said = [words.count(number, one, many) for number, one, many in counted if number]
    if not said:
        return "No critical alert is open, and no ticket is overdue"
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
