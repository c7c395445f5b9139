"""All sites of the company on one map that needs no tiles: longitude and latitude as they are."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from dashboards import theme
from dashboards.heatmap import measures
from dashboards.heatmap.measures import Measure

HEIGHT = 560

METRES_A_DEGREE = 111_320
"""Of latitude; of longitude times its cosine. ``assets/heatmap.js`` has the same."""

_LEAST = 0.01
"""Degrees that a map of one site shows: about a kilometre."""

_ROUND = 48
"""Corners of a circle."""


def figure(report: dict[str, Any], measure: Measure, scheme: theme.Scheme) -> go.Figure:
    """A marker a site: colour the measure over the whole period, area the number of punches.

    Geofences are circles to scale: points from afar, there when one zooms in. A ring without
    colour is a site where there was nothing to measure. ``assets/heatmap.js`` writes the names
    that do not collide and the scale bar, at each zoom.
    """
    sites = report["sites"]
    tokens = theme.COLOURS[scheme]
    known = [measures.whole(site) for site in sites]
    values = [one.value(measure) for one in known]
    most = max((one.count for one in known), default=0) or 1
    chart = go.Figure(_fences(sites, tokens))
    for measured in (False, True):
        kept = [at for at, value in enumerate(values) if (value is not None) == measured]
        marker: dict[str, Any] = {
            "size": [9 + 19 * math.sqrt(known[at].count / most) for at in kept], "opacity": 1,
        }  # fmt: skip
        if measured:
            marker |= {
                "color": [values[at] for at in kept], "cmin": 0, "cmax": top(values, measure),
                "colorscale": theme.score_scale(scheme), "showscale": False,
                "line": {"width": 1.5, "color": tokens["text"]},
            }  # fmt: skip
        else:
            marker |= {"color": tokens["muted"], "symbol": "circle-open"}
        chart.add_trace(go.Scatter(
            name=measures.TOLD[measure] if measured else "not measured",
            x=[sites[at]["lon"] for at in kept], y=[sites[at]["lat"] for at in kept],
            mode="markers+text", text=[""] * len(kept), textposition="middle right",
            textfont={"size": theme.TYPE_SCALE[0], "color": tokens["text"]}, marker=marker,
            customdata=[[str(sites[at]["site_id"]), sites[at]["site_name"]] for at in kept],
            hovertext=[_told(sites[at], known[at], values[at], measure) for at in kept],
            hovertemplate="%{hovertext}<extra></extra>",
        ))  # fmt: skip
    _frame(chart, sites, tokens, scheme)
    return chart


def top(values: list[float | None], measure: Measure) -> float:
    """The end of the scale: 1, or the highest count of a site."""
    return max((value or 0 for value in values), default=0) or 1 if measure == "high" else 1


def _told(site: dict[str, Any], one: measures.Cell, value: float | None, measure: Measure) -> str:
    lines = measures.sentences(one, site["threshold"])
    place = f"{_degrees(site['lat'], 'NS')}, {_degrees(site['lon'], 'EW')}"
    return (
        f"<b>{site['site_name']}</b><br>{measures.TOLD[measure]}: {measures.told(value, measure)}"
        f"<br>{'<br>'.join(lines)}<br>{place}, geofence {site['radius']:.0f} m"
    )


def _degrees(value: float, ends: str) -> str:
    return f"{abs(value):.4f}° {ends[0] if value >= 0 else ends[1]}"


def _middle(sites: list[dict[str, Any]]) -> float:
    """The latitude in the middle, where the scale is right."""
    north = [site["lat"] for site in sites]
    return (min(north) + max(north)) / 2 if north else 0.0


def _fences(sites: list[dict[str, Any]], tokens: dict[str, str]) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for site in sites:
        reach = site["radius"] / METRES_A_DEGREE
        stretch = max(math.cos(math.radians(site["lat"])), 0.01)
        for corner in range(_ROUND + 1):
            turn = 2 * math.pi * corner / _ROUND
            x.append(site["lon"] + reach / stretch * math.cos(turn))
            y.append(site["lat"] + reach * math.sin(turn))
        x.append(None)
        y.append(None)
    return go.Scatter(
        name="geofence", x=x, y=y, mode="lines", hoverinfo="skip",
        line={"width": 1, "color": tokens["muted"]},
    )  # fmt: skip


def _frame(
    chart: go.Figure,
    sites: list[dict[str, Any]],
    tokens: dict[str, str],
    scheme: theme.Scheme,
) -> None:
    north = _middle(sites)
    axis = {"showgrid": True, "gridcolor": tokens["line"], "ticksuffix": "°", "nticks": 8}
    stretch = 1 / max(math.cos(math.radians(north)), 0.05)
    chart.update_layout(
        template=theme.template(scheme),
        height=HEIGHT,
        dragmode="pan",
        meta={"latitude": north},
        xaxis=axis
        | {"title": {"text": "Longitude, ° east"}, "range": _range([s["lon"] for s in sites])},
        yaxis=axis
        | {"title": {"text": "Latitude, ° north"}, "range": _range([s["lat"] for s in sites])}
        | {"scaleanchor": "x", "scaleratio": stretch},
    )


def _range(values: list[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = max((high - low) * 0.12, _LEAST / 2)
    return [low - room, high + room]
