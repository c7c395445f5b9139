"""The fraud heatmap: site by hour of the week, or by day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import plotly.graph_objects as go

from dashboards import theme
from dashboards.heatmap import measures
from dashboards.heatmap.measures import Measure

ROW_HEIGHT = 24
AXIS_HEIGHT = 48
_TICK_HOURS = (0, 6, 12, 18)


def figure(report: dict[str, Any], measure: Measure, scheme: theme.Scheme) -> go.Figure:
    """The figure for a report of :func:`noc.fraud.heatmap.heatmap`.

    One row a site, in the report's order from the top; a column each hour of the week, Monday
    00:00 first, or each day. Scores and shares are on a fixed scale from 0 to 1, counts on one
    from 0 to the highest. A cell that could not be measured stays empty, so that the grey behind
    it shows; a dot marks a confirmed share of few reviews.
    """
    sites = report["sites"]
    tokens = theme.COLOURS[scheme]
    places = range(measures.width(report))
    names = [str(site["site_id"]) for site in sites]
    labels = [measures.label(report, at) for at in places]
    cells = [[measures.cell(site, at) for at in places] for site in sites]
    chart = go.Figure(
        go.Heatmap(
            name=measures.TOLD[measure],
            z=[[one.value(measure) for one in row] for row in cells],
            x=labels,
            y=names,
            zmin=0,
            zmax=top(report, measure),
            colorscale=theme.score_scale(scheme),
            showscale=False,
            xgap=1,
            ygap=3,
            customdata=[
                [_told(report, site, at, one) for at, one in enumerate(row)]
                for site, row in zip(sites, cells, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    if measure == "confirmed":
        _mark_few(chart, names, labels, cells, tokens)
    _axes(chart, report, sites, tokens, scheme)
    return chart


def top(report: dict[str, Any], measure: Measure) -> float:
    """The end of the scale: 1, or the highest count (1 at least)."""
    if measure != "high":
        return 1
    return max((n for site in report["sites"] for n in site["high"]), default=0) or 1


def _mark_few(
    chart: go.Figure,
    names: list[str],
    labels: list[str],
    cells: list[list[measures.Cell]],
    tokens: dict[str, str],
) -> None:
    few = [
        (labels[at], name)
        for name, row in zip(names, cells, strict=True)
        for at, one in enumerate(row)
        if one.few
    ]
    chart.add_trace(go.Scatter(
        name="few reviews", x=[x for x, _ in few], y=[y for _, y in few], mode="markers",
        marker={
            "size": 4, "color": tokens["surface"], "opacity": 1,
            "line": {"width": 1, "color": tokens["text"]},
        },
        hoverinfo="skip",
    ))  # fmt: skip


def _axes(
    chart: go.Figure,
    report: dict[str, Any],
    sites: list[dict[str, Any]],
    tokens: dict[str, str],
    scheme: theme.Scheme,
) -> None:
    ticks, lines = _by_day(report) if report["dates"] is not None else _by_hour(report)
    width = measures.width(report)
    chart.update_layout(
        template=theme.template(scheme),
        plot_bgcolor=tokens["unmeasured"],
        height=ROW_HEIGHT * max(len(sites), 1) + AXIS_HEIGHT,
        xaxis={
            "type": "category",
            "range": [-0.5, width - 0.5],
            "tickmode": "array",
            "tickvals": list(ticks),
            "ticktext": list(ticks.values()),
            "side": "top",
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "autorange": False,
            "range": [max(len(sites), 1) - 0.5, -0.5],
            "type": "category",
            "tickmode": "array",
            "tickvals": [str(site["site_id"]) for site in sites],
            "ticktext": [short(site["site_name"]) for site in sites],
            "tickfont": {"size": theme.TYPE_SCALE[1], "color": tokens["text"]},
            "ticklabelstandoff": 8,
            "showgrid": False,
            "fixedrange": True,
        },
        shapes=[
            {
                "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at - 0.5, "x1": at - 0.5,
                "line": {"color": tokens["surface"], "width": 4}, "layer": "above",
            }
            for at in lines
        ],
    )  # fmt: skip


def _by_hour(report: dict[str, Any]) -> tuple[dict[str, str], list[int]]:
    """Ticks by label, and where a day begins."""
    ticks = {
        measures.label(report, day * 24 + hour): (
            measures.label(report, day * 24)[:3] if hour == 0 else str(hour)
        )
        for day in range(7)
        for hour in _TICK_HOURS
    }
    return ticks, [day * 24 for day in range(1, 7)]


def _by_day(report: dict[str, Any]) -> tuple[dict[str, str], list[int]]:
    """A tick at each Monday, at every day of a short period; lines where a week begins."""
    days = [dt.date.fromisoformat(one) for one in report["dates"]]
    every = len(days) <= 10
    ticks = {
        day.isoformat(): f"{day:%a} {day.day} {day:%b}" if every else f"{day.day} {day:%b}"
        for day in days
        if every or day.weekday() == 0
    }
    return ticks, [at for at, day in enumerate(days) if at and day.weekday() == 0]


def _told(report: dict[str, Any], site: dict[str, Any], at: int, one: measures.Cell) -> str:
    lines = measures.sentences(one, site["threshold"])
    return f"<b>{site['site_name']}</b><br>{measures.when(report, at)}<br>{'<br>'.join(lines)}"


def short(name: str) -> str:
    """A name that fits beside the chart."""
    return name if len(name) <= 34 else f"{name[:33]}…"
