"""When a guard punches in and out, by hour of the day, with today's punches marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme, words

HEIGHT = 200

LINE = 1.16
"""Where counts and today's punches stand, in heights of the highest bar."""

NEAR = 5.0
"""Hours that a written time or count takes of the chart's 24."""

LATE = 20.0
"""The hour after which a time is written before its mark."""


def figure(portrait: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    """``portrait`` of ``noc.fraud.portrait``: in upwards, out downwards, on the site's clock."""
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    peak = max([*portrait["in"], *portrait["out"], 1])
    today = _marks(portrait["today"])
    for kind, sign, colour in (("in", 1, tokens["accent"]), ("out", -1, tokens["muted"])):
        chart.add_trace(go.Bar(
            x=[hour + 0.5 for hour in range(24)], y=[sign * n for n in portrait[kind]],
            width=0.86, name=words.PUNCH[kind], marker={"color": colour, "line": {"width": 0}},
            customdata=[
                [f"{hour:02}:00 to {(hour + 1) % 24:02}:00", n]
                for hour, n in enumerate(portrait[kind])
            ],
            hovertemplate=f"{words.PUNCH[kind]} %{{customdata[1]}} times, %{{customdata[0]}}"
            "<extra></extra>",
        ))  # fmt: skip
        marks = [mark for mark in today if mark.sign == sign]
        at, anchor = _beside(marks)
        chart.add_annotation(
            x=at, xanchor=anchor, y=sign * peak * LINE, showarrow=False,
            text=f"{kind}, {sum(portrait[kind]):,}", font={"color": tokens["muted"]},
        )  # fmt: skip
    _today(chart, today, peak, scheme)
    chart.add_shape(
        type="line", x0=0, x1=24, y0=0, y1=0, line={"width": 1, "color": tokens["line"]}
    )
    chart.update_layout(
        barmode="overlay",
        xaxis={
            "range": [0, 24], "tickvals": [0, 6, 12, 18, 24], "fixedrange": True, "showgrid": False,
            "ticktext": ["00:00", "06:00", "12:00", "18:00", "24:00"],
        },
        yaxis={
            "range": [-1.3 * peak, 1.3 * peak], "showticklabels": False, "fixedrange": True,
            "showgrid": False,
        },
    )  # fmt: skip
    return chart


@dataclass(frozen=True)
class _Mark:
    """A punch of today: its hour on the site's clock, and up (in) or down (out)."""

    hour: float
    sign: int
    clock: str
    punch: dict[str, Any]

    @property
    def ahead(self) -> bool:
        """Whether its time is written before it: behind it the chart ends."""
        return self.hour > LATE

    @property
    def span(self) -> tuple[float, float]:
        """The hours that it and its time take."""
        return (self.hour - NEAR, self.hour) if self.ahead else (self.hour, self.hour + NEAR)


def _marks(today: list[dict[str, Any]]) -> list[_Mark]:
    marks = []
    for punch in today:
        clock = punch["occurred_at"].astimezone(ZoneInfo(punch["timezone"]))
        sign = 1 if punch["kind"] == "in" else -1
        marks.append(_Mark(clock.hour + clock.minute / 60, sign, f"{clock:%H:%M}", punch))
    return sorted(marks, key=lambda mark: mark.hour)


def _beside(marks: list[_Mark]) -> tuple[float, Literal["left", "center", "right"]]:
    """Where the count stands so that no mark of its line, nor its time, is under it."""
    places: tuple[tuple[float, Literal["left", "center", "right"], float, float], ...] = (
        (0, "left", 0, NEAR),
        (24, "right", 24 - NEAR, 24),
        (12, "center", 12 - NEAR / 2, 12 + NEAR / 2),
    )
    for at, anchor, start, end in places:
        if not any(mark.span[0] <= end and start <= mark.span[1] for mark in marks):
            return at, anchor
    return 0, "left"


def _clocks(marks: list[_Mark]) -> list[str]:
    """The times that can be written; one that would lie over another is told on hover alone."""
    written: list[str] = []
    taken = {1: -24.0, -1: -24.0}
    for mark in marks:
        start, end = mark.span
        free = start >= taken[mark.sign]
        written.append(mark.clock if free else "")
        if free:
            taken[mark.sign] = end
    return written


def _today(chart: go.Figure, marks: list[_Mark], peak: int, scheme: theme.Scheme) -> None:
    if not marks:
        return
    tokens = theme.COLOURS[scheme]
    chart.add_trace(go.Scatter(
        x=[mark.hour for mark in marks],
        y=[mark.sign * LINE * peak for mark in marks],
        mode="markers+text", name="Today", text=_clocks(marks), cliponaxis=False,
        textposition=["middle left" if mark.ahead else "middle right" for mark in marks],
        textfont={"color": tokens["text"]},
        marker={
            "symbol": "diamond", "size": 10, "opacity": 1, "color": tokens["text"],
            "line": {"width": 1, "color": tokens["surface"]},
        },
        customdata=[[mark.punch["punch_id"]] for mark in marks],
        hovertext=[
            f"Today: {words.say(words.PUNCH, mark.punch['kind']).lower()} {mark.clock}, "
            f"{mark.punch['site_name']}"
            for mark in marks
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
