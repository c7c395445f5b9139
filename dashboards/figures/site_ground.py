"""The ground of one site, in metres around its centre: what every map of a single site draws.

North is up, and a metre is as long upwards as to the right. The projection is that of
``noc.audit.story.metres``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from dashboards import theme

Point = tuple[float, float]
"""Metres east and north of the site's centre."""

_STEPS = 72
"""Corners of a circle."""


def ring(polygon: Sequence[Point] | None, radius: float) -> list[Point]:
    """The geofence, closed: the polygon where there is one, else the circle of the radius."""
    if polygon:
        return [*polygon, polygon[0]]
    turns = [2 * math.pi * step / _STEPS for step in range(_STEPS + 1)]
    return [
        (round(radius * math.cos(turn), 1), round(radius * math.sin(turn), 1)) for turn in turns
    ]


def far(point: Point | None) -> float:
    """How far it is from the centre; 0 for no point."""
    return math.hypot(*point) if point else 0.0


def beyond(point: Point, reach: float) -> bool:
    """Whether it lies outside a map that shows ``reach`` metres each way."""
    return max(abs(point[0]), abs(point[1])) > reach


def metres(distance: float) -> str:
    """ "340 m", "2.4 km"."""
    return f"{distance:.0f} m" if distance < 1000 else f"{distance / 1000:,.1f} km"


def chart(reach: float, height: int, scheme: theme.Scheme) -> go.Figure:
    """An empty map that shows ``reach`` metres each way."""
    drawn = go.Figure(layout={"template": theme.template(scheme), "height": height})
    axis = {"zeroline": False, "fixedrange": True, "range": [-reach, reach]}
    drawn.update_layout(xaxis=axis, yaxis=axis | {"scaleanchor": "x", "scaleratio": 1})
    return drawn


def fence(corners: Sequence[Point], scheme: theme.Scheme) -> go.Scatter:
    """The geofence as an area, ``corners`` as :func:`ring` closes them."""
    tokens = theme.COLOURS[scheme]
    return go.Scatter(
        name="Geofence", x=[x for x, _ in corners], y=[y for _, y in corners], mode="lines",
        fill="toself", fillcolor=_faint(tokens["accent"]), hoverinfo="skip",
        line={"width": 1.5, "color": tokens["muted"]},
    )  # fmt: skip


def fixes(
    places: Sequence[Point], told: Sequence[str], scheme: theme.Scheme, *, trail: bool = True
) -> go.Scatter:
    """Where the phone was, each with what is ``told`` of it; joined in their order as a trail."""
    tokens = theme.COLOURS[scheme]
    return go.Scatter(
        name="Fixes", x=[x for x, _ in places], y=[y for _, y in places],
        mode="lines+markers" if trail else "markers",
        line={"width": 1, "color": tokens["muted"]},
        marker={"size": 6, "color": tokens["accent"], "opacity": 1, "line": {"width": 0}},
        text=list(told), hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def told_of(place: Point, accuracy: float | None) -> str:
    """How far a fix is from the centre, and how sure that is."""
    sure = f", accurate to {accuracy:.0f} m" if accuracy is not None else ""
    return f"{metres(far(place))} from the centre{sure}"


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.07)"
