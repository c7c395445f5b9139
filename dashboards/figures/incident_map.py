"""Where the phones were around the site of an incident."""

from __future__ import annotations

import datetime as dt
from typing import Any

import plotly.graph_objects as go

from dashboards import theme, words
from dashboards.figures import site_ground
from dashboards.figures.site_ground import Point

HEIGHT = 380

FAR = 10
"""The map reaches so many times the geofence at most: one fix in another city must not make the
site a dot."""


def figure(
    site: dict[str, Any], fixes: list[dict[str, Any]], shift: dt.timedelta, scheme: theme.Scheme
) -> go.Figure:
    """The trail of ``fixes`` (``x``, ``y`` in metres, by time) and the geofence of the site.

    The traces ``Fixes`` and ``Last fix`` are what a replay changes.
    """
    chart = site_ground.chart(reach(site, fixes), HEIGHT, scheme)
    places = [_place(fix) for fix in fixes]
    told = [_told(fix, shift) for fix in fixes]
    # The dots of several people are no trail.
    trail = len({fix["person_id"] for fix in fixes}) <= 1
    chart.add_trace(site_ground.fence(ring(site), scheme))
    chart.add_trace(site_ground.fixes(places, told, scheme, trail=trail))
    last = places[-1:]
    chart.add_trace(
        go.Scatter(
            name="Last fix", x=[x for x, _ in last], y=[y for _, y in last],
            mode="markers", hoverinfo="skip",
            marker={
                "size": 15, "symbol": "circle-open", "color": theme.COLOURS[scheme]["text"],
                "line": {"width": 2},
            },
        )
    )  # fmt: skip
    chart.update_layout(
        xaxis={"nticks": 7, "title": {"standoff": 6, "text": "Metres east of the site"}},
        yaxis={"nticks": 7, "title": {"standoff": 6, "text": "Metres north"}},
    )
    return chart


def ring(site: dict[str, Any]) -> list[Point]:
    """The geofence of the story's site, closed."""
    return site_ground.ring(site["ring"], site["geofence_radius"])


def reach(site: dict[str, Any], fixes: list[dict[str, Any]]) -> float:
    """How far the map goes, metres: all fixes, but no further than :data:`FAR` geofences."""
    fence = max(abs(value) for corner in ring(site) for value in corner)
    furthest = max([max(abs(fix["x"]), abs(fix["y"])) for fix in fixes], default=0.0)
    return min(max(1.25 * fence, 1.1 * furthest), FAR * fence)


def sentence(site: dict[str, Any], fixes: list[dict[str, Any]]) -> str:
    """What the map shows, in words."""
    if not fixes:
        return "The phone sent no place in this time."
    places = [_place(fix) for fix in fixes]
    furthest = site_ground.metres(max(map(site_ground.far, places)))
    size = reach(site, fixes)
    outside = sum(site_ground.beyond(place, size) for place in places)
    told = f"{words.count(len(fixes), 'fix', 'fixes')}, the furthest {furthest} away."
    if outside:
        verb = "lies" if outside == 1 else "lie"
        told += f" {words.count(outside, 'fix', 'fixes')} {verb} beyond the edge of the map."
    return told


def _told(fix: dict[str, Any], shift: dt.timedelta) -> str:
    where = site_ground.told_of(_place(fix), fix["accuracy"])
    return f"<b>{(fix['at'] + shift):%H:%M:%S}</b>  {where}"


def _place(fix: dict[str, Any]) -> Point:
    return fix["x"], fix["y"]
