"""What another ticket threshold would have meant: work, and what it would have found."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import plotly.graph_objects as go

from dashboards import theme

HEIGHT = 280
WEEK = 7

MARGIN = 0.1
"""Share of the chart at its edges where no curve is named."""


@dataclass(frozen=True)
class Curve:
    """A line of the chart: its name, values ``y`` at thresholds ``x``."""

    name: str
    x: list[float]
    y: list[float]
    colour: str

    def near(self, at: float) -> float:
        """The value at the threshold next to ``at``; far away where there are none."""
        if not self.x:
            return -inf
        return self.y[min(range(len(self.x)), key=lambda n: abs(self.x[n] - at))]


def work(found: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    """Tickets and false alarms a week at each threshold of ``found`` (the what-if's answer).

    The band of the false alarms goes with the interval of the precision. The scale is that of
    what is near: far below the threshold in force tickets are many times as many.
    """
    tokens = theme.COLOURS[scheme]
    curve = found["curve"]
    chart = _chart(found, scheme)
    known = [point for point in curve if point["precision"]["value"] is not None]
    along = [point["threshold"] for point in known]
    low = [false_alarms(point)["low"] for point in known]
    high = [false_alarms(point)["high"] for point in known]
    _band(chart, along, low, high, tokens["muted"])
    opened = Curve(
        "tickets", [point["threshold"] for point in curve],
        [point["tickets_per_day"] * WEEK for point in curve], tokens["accent"],
    )  # fmt: skip
    false = Curve(
        "false alarms", along, [false_alarms(point)["value"] for point in known], tokens["muted"]
    )
    _line(chart, opened, "{:.1f} tickets a week")
    _line(chart, false, "{:.1f} false alarms a week")
    near = max(found["in_force"]["tickets_per_day"], found["asked"]["tickets_per_day"]) * WEEK
    most = max(opened.y, default=1)
    top = min(most, max(near * 2.5, 5)) * 1.05 or 1
    _label(chart, opened, false, top)
    _label(chart, false, opened, top)
    chart.update_layout(
        yaxis={
            "title": {"text": "A week"}, "range": [0, top],
            "fixedrange": True, "nticks": 5,
        },
    )  # fmt: skip
    return chart


def found_and_right(found: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    """Recall and precision at each threshold, with their 90 % bands."""
    tokens = theme.COLOURS[scheme]
    chart = _chart(found, scheme)
    curves = []
    for key, label, told, colour in (
        ("precision", "right", "{:.0%} of the flags are fraud", tokens["muted"]),
        ("recall", "found", "{:.0%} of the frauds are found", tokens["accent"]),
    ):
        known = [point for point in found["curve"] if point[key]["value"] is not None]
        along = [point["threshold"] for point in known]
        low, high = ([point[key][end] for point in known] for end in ("low", "high"))
        _band(chart, along, low, high, colour)
        curves.append(Curve(label, along, [point[key]["value"] for point in known], colour))
        _line(chart, curves[-1], told)
    right, caught = curves
    _label(chart, right, caught, 1)
    _label(chart, caught, right, 1)
    chart.update_layout(
        yaxis={
            "title": {"text": "Share"}, "range": [-0.02, 1.02], "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1], "fixedrange": True,
        },
    )  # fmt: skip
    return chart


def false_alarms(point: dict[str, Any]) -> dict[str, float]:
    """False alarms a week with the interval that the precision's gives: tickets times its rest."""
    tickets = point["tickets_per_day"] * WEEK
    shares = point["precision"]
    return {
        "value": tickets * (1 - shares["value"]),
        "low": tickets * (1 - shares["high"]),
        "high": tickets * (1 - shares["low"]),
    }


def _chart(found: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    tokens = theme.COLOURS[scheme]
    chart = go.Figure()
    chart.update_layout(
        template=theme.template(scheme),
        height=HEIGHT,
        margin={"t": 24},
        xaxis={
            "title": {"text": "Score from which a ticket opens"}, "range": [0, 1.0],
            "tickformat": ".1f", "nticks": 6, "fixedrange": True, "showgrid": False,
        },
    )  # fmt: skip
    now, asked = found["in_force"]["threshold"], found["asked"]["threshold"]
    marks = [("now", now, "4px,4px")]
    if abs(now - asked) > 1e-9:
        marks.append(("asked", asked, "solid"))
    for name, at, dash in marks:
        left = at > 0.9 or (name == "asked" and asked < now) or (name == "now" and now < asked)
        chart.add_shape(
            name=name, type="line", yref="paper", y0=0, y1=1, x0=at, x1=at,
            line={"color": tokens["text"], "width": 1.5, "dash": dash},
        )  # fmt: skip
        chart.add_annotation(
            x=at, yref="paper", y=1, yanchor="bottom", showarrow=False, text=f"{name} {at:.2f}",
            xanchor="right" if left else "left", font={"color": tokens["text"]},
        )  # fmt: skip
    return chart


def _line(chart: go.Figure, curve: Curve, told: str) -> None:
    chart.add_trace(go.Scatter(
        name=curve.name, x=curve.x, y=curve.y, mode="lines",
        line={"color": curve.colour, "width": 2},
        hovertext=[
            f"<b>From {at:.2f} on</b><br>{told.format(value)}"
            for at, value in zip(curve.x, curve.y, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip


def _label(chart: go.Figure, curve: Curve, other: Curve, top: float) -> None:
    """The curve's name at the point that is in sight and furthest from the other curve."""
    seen = [
        (abs(y - other.near(x)), x, y)
        for x, y in zip(curve.x, curve.y, strict=True)
        if MARGIN <= x <= 1 - 2 * MARGIN and y <= top * (1 - MARGIN)
    ]
    if not seen:
        return
    _, x, y = max(seen)
    over = y >= other.near(x)
    chart.add_annotation(
        x=x, y=y, text=curve.name, showarrow=False, xanchor="left",
        yanchor="bottom" if over else "top", font={"color": curve.colour},
        xshift=4, yshift=2 if over else -2,
    )  # fmt: skip


def _band(
    chart: go.Figure, x: list[float], low: list[float], high: list[float], colour: str
) -> None:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    chart.add_trace(go.Scatter(
        name="band", x=[*x, *reversed(x)], y=[*high, *reversed(low)], mode="lines",
        fill="toself", fillcolor=f"rgba({red},{green},{blue},0.18)", line={"width": 0},
        hoverinfo="skip",
    ))  # fmt: skip
