"""Where a punch was made: the site's geofence, the punch with its accuracy, the phone's fixes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme

HEIGHT = 264

FAR = 2.5
"""Fixes further out than so many times what the geofence and the punch take are left outside."""

_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of 6,371 km."""

Point = tuple[float, float]


class Plan(NamedTuple):
    """What the map shows, in metres east and north of the site's centre.

    ``fence`` is the ring of the geofence, None where it is the circle of ``radius``; ``punch`` is
    None where the phone reported no place. ``reach``: half the width shown; ``outside``: how many
    fixes lie beyond it.
    """

    fence: list[Point] | None
    radius: float
    punch: Point | None
    accuracy: float | None
    fixes: list[tuple[dt.datetime, float, float]]
    reach: float
    outside: int


def plan(punch: dict[str, Any], fixes: Sequence[dict[str, Any]]) -> Plan:
    """Lay out the ``punch`` and the ``fixes`` of ``noc.fraud.review.surroundings``."""
    lat, lon = punch["site_lat"], punch["site_lon"]

    def place(at_lat: float, at_lon: float) -> Point:
        """On a plane that touches the earth at the site: exact enough for what is shown."""
        # The shorter way round, for a site at the date line.
        east = (at_lon - lon + 180) % 360 - 180
        return (
            east * _METRES_PER_DEGREE * math.cos(math.radians(lat)),
            (at_lat - lat) * _METRES_PER_DEGREE,
        )

    ring = punch["geofence_polygon"]
    fence = [place(corner[1], corner[0]) for corner in ring] if ring else None
    radius = max(map(_far, fence)) if fence else punch["geofence_radius"]
    here = None if punch["lat"] is None else place(punch["lat"], punch["lon"])
    placed = [(fix["occurred_at"], *place(fix["lat"], fix["lon"])) for fix in fixes]
    needed = max(radius, _far(here) + (punch["gps_accuracy"] or 0) if here else 0)
    near = [_far((x, y)) for _, x, y in placed if _far((x, y)) <= FAR * needed]
    reach = 1.12 * max([needed, *near])
    return Plan(
        fence,
        radius,
        here,
        punch["gps_accuracy"],
        placed,
        reach,
        sum(max(abs(x), abs(y)) > reach for _, x, y in placed),
    )


def figure(plan: Plan, at: dt.datetime, zone: str, scheme: theme.Scheme) -> go.Figure:
    """The map; the clock is that of the ``zone``. North is up, a metre is as long both ways."""
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    _fence(chart, plan, scheme)
    _fixes(chart, plan, at, ZoneInfo(zone), scheme)
    if plan.punch is not None:
        _punch(chart, plan, scheme)
    _scale(chart, plan.reach, tokens["text"])
    bare = {"showgrid": False, "showticklabels": False, "fixedrange": True, "zeroline": False}
    span = [-plan.reach, plan.reach]
    chart.update_layout(
        xaxis=bare | {"range": span, "constrain": "range"},
        yaxis=bare | {"range": span, "scaleanchor": "x", "scaleratio": 1, "constrain": "range"},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )
    return chart


def _fence(chart: go.Figure, plan: Plan, scheme: theme.Scheme) -> None:
    tokens = theme.COLOURS[scheme]
    ring = plan.fence or [
        (plan.radius * math.cos(step * math.pi / 36), plan.radius * math.sin(step * math.pi / 36))
        for step in range(72)
    ]
    closed = [*ring, ring[0]]
    chart.add_trace(go.Scatter(
        x=[x for x, _ in closed], y=[y for _, y in closed], mode="lines", name="Geofence",
        fill="toself", fillcolor=tokens["unmeasured"], hoverinfo="skip",
        line={"width": 1.5, "color": tokens["muted"]},
    ))  # fmt: skip
    top = max(y for _, y in ring)
    chart.add_annotation(
        x=0, y=top, yshift=9, text="geofence", showarrow=False, font={"color": tokens["muted"]}
    )


def _fixes(
    chart: go.Figure, plan: Plan, at: dt.datetime, clock: ZoneInfo, scheme: theme.Scheme
) -> None:
    if not plan.fixes:
        return
    tokens = theme.COLOURS[scheme]
    minutes = [(moment - at).total_seconds() / 60 for moment, _, _ in plan.fixes]
    chart.add_trace(go.Scatter(
        x=[x for _, x, _ in plan.fixes], y=[y for _, _, y in plan.fixes],
        mode="lines+markers", name="Phone",
        line={"width": 1, "color": tokens["muted"]},
        marker={
            "size": 6, "opacity": 1, "color": tokens["surface"],
            "line": {"width": 1.5, "color": tokens["accent"]},
        },
        hovertext=[
            f"{moment.astimezone(clock):%H:%M:%S}, {_relative(apart)}"
            for (moment, _, _), apart in zip(plan.fixes, minutes, strict=True)
        ],
        hovertemplate="Phone at %{hovertext}<br>%{x:.0f} m east, %{y:.0f} m north<extra></extra>",
    ))  # fmt: skip
    ends = {0, len(plan.fixes) - 1}
    for index in sorted(ends):
        moment, x, y = plan.fixes[index]
        if max(abs(x), abs(y)) <= plan.reach:
            chart.add_annotation(
                x=x, y=y, text=f"{moment.astimezone(clock):%H:%M}", showarrow=False,
                yshift=-12, font={"color": tokens["text"]},
            )  # fmt: skip


def _relative(minutes: float) -> str:
    return f"{abs(minutes):.0f} min {'before' if minutes < 0 else 'after'}"


def _punch(chart: go.Figure, plan: Plan, scheme: theme.Scheme) -> None:
    tokens = theme.COLOURS[scheme]
    x, y = plan.punch or (0.0, 0.0)
    if plan.accuracy:
        chart.add_shape(
            name="accuracy", type="circle", xref="x", yref="y",
            x0=x - plan.accuracy, x1=x + plan.accuracy, y0=y - plan.accuracy, y1=y + plan.accuracy,
            line={"width": 1, "dash": "3px,3px", "color": tokens["text"]},
        )  # fmt: skip
    within = "unknown" if plan.accuracy is None else f"{plan.accuracy:.0f} m"
    chart.add_trace(go.Scatter(
        x=[x], y=[y], mode="markers+text", name="Punch", text=["punch"],
        textposition="top center", textfont={"color": tokens["text"], "size": theme.TYPE_SCALE[1]},
        marker={
            "symbol": "diamond", "size": 14, "color": tokens["text"],
            "line": {"width": 2, "color": tokens["surface"]},
        },
        hovertemplate="The punch<br>%{x:.0f} m east, %{y:.0f} m north of the site's centre<br>"
        f"accuracy {within}<extra></extra>",
    ))  # fmt: skip


def _scale(chart: go.Figure, reach: float, colour: str) -> None:
    length = _round_length(reach / 2)
    right, low = 0.94 * reach, -0.92 * reach
    tick = 0.02 * reach
    for x0, x1, y0, y1 in (
        (right - length, right, low, low),
        (right - length, right - length, low - tick, low + tick),
        (right, right, low - tick, low + tick),
    ):
        chart.add_shape(
            name="scale", type="line", x0=x0, x1=x1, y0=y0, y1=y1,
            line={"width": 1.5, "color": colour},
        )  # fmt: skip
    text = f"{length:,.0f} m" if length < 1000 else f"{length / 1000:,.0f} km"
    chart.add_annotation(
        x=right - length / 2, y=low, yshift=10, text=text, showarrow=False, font={"color": colour}
    )


def _round_length(most: float) -> float:
    """The longest of 1, 2, 5, 10, 20 ... metres that is not above ``most``."""
    power = 10.0 ** math.floor(math.log10(max(most, 1.0)))
    return max(step * power for step in (1, 2, 5) if step * power <= max(most, 1.0))


def _far(point: Point | None) -> float:
    return math.hypot(*point) if point else 0.0
