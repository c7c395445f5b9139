"""When a guard punches in and out, by hour of the day, with today's punches marked."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme, words

HEIGHT = 200


def figure(portrait: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    """``portrait`` of ``noc.fraud.portrait``: in upwards, out downwards, on the site's clock."""
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    peak = max([*portrait["in"], *portrait["out"], 1])
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
        chart.add_annotation(
            xref="paper", x=0, xanchor="left", y=sign * peak * 1.16, showarrow=False,
            text=f"{kind}, {sum(portrait[kind]):,}", font={"color": tokens["muted"]},
        )  # fmt: skip
    _today(chart, portrait["today"], peak, scheme)
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


def _today(chart: go.Figure, today: list[dict[str, Any]], peak: int, scheme: theme.Scheme) -> None:
    marked = []
    for punch in today:
        clock = punch["occurred_at"].astimezone(ZoneInfo(punch["timezone"]))
        marked.append((clock.hour + clock.minute / 60, f"{clock:%H:%M}", punch))
    if not marked:
        return
    tokens = theme.COLOURS[scheme]
    chart.add_trace(go.Scatter(
        x=[hour for hour, _, _ in marked],
        y=[(1.16 if punch["kind"] == "in" else -1.16) * peak for _, _, punch in marked],
        mode="markers+text", name="Today", text=[clock for _, clock, _ in marked],
        textposition=["middle left" if hour > 20 else "middle right" for hour, _, _ in marked],
        textfont={"color": tokens["text"]},
        marker={
            "symbol": "diamond", "size": 10, "opacity": 1, "color": tokens["text"],
            "line": {"width": 1, "color": tokens["surface"]},
        },
        customdata=[[punch["punch_id"]] for _, _, punch in marked],
        hovertext=[
            f"Today: {words.say(words.PUNCH, punch['kind']).lower()} {clock}, {punch['site_name']}"
            for _, clock, punch in marked
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
