"""Fixes around a site, in metres from its centre, with its geofence."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboards import theme, words

HEIGHT = 380

FAR = 10
"""The map reaches so many times the geofence at most: one fix in another city must not make the
site a dot."""


def figure(
    site: dict[str, Any], fixes: list[dict[str, Any]], shift: dt.timedelta, scheme: theme.Scheme
) -> go.Figure:
    """The trail of ``fixes`` (``x``, ``y`` in metres, by time) and the geofence of the site.

    One metre is as long upwards as to the right. The traces ``Fixes`` and ``Last fix`` are what a
    replay changes.
    """
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    ring_x, ring_y = ring(site)
    chart.add_trace(
        go.Scatter(
            name="Geofence", x=ring_x, y=ring_y, mode="lines", fill="toself", hoverinfo="skip",
            line={"width": 1.5, "color": tokens["muted"], "dash": "4px,3px"},
            fillcolor=_faint(tokens["accent"]),
        )
    )  # fmt: skip
    chart.add_trace(
        go.Scatter(
            name="Fixes",
            x=[fix["x"] for fix in fixes],
            y=[fix["y"] for fix in fixes],
            # The dots of several people are no trail.
            mode="markers" if len({fix["person_id"] for fix in fixes}) > 1 else "lines+markers",
            line={"width": 1, "color": tokens["muted"]},
            marker={"size": 6, "color": tokens["accent"], "line": {"width": 0}},
            text=[_hover(fix, shift) for fix in fixes],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    last = fixes[-1:]
    chart.add_trace(
        go.Scatter(
            name="Last fix", x=[fix["x"] for fix in last], y=[fix["y"] for fix in last],
            mode="markers", hoverinfo="skip",
            marker={
                "size": 15, "symbol": "circle-open", "color": tokens["text"], "line": {"width": 2},
            },
        )
    )  # fmt: skip
    size = reach(site, fixes)
    axis = {"zeroline": False, "fixedrange": True, "title": {"standoff": 6}, "nticks": 7}
    chart.update_layout(
        xaxis=axis | {"range": [-size, size], "title": {"text": "Metres east of the site"}},
        yaxis=axis
        | {
            "range": [-size, size],
            "title": {"text": "Metres north"},
            "scaleanchor": "x",
            "scaleratio": 1,
        },
    )
    return chart


def ring(site: dict[str, Any]) -> tuple[list[float], list[float]]:
    """The geofence in metres, closed: the polygon where there is one, else the circle."""
    if site["ring"]:
        corners = [*site["ring"], site["ring"][0]]
        return [x for x, _ in corners], [y for _, y in corners]
    angles = np.linspace(0, 2 * math.pi, 73)
    radius = site["geofence_radius"]
    return (
        [round(radius * math.cos(angle), 1) for angle in angles],
        [round(radius * math.sin(angle), 1) for angle in angles],
    )


def reach(site: dict[str, Any], fixes: list[dict[str, Any]]) -> float:
    """How far the map goes, metres: all fixes, but no further than :data:`FAR` geofences."""
    xs, ys = ring(site)
    fence = max(abs(value) for value in (*xs, *ys))
    furthest = max([max(abs(fix["x"]), abs(fix["y"])) for fix in fixes], default=0.0)
    return min(max(1.25 * fence, 1.1 * furthest), FAR * fence)


def sentence(site: dict[str, Any], fixes: list[dict[str, Any]]) -> str:
    """What the map shows, in words."""
    if not fixes:
        return "The phone sent no place in this time."
    away = [math.hypot(fix["x"], fix["y"]) for fix in fixes]
    size = reach(site, fixes)
    beyond = sum(max(abs(fix["x"]), abs(fix["y"])) > size for fix in fixes)
    told = f"{words.count(len(fixes), 'fix', 'fixes')}, the furthest {metres(max(away))} away."
    if beyond:
        verb = "lies" if beyond == 1 else "lie"
        told += f" {words.count(beyond, 'fix', 'fixes')} {verb} beyond the edge of the map."
    return told


def metres(distance: float) -> str:
    """ "340 m", "2.4 km"."""
    return f"{distance:.0f} m" if distance < 1000 else f"{distance / 1000:,.1f} km"


def _hover(fix: dict[str, Any], shift: dt.timedelta) -> str:
    away = metres(math.hypot(fix["x"], fix["y"]))
    sure = f", accurate to {fix['accuracy']:.0f} m" if fix["accuracy"] is not None else ""
    return f"<b>{(fix['at'] + shift):%H:%M:%S}</b>  {away} from the centre{sure}"


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.07)"
