"""Where a punch was made: the site's geofence, the punch with its accuracy, the phone's fixes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme
from dashboards.figures import site_ground
from dashboards.figures.site_ground import Point
from noc.audit.story import metres

HEIGHT = 264

FAR = 2.5
"""Fixes further out than so many times what the geofence and the punch take are left outside."""


class Fix(NamedTuple):
    """Where the phone was, and how sure that is (m)."""

    at: dt.datetime
    place: Point
    accuracy: float | None


class Plan(NamedTuple):
    """What the map shows, in metres east and north of the site's centre.

    ``fence`` is the closed ring of the geofence; ``punch`` is None where the phone reported no
    place. ``reach``: half the width shown; ``outside``: how many fixes lie beyond it.
    """

    fence: list[Point]
    punch: Point | None
    accuracy: float | None
    fixes: list[Fix]
    reach: float
    outside: int


def plan(punch: dict[str, Any], fixes: Sequence[dict[str, Any]]) -> Plan:
    """Lay out the ``punch`` and the ``fixes`` of ``noc.fraud.review.surroundings``."""
    centre = {"lat": punch["site_lat"], "lon": punch["site_lon"]}
    drawn = punch["geofence_polygon"] or []
    corners = [metres(lat, lon, centre) for lon, lat in drawn]
    fence = site_ground.ring(corners, punch["geofence_radius"])
    here = None if punch["lat"] is None else metres(punch["lat"], punch["lon"], centre)
    placed = [
        Fix(fix["occurred_at"], metres(fix["lat"], fix["lon"], centre), fix["accuracy"])
        for fix in fixes
    ]
    needed = max(map(site_ground.far, fence))
    if here is not None:
        needed = max(needed, site_ground.far(here) + (punch["gps_accuracy"] or 0))
    away = [site_ground.far(fix.place) for fix in placed]
    reach = 1.12 * max([needed, *[distance for distance in away if distance <= FAR * needed]])
    outside = sum(site_ground.beyond(fix.place, reach) for fix in placed)
    return Plan(fence, here, punch["gps_accuracy"], placed, reach, outside)


def figure(plan: Plan, at: dt.datetime, zone: str, scheme: theme.Scheme) -> go.Figure:
    """The map; the clock is that of the ``zone``. Small, so a bar says the scale and no axis."""
    tokens = theme.COLOURS[scheme]
    chart = site_ground.chart(plan.reach, HEIGHT, scheme)
    chart.add_trace(site_ground.fence(plan.fence, scheme))
    chart.add_annotation(
        x=0, y=max(y for _, y in plan.fence), yshift=9, text="geofence", showarrow=False,
        font={"color": tokens["muted"]},
    )  # fmt: skip
    _fixes(chart, plan, at, ZoneInfo(zone), scheme)
    if plan.punch is not None:
        _punch(chart, plan, scheme)
    _scale(chart, plan.reach, tokens["text"])
    bare = {"showgrid": False, "showticklabels": False, "constrain": "range"}
    chart.update_layout(xaxis=bare, yaxis=bare, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return chart


def _fixes(
    chart: go.Figure, plan: Plan, at: dt.datetime, clock: ZoneInfo, scheme: theme.Scheme
) -> None:
    if not plan.fixes:
        return
    told = [
        f"<b>{fix.at.astimezone(clock):%H:%M:%S}</b>, {_relative(fix.at - at)}<br>"
        f"{site_ground.told_of(fix.place, fix.accuracy)}"
        for fix in plan.fixes
    ]
    chart.add_trace(site_ground.fixes([fix.place for fix in plan.fixes], told, scheme))
    for fix in dict.fromkeys((plan.fixes[0], plan.fixes[-1])):
        if not site_ground.beyond(fix.place, plan.reach):
            x, y = fix.place
            chart.add_annotation(
                x=x, y=y, text=f"{fix.at.astimezone(clock):%H:%M}", showarrow=False,
                yshift=-12, font={"color": theme.COLOURS[scheme]["text"]},
            )  # fmt: skip


def _relative(apart: dt.timedelta) -> str:
    minutes = apart.total_seconds() / 60
    return f"{abs(minutes):.0f} min {'before' if minutes < 0 else 'after'} the punch"


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
