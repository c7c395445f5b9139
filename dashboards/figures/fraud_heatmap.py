"""The fraud heatmap: site by hour of the week."""

from __future__ import annotations

import math
from typing import Any, Literal

import plotly.graph_objects as go

from dashboards import theme
from dashboards.words import WEEKDAYS, count

Measure = Literal["max", "mean"]

ROW_HEIGHT = 24
AXIS_HEIGHT = 48
_TICK_HOURS = (0, 6, 12, 18)


def figure(report: dict[str, Any], measure: Measure, scheme: theme.Scheme) -> go.Figure:
    """The figure for a report of ``noc.fraud.reports.heatmap``.

    One row a site, in the report's order from the top; 168 columns, Monday 00:00 first, on the
    site's own clock. Colour is the score on a fixed scale from 0 to 1; a cell without a punch
    stays empty, so that the grey behind it shows.
    """
    sites = report["sites"]
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(
        go.Heatmap(
            z=[site[measure] for site in sites],
            x=list(range(168)),
            y=[str(site["site_id"]) for site in sites],
            zmin=0,
            zmax=1,
            colorscale=theme.score_scale(scheme),
            showscale=False,
            xgap=1,
            ygap=3,
            customdata=[_told(site, report["threshold"]) for site in sites],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    chart.update_layout(
        template=theme.template(scheme),
        plot_bgcolor=tokens["unmeasured"],
        height=ROW_HEIGHT * max(len(sites), 1) + AXIS_HEIGHT,
        xaxis={
            "range": [-0.5, 167.5],
            "tickmode": "array",
            "tickvals": [day * 24 + hour for day in range(7) for hour in _TICK_HOURS],
            "ticktext": [_tick(day, hour) for day in range(7) for hour in _TICK_HOURS],
            "side": "top",
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "autorange": "reversed",
            "type": "category",
            "tickmode": "array",
            "tickvals": [str(site["site_id"]) for site in sites],
            "ticktext": [_short(site["site_name"]) for site in sites],
            "tickfont": {"size": theme.TYPE_SCALE[1], "color": tokens["text"]},
            "ticklabelstandoff": 8,
            "showgrid": False,
            "fixedrange": True,
        },
        shapes=[
            {
                "type": "line", "yref": "paper", "y0": 0, "y1": 1,
                "x0": day * 24 - 0.5, "x1": day * 24 - 0.5,
                "line": {"color": tokens["surface"], "width": 4}, "layer": "above",
            }
            for day in range(1, 7)
        ],
    )  # fmt: skip
    return chart


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which holds for few cases too; ``n`` at least 1."""
    z, share = 1.96, hits / n
    middle = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def _told(site: dict[str, Any], threshold: float) -> list[str]:
    return [_cell(site, hour, threshold) for hour in range(168)]


def _cell(site: dict[str, Any], hour: int, threshold: float) -> str:
    day, clock = divmod(hour, 24)
    head = f"<b>{site['site_name']}</b><br>{WEEKDAYS[day]} {clock:02}:00 to {clock + 1:02}:00"
    n = site["count"][hour]
    if not n:
        return f"{head}<br>Nobody punched: not measured"
    high = round(site["share"][hour] * n)
    low, top = share_interval(high, n)
    share = f"{high} at {threshold:.2f} or more ({low:.0%} to {top:.0%})"
    return (
        f"{head}<br>Highest {site['max'][hour]:.2f}, mean {site['mean'][hour]:.2f}"
        f"<br>{count(n, 'punch', 'punches')}, {share}"
    )


def _tick(day: int, hour: int) -> str:
    return WEEKDAYS[day][:3] if hour == 0 else str(hour)


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"
